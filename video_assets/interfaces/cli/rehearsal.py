"""A dry run: what an ingest would read, refuse and run, without changing anything."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from video_assets.automation import quoting
from video_assets.automation.quote_words import bill_lines
from video_assets.automation.quoting import Bill, bill_of
from video_assets.interfaces.cli.faults import tell
from video_assets.interfaces.cli.planned import plan_for, quiet_dagster
from video_assets.interfaces.cli.processing import due_cells
from video_assets.interfaces.cli.quotes import bill_document
from video_assets.interfaces.cli.wording import counted, plain, size
from video_assets.media.discovery import Listing
from video_assets.presets.model import PipelineConfiguration
from video_assets.settings import Settings
from video_assets.storage import ledger, locations
from video_assets.storage.catalogue import by_url
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import is_touched, pending
from video_assets.storage.postgres import Postgres

FILES_SHOWN = 50


def rehearse(
    settings: Settings,
    owner: UUID,
    preset: PipelineConfiguration,
    listing: Listing,
    *,
    as_json: bool,
    cap: Decimal | None = None,
) -> int:
    """Print the plan of an ingest for an owner, and give the exit code."""
    plan = plan_for(settings, preset, keep=False)
    with _catalogue(settings) as catalogue:
        if catalogue is None:
            known = locations.Known({}, {}, listing.candidates)
            cells: list[ledger.Cell] = []
            bill = _bill(settings, owner, preset, plan, cells, known, None, cap)
        else:
            known = locations.recognise(catalogue, owner, listing.candidates)
            checksums = {*known.unchanged.values(), *known.renamed.values()}
            cells = ledger.cells(catalogue, plan, sorted(checksums))
            bill = _bill(settings, owner, preset, plan, cells, known, catalogue, cap)
    due = Counter(cell.asset for cell in due_cells(cells))
    steps = [
        {"step": each.asset, "known_clips": due[each.asset], "new_files": len(known.unknown)}
        for each in sorted(plan, key=lambda each: each.position)
    ]
    told = {
        "dry_run": True,
        "found": len(listing.candidates) + len(listing.rejects),
        "known": len(known.unchanged),
        "moved": [locations.display(path) for path in known.renamed],
        "read": [locations.display(file.path) for file in known.unknown],
        "read_bytes": sum(file.size_bytes for file in known.unknown),
        "refused": [
            {"file": locations.display(each.path), "reason": each.reason}
            for each in (*listing.unreachable, *listing.rejects)
        ],
        "steps": steps,
    }
    if as_json:
        typer.echo(json.dumps({**told, "quote": bill_document(bill)}, default=plain))
    else:
        _show(told, bill)
    return 0


def _bill(
    settings: Settings,
    owner: UUID,
    preset: PipelineConfiguration,
    plan: Sequence[ledger.PlannedAsset],
    cells: Sequence[ledger.Cell],
    known: locations.Known,
    catalogue: Postgres | None,
    cap: Decimal | None,
) -> Bill:
    """Say what the paid steps are likely to cost, of clips that lack them and of new files."""
    paid = [each.asset for each in plan if each.is_paid]
    if not paid:
        return bill_of((), settings.budget)
    quiet_dagster()
    from video_assets.automation.plan import analyzers

    due = [cell for cell in due_cells(cells) if cell.asset in paid]
    checksums = list(dict.fromkeys(cell.checksum for cell in due))
    facts = quoting.facts_of(catalogue, checksums) if catalogue else {}
    new = quoting.facts_of_files([file.path for file in known.unknown])
    clips = {
        asset: [*(facts[cell.checksum] for cell in due if cell.asset == asset), *new]
        for asset in paid
    }
    steps = quoting.quote_steps(analyzers(), preset, clips)
    spent = quoting.spent(catalogue, owner)
    return bill_of(steps, settings.budget, cap=cap, spent=spent)


def _show(told: dict[str, Any], bill: Bill) -> None:
    console = Console()
    files: list[str] = told["read"]
    if files:
        typer.echo(f"Would read {counted(len(files), 'new file')}, {size(told['read_bytes'])}:")
    for file in files[:FILES_SHOWN]:
        typer.echo(f"  {file}")
    if len(files) > FILES_SHOWN:
        typer.echo(f"  and {len(files) - FILES_SHOWN} more")
    for file in told["moved"]:
        typer.echo(f"Would note the new place of {file}")
    for refused in told["refused"]:
        typer.echo(f"Would refuse {refused['file']}: {refused['reason']}")
    table = Table(title="Would run", title_justify="left")
    table.add_column("Step")
    table.add_column("New files", justify="right")
    table.add_column("Known clips", justify="right")
    for step in told["steps"]:
        table.add_row(step["step"], str(step["new_files"]), str(step["known_clips"]))
    console.print(table)
    for line in bill_lines(bill):
        typer.echo(line)
    typer.echo("Dry run: nothing was changed.")


@contextmanager
def _catalogue(settings: Settings) -> Iterator[Postgres | None]:
    """Open the catalogue as it is, and leave its server as it was; None where it cannot answer."""
    if settings.db_url is not None:
        yield _fitting(settings.db_url, by_url(settings.db_url, settings), is_embedded=False)
        return
    server = EmbeddedServer(settings.home)
    if not Path(server.folder / "server.json").exists():
        yield None
        return
    is_started = server.start()
    catalogue = _fitting(server.admin_url(), Postgres(server.url()), is_embedded=True)
    try:
        yield catalogue
    finally:
        if catalogue is not None:
            catalogue.close()
        if is_started:
            server.stop()


def _fitting(admin_url: str, catalogue: Postgres, *, is_embedded: bool) -> Postgres | None:
    with psycopg.connect(admin_url, autocommit=True, prepare_threshold=None) as connection:
        if is_embedded and not is_touched(connection):
            return None
        if pending(connection, embedded=is_embedded):
            tell("the catalogue is of an older release and would be brought up to date first")
            return None
    return catalogue
