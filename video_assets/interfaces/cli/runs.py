"""`video-assets runs`: what ingests, backfills and watched folders took in, and what came of it."""

import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.output_runs import catch_up, write_folder
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    leave,
    reading,
    where_processed,
)
from video_assets.interfaces.cli.wording import (
    cell,
    clean,
    console,
    counted,
    duration,
    listed,
    moment,
    new_table,
    page_note,
    say,
    say_json,
    size,
    titled,
)
from video_assets.settings import Settings
from video_assets.storage import run_folder, runs
from video_assets.storage.run_facts import RunFacts
from video_assets.storage.run_folder import Removed, RunFolder
from video_assets.storage.run_report import elapsed_s, manifest
from video_assets.storage.runs import Run

if TYPE_CHECKING:
    from video_assets.storage.browse import Browser

LATEST = "latest"
COLORS = {"completed": "green", "active": "cyan", "failed": "red", "stopped": "yellow"}

app = typer.Typer(
    help="What each ingest, backfill and watched folder took in, and what came of it.",
    no_args_is_help=True,
)
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Its id, how that begins, its name, or `latest`.")
]


@app.command("list")
def list_runs(limit: LimitOption = 20, as_json: JsonOption = False) -> None:
    """List runs, newest first, with what has become of their clips by now."""
    with reading() as looking:
        if looking.browser is None:
            found, total = [], 0
        else:
            browser = looking.browser
            catch_up(looking.settings, browser.catalogue, browser.owner)
            found, total = runs.list_runs(browser.catalogue, browser.owner, at_most=limit)
        folders = [RunFolder.of(looking.settings.home, run.run_id) for run in found]
    if as_json:
        told = [_told(run, folder) for run, folder in zip(found, folders, strict=True)]
        say_json({"total": total, "shown": len(found), "runs": told})
    elif not found:
        say(_no_run() if looking.browser else NO_CATALOGUE)
    else:
        console().print(_table(found))
        if note := page_note(len(found), total):
            say(note)


@app.command()
def show(run: RunArgument = LATEST, as_json: JsonOption = False) -> None:
    """Show one run: its manifest in words, by what the ledger says now."""
    with _one(run) as (settings, browser, found):
        folder = RunFolder.of(settings.home, found.run_id)
        if not folder.is_whole():
            write_folder(settings, browser.catalogue, browser.owner, found.run_id)
        facts = RunFacts(browser.catalogue, browser.owner, found.run_id)
        totals, causes = facts.totals(), facts.causes()
    if as_json:
        paths = {"folder": folder.path, "report": folder.page}
        say_json({**manifest(found, totals), **paths, "failures": causes})
        return
    table = new_table(header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    left = totals.processing + totals.waiting
    came = [f"{totals.complete:,} complete", f"{totals.failed:,} failed"]
    took = f"{'took' if found.ended_at else 'so far'} {duration(elapsed_s(found))}"
    for name, value in (
        ("Status", Text(found.status, COLORS[found.status])),
        ("Why", found.note),
        ("What", f"{found.kind}, preset {found.preset}"),
        ("From", listed(found.roots) if found.roots else None),
        ("When", f"{moment(found.started_at)}, {took}"),
        ("Clips", ", ".join([*came, *([f"{left:,} unfinished"] if left else [])])),
        ("Footage", f"{duration(totals.duration_s)}, {size(totals.size_bytes)}"),
        ("Unreadable", counted(found.unreadable, "file") if found.unreadable else None),
        ("Report", str(folder.page)),
    ):
        if value is not None:
            table.add_row(name, value if isinstance(value, Text) else cell(value))
    console().print(titled(f"Run {found.run_id}", table))
    for cause in causes:
        why = f" {cause.error_class}" if cause.error_class else ""
        say(f"  {cause.step}: {cause.clips:,} failed{why}")


@app.command()
def report(
    run: RunArgument = LATEST,
    output_format: Annotated[
        Literal["html", "json"], typer.Option("--format", "-f", help="For people or for programs.")
    ] = "html",
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run by what the ledger says now, and print where it lies.

    The page is one file with everything inside: it can be sent to somebody, and printed.
    """
    with _one(run) as (settings, browser, found):
        folder = write_folder(settings, browser.catalogue, browser.owner, found.run_id)
    path = folder.page if output_format == "html" else folder.report
    if as_json:
        say_json({"run_id": found.run_id, "report": path})
    else:
        typer.echo(path)
    if open_it and not webbrowser.open(path.as_uri()):
        leave("there is no browser to show it in")


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option("--keep", "-k", min=0, help="So many of the newest ended runs stay.")
    ] = 10,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove old runs with their folders; a run that goes on stays, and so does every clip.

    Documents in those folders are further names of files in the catalogue, which keeps its own.
    """
    removed: list[Removed] = []
    with reading() as looking:
        if looking.browser is not None:
            catalogue, home = looking.database, looking.settings.home
            catch_up(looking.settings, catalogue, looking.owner)
            removed = run_folder.remove_old(
                catalogue, home, looking.owner, keep=keep, dry_run=dry_run
            )
    if as_json:
        say_json({"dry_run": dry_run, "removed": removed})
        return
    for each in removed:
        say(f"{'would remove' if dry_run else 'removed'} {each.run_id} ({size(each.bytes)})")
    if not removed:
        say(f"nothing to remove: there are no more than {counted(keep, 'ended run')}")


@contextmanager
def _one(name: str) -> "Iterator[tuple[Settings, Browser, Run]]":
    """Find the run that a name means, or end by saying what there is."""
    with reading() as looking:
        if looking.browser is None:
            leave(NO_CATALOGUE)
        browser = looking.browser
        catch_up(looking.settings, browser.catalogue, browser.owner)
        named = None if name == LATEST else name
        found, total = runs.list_runs(browser.catalogue, browser.owner, named=named, at_most=10)
        if not found:
            shows = "`video-assets runs list` shows them"
            leave(f"there is no run called {clean(name)}; {shows}" if named else _no_run())
        is_clear = named is None or total == 1 or named in (found[0].run_id, found[0].name)
        if not is_clear:
            leave(f"{clean(name)} is {total} runs: {listed(run.run_id for run in found)}")
        yield looking.settings, browser, found[0]


def _no_run() -> str:
    return f"no run yet: {where_processed('video-assets ingest FOLDER')} makes one"


def _table(found: list[Run]) -> Table:
    table = new_table()
    table.add_column("Run", overflow="fold", min_width=27)
    table.add_column("Status")
    table.add_column("Took", justify="right")
    for title in ("Clips", "Complete", "Failed"):
        table.add_column(title, justify="right")
    for run in found:
        failed = run.failed + run.unreadable
        table.add_row(
            cell(run.run_id),
            Text(run.status, COLORS[run.status]),
            cell(duration(elapsed_s(run))),
            f"{run.clips:,}",
            f"{run.complete:,}",
            Text(f"{failed:,}", "red" if failed else ""),
        )
    return table


def _told(run: Run, folder: RunFolder) -> dict[str, Any]:
    """One run for programs, with SPEC's names beside what the row says."""
    return {
        **asdict(run),
        "created_at": run.started_at,
        "videos_processed": run.complete,
        "path": folder.path,
        "report": folder.page if folder.page.is_file() else None,
    }
