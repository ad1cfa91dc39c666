"""`video-assets admin`: what admins may see of the catalogues of all owners."""

from typing import Annotated

import typer
from rich.text import Text

from video_assets.automation.quote_words import dollars
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    leave,
    reading,
)
from video_assets.interfaces.cli.search_options import OffsetOption
from video_assets.interfaces.cli.wording import (
    cell,
    console,
    counted,
    duration,
    moment,
    new_table,
    page_note,
    say,
    say_json,
    size,
)
from video_assets.storage import owners
from video_assets.storage.way_in import WayIn

app = typer.Typer(
    help="What admins see of all owners; `db admin` makes somebody an admin.", no_args_is_help=True
)


@app.command("users")
def list_users(
    limit: LimitOption = 50, offset: OffsetOption = 0, as_json: JsonOption = False
) -> None:
    """List the owners: how much each has, and what was spent for them this month."""
    with reading() as opened:
        catalogue = _made(opened.catalogue)
        found, total = owners.profiles(catalogue, opened.owner, at_most=limit, skipped=offset)
        all_of_them = owners.statistics(catalogue, opened.owner)
    if as_json:
        say_json({"total": total, "all": all_of_them, "users": found})
        return
    table = new_table()
    table.add_column("Owner", overflow="fold")
    for heading in ("Clips", "Footage", "Size", "This month"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in found:
        is_admin = " (admin)" if each.profile_type == "admin" else ""
        table.add_row(
            cell(f"{each.email or each.display_name}{is_admin}"),
            Text(f"{each.clips:,}"),
            cell(duration(each.duration_s)),
            cell(size(each.size_bytes)),
            cell(dollars(each.month_usd)),
        )
    console().print(table)
    if note := page_note(len(found), total):
        say(note)
    say(
        f"{counted(all_of_them.owners, 'owner')}, {counted(all_of_them.clips, 'clip')} of "
        f"{counted(all_of_them.contents, 'content')}, {size(all_of_them.size_bytes)}; "
        f"{dollars(all_of_them.month_usd)} this month"
    )


@app.command("clips")
def list_clips(
    owner: Annotated[
        str | None,
        typer.Argument(help="Id or address.", show_default="all owners"),
    ] = None,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List the clips of one owner, or of all, newest first."""
    with reading() as opened:
        catalogue = _made(opened.catalogue)
        found, total = owners.clips(catalogue, opened.owner, owner, at_most=limit, skipped=offset)
    if as_json:
        say_json({"total": total, "clips": found})
        return
    table = new_table()
    for heading in ("File", "State", "Length", "Registered", "Owner"):
        table.add_column(heading, overflow="fold")
    for each in found:
        length = None if each.duration_seconds is None else duration(float(each.duration_seconds))
        about = (each.file_name, each.state, length, moment(each.created_at), str(each.user_id))
        table.add_row(*map(cell, about))
    console().print(table)
    if note := page_note(len(found), total):
        say(note)


def _made(catalogue: WayIn | None) -> WayIn:
    if catalogue is None:
        leave(NO_CATALOGUE)
    return catalogue
