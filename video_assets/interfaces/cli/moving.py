"""`video-assets db push` and `db pull`: from the embedded catalogue to a project, and back."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any
from uuid import UUID

import typer

from video_assets.interfaces.cli.faults import FAILED
from video_assets.interfaces.cli.identity import identify
from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.reading import NO_CATALOGUE, JsonOption, leave
from video_assets.interfaces.cli.wording import counted, say, say_json
from video_assets.settings import LOCAL_OWNER, Settings, SettingsError, load_settings
from video_assets.storage import owners
from video_assets.storage.catalogue import open_catalogue, open_existing
from video_assets.storage.catalogue_copy import Found, Side, open_copy

OwnerOption = Annotated[
    str | None,
    typer.Option(
        "--owner",
        help="Whose the clips are in the project, an id or address; by default who is signed in.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be copied, and change nothing.")
]


def push(
    owner: OwnerOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Copy the embedded catalogue into the database that SUPABASE_DB_URL names.

    Ended anyhow, the same command goes on where it was. What is newer there stays,
    and nothing there is removed. At the end both are compared row by row. Exit code 1
    says that they are not the same.
    """
    settings = load_settings()
    with _project(settings, owner) as there:
        here = open_existing(_embedded(settings))
        if here is None:
            leave(NO_CATALOGUE)
        with closing(here):
            _move(Side(here, LOCAL_OWNER), there, is_back=False, dry_run=dry_run, as_json=as_json)


def pull(
    owner: OwnerOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Copy an owner's catalogue from the database that SUPABASE_DB_URL names into the embedded one.

    The way back of `db push`, by the same rules: what is newer here stays.
    """
    settings = load_settings()
    with (
        _project(settings, owner) as there,
        closing(open_catalogue(_embedded(settings))) as here,
    ):
        _move(there, Side(here, LOCAL_OWNER), is_back=True, dry_run=dry_run, as_json=as_json)


@contextmanager
def _project(settings: Settings, word: str | None) -> Iterator[Side]:
    if settings.db_url is None:
        raise SettingsError(
            "SUPABASE_DB_URL is not set: name the database of the project there, as postgresql://…"
        )
    word = word or str(_signed_in(settings))
    with closing(open_catalogue(settings)) as project:
        owner = owners.find(project, word)
        if owner is None:
            leave(f"there is no owner {word} at {project.place}; give an id or an address")
        yield Side(project, owner)


def _signed_in(settings: Settings) -> UUID:
    if settings.supabase_url is None:
        raise SettingsError("say whose the clips are in the project: --owner, an id or an address")
    return identify(settings).owner


def _embedded(settings: Settings) -> Settings:
    return settings.model_copy(update=dict.fromkeys(("db_url", "session_db_url", "supabase_url")))


def _move(source: Side, target: Side, *, is_back: bool, dry_run: bool, as_json: bool) -> None:
    meter = Meter(quiet=as_json)
    with open_copy(source, target, is_back=is_back) as copy:
        if not dry_run:
            with meter.counting("Copying", copy.clips) as on_clips:
                copy.run(on_clips)
        with meter.counting("Comparing", copy.clips) as on_clips:
            found = copy.compare(on_clips)
    if as_json:
        say_json({"dry_run": dry_run, **_document(found)})
    else:
        for sentence in _planned(found) if dry_run else _ended(found, is_back=is_back):
            say(sentence)
    if found.unequal and not dry_run:
        raise typer.Exit(FAILED)


def _planned(found: Found) -> Iterator[str]:
    rows = sum(tally.source for tally in found.tables.values())
    yield (
        f"Dry run: of {counted(found.clips, 'clip')} with {counted(rows, 'row')}, "
        f"{found.outdated:,} would be copied, {found.new:,} of them new there."
    )
    if found.unequal:
        yield f"Not the same yet: {', '.join(found.unequal)}."
    yield from _others(found)


def _ended(found: Found, *, is_back: bool) -> Iterator[str]:
    if found.unequal:
        for name in found.unequal:
            tally = found.tables[name]
            yield f"{name}: {counted(tally.source, 'row')} to copy, {tally.target:,} at the target."
        yield "Not equal. Something else writes there; run the same command again."
    else:
        rows = sum(tally.source for tally in found.tables.values())
        yield (
            f"Equal: {counted(found.clips, 'clip')} with {counted(rows, 'row')} in "
            f"{len(found.tables)} tables are the same in both."
        )
    yield from _others(found)
    if found.clips and not is_back:
        yield (
            "Stills and other files still lie on this machine; `video-assets artifacts move` "
            "takes them along. Dagster hears of the clips from the next `dev`, `worker` or "
            "`ingest` on that database."
        )


def _others(found: Found) -> Iterator[str]:
    if found.ahead:
        yield f"Newer at the target, and left as they are: {counted(found.ahead, 'clip')}."
    if found.twins:
        yield (
            f"There already under another id, and only their results went: "
            f"{counted(found.twins, 'clip')}."
        )
    if found.only_there > 0:
        yield f"Only at the target: {counted(found.only_there, 'clip')}."


def _document(found: Found) -> dict[str, Any]:
    return {
        "is_equal": not found.unequal,
        "clips": found.clips,
        "new": found.new,
        "outdated": found.outdated,
        "newer_at_target": found.ahead,
        "under_another_id": found.twins,
        "only_at_target": found.only_there,
        "tables": [
            {
                "table": name,
                "rows": tally.source,
                "rows_at_target": tally.target,
                "digest": f"{tally.source_digest:016x}",
                "digest_at_target": f"{tally.target_digest:016x}",
                "newer_at_target": tally.kept,
            }
            for name, tally in found.tables.items()
        ],
    }
