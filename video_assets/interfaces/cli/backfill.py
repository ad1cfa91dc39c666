"""`video-assets backfill`: make exactly the cells that lack a result, and say why each does."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer

from video_assets.automation import quoting
from video_assets.automation.choice import KINDS, LACKING, Choice, Chosen, Kind, choose
from video_assets.automation.quote_words import bill_lines, dollars
from video_assets.automation.quoting import Bill, StepQuote, bill_of
from video_assets.interfaces.cli.choices import choices_table, count_choices
from video_assets.interfaces.cli.faults import FAILED, MACHINE, STOPPED, tell
from video_assets.interfaces.cli.identity import identify
from video_assets.interfaces.cli.output_runs import OutputRun, output_run
from video_assets.interfaces.cli.parts import (
    AssetsOption,
    ClipsOption,
    ConfigOption,
    Part,
    WhereOption,
    parts_of,
)
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.processing import Pipeline, process
from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.queued import queued_cells
from video_assets.interfaces.cli.quotes import CapOption, bill_document, cap_of
from video_assets.interfaces.cli.reading import JsonOption
from video_assets.interfaces.cli.standing import wait_sentence
from video_assets.interfaces.cli.stopping import Stop
from video_assets.interfaces.cli.wording import clean, console, counted, say, say_json
from video_assets.settings import Settings, load_settings
from video_assets.storage import costs, ledger, postponed
from video_assets.storage.ai_calls import Payer
from video_assets.storage.artifact_store import open_store
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.postgres import Postgres

FAILURES_SHOWN = 20


def backfill(
    missing: Annotated[bool, typer.Option("--missing", help="What was never made.")] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="What was made by other code, settings or inputs.")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="What failed, even if for good: try it again.")
    ] = False,
    asset: AssetsOption = None,
    clip: ClipsOption = None,
    where: WhereOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-l", min=1, help="At most so many clips.")
    ] = None,
    config: ConfigOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be made, and make nothing.")
    ] = False,
    cap: CapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make what clips lack, and touch nothing else: by default what is missing or stale.

    With --asset, only that is made, and first what it reads where that is missing; without, what
    reads a stale result is made again too, but only if the new result really differs.
    """
    settings, assets = load_settings(), asset or []
    owner = identify(settings).owner
    kinds = _kinds(missing=missing, stale=stale, failed=failed)
    with Stop() as stop, closing(open_catalogue(settings)) as catalogue:
        if not dry_run:
            open_store(settings, catalogue)  # a key that it lacks is told before a run begins
        parts = parts_of(
            *(settings, catalogue, owner), config=config, clips=clip, where=where, assets=assets
        )
        orders = _orders(settings, catalogue, parts, kinds, assets, limit)
        bill = _bill(settings, catalogue, owner, orders, cap_of(cap)) if dry_run else None
        if not as_json:
            _show(orders, bill)
        try:
            told = [] if dry_run else _fill(settings, catalogue, owner, orders, stop, cap_of(cap))
        except KeyboardInterrupt:
            tell("stopped; run the same command to continue")
            raise typer.Exit(STOPPED) from None
        after = [] if dry_run else _after(catalogue, orders)
        waits = postponed.reasons(catalogue, owner, [each.checksum for each in after])
        usd = sum((costs.of_run(catalogue, each.run_id) for each in told), Decimal(0))
    counts = Counter(each.state for each in after)
    if as_json:
        due = sum(len(_asked(order)) for order in orders)
        lacking = len(after) - counts["done"] - counts["failed"]
        say_json(
            {
                "asset": assets[0] if len(assets) == 1 else None,
                "dry_run": dry_run,
                **count_choices([order.choice for order in orders]),
                "due": due,
                "made": counts["done"],
                "failed": counts["failed"],
                "left": lacking,
                "runs": [{"run_id": each.run_id, "report": each.page} for each in told],
                "left_for_later": waits,
                "spent_usd": usd,
                **({"quote": bill_document(bill)} if bill else {}),
            }
        )
    elif after:
        _close(after, counts)
        for each in waits:
            say(wait_sentence(each))
        if usd:
            say(f"Spent {dollars(usd)}; `video-assets costs` tells for what.")
    if not as_json:
        for each in told:
            each.say()
    troubles = [trouble for each in told for trouble in each.troubles]
    for trouble in troubles:
        tell(trouble)
    raise typer.Exit(MACHINE if troubles else FAILED if counts["failed"] else 0)


@dataclass(frozen=True)
class Order:
    """What is chosen of the clips of one preset."""

    part: Part
    choice: Choice


def _kinds(**wanted: bool) -> tuple[Kind, ...]:
    return tuple(kind for kind in KINDS if wanted[kind]) or ("missing", "stale")


def _orders(
    settings: Settings,
    catalogue: Postgres,
    parts: Sequence[Part],
    kinds: Sequence[Kind],
    assets: Sequence[str],
    limit: int | None,
) -> list[Order]:
    queued = queued_cells(settings)
    orders: list[Order] = []
    for part in parts:
        cells = ledger.cells(catalogue, part.plan, part.checksums, states=LACKING)
        choice = choose(cells, part.plan, kinds, assets=assets, queued=queued, limit=limit)
        orders.append(Order(part, choice))
        limit = None if limit is None else limit - len(choice.checksums)
    return orders


def _fill(
    settings: Settings,
    catalogue: Postgres,
    owner: UUID,
    orders: Sequence[Order],
    stop: Stop,
    cap: Decimal | None,
) -> list[OutputRun]:
    """Make what is chosen, as a run for each preset."""
    meter, told = Meter(), list[OutputRun]()
    for order in orders:
        if order.choice.chosen:
            with output_run(settings, catalogue, owner, "backfill", order.part.preset) as run:
                run.take_in(order.choice.checksums)
                payer = Payer(run.run_id, cap)
                run.close(_make(settings, catalogue, order, meter, stop, payer))
            told.append(run)
    return told


def _make(
    settings: Settings,
    catalogue: Postgres,
    order: Order,
    meter: Meter,
    stop: Stop,
    payer: Payer,
) -> list[str]:
    """Make what is chosen of the clips of one preset, and give what went wrong beside them."""
    quiet_dagster()
    from video_assets.automation.plan import narrowed, plan_of

    said: list[str] = []
    order.choice.take_up(catalogue)
    for assets, checksums in order.choice.groups().items():
        preset = narrowed(order.part.preset, assets)
        pipeline = Pipeline(settings, catalogue, preset, plan_of(preset))
        troubles = process(pipeline, checksums, meter, stop, workers=None, payer=payer)
        said += [
            f"run {trouble.run_id[:8]} broke off: {trouble.error}; details are in {pipeline.log}"
            for trouble in troubles
        ]
    return said


def _after(catalogue: Postgres, orders: Sequence[Order]) -> list[ledger.Cell]:
    """Look again at the cells that were asked for."""
    found: list[ledger.Cell] = []
    for order in orders:
        asked = {(each.cell.checksum, each.cell.asset) for each in _asked(order)}
        checksums = order.choice.checksums
        cells = ledger.cells(catalogue, order.part.plan, checksums) if checksums else []
        found += [each for each in cells if (each.checksum, each.asset) in asked]
    return found


def _asked(order: Order) -> list[Chosen]:
    return [each for each in order.choice.chosen if not each.is_needed_only]


def _bill(
    settings: Settings,
    catalogue: Postgres,
    owner: UUID,
    orders: Sequence[Order],
    cap: Decimal | None,
) -> Bill:
    """Say what the paid steps among what is chosen are likely to cost."""
    steps: list[StepQuote] = []
    for order in orders:
        wanted = quoting.chosen_clips(catalogue, order.part.plan, order.choice)
        if wanted:
            quiet_dagster()
            from video_assets.automation.plan import analyzers

            steps += quoting.quote_steps(analyzers(), order.part.preset, wanted)
    spent = quoting.spent(catalogue, owner)
    return bill_of(steps, settings.budget, cap=cap, spent=spent)


def _show(orders: Sequence[Order], bill: Bill | None) -> None:
    table = choices_table([order.choice for order in orders])
    if table is not None:
        console().print(table)
    clips = sum(len(order.choice.checksums) for order in orders)
    presets = ", ".join(order.part.preset.name for order in orders if order.choice.chosen)
    say(f"{counted(clips, 'clip')}, by preset {presets}" if clips else "Nothing to make.")
    for line in bill_lines(bill) if bill else ():
        typer.echo(line)


def _close(after: Sequence[ledger.Cell], counts: Counter[str]) -> None:
    left = len(after) - counts["done"] - counts["failed"]
    late = sum(1 for each in after if each.postponed)
    waits = f", {left - late:,} without what they read" if left > late else ""
    later = f", {late:,} left for later" if late else ""
    say(f"{counts['done']:,} made, {counts['failed']:,} failed{waits}{later}")
    failed = [each for each in after if each.state == "failed"]
    for each in failed[:FAILURES_SHOWN]:
        say(f"  {each.checksum[:12]}  {each.asset}: {clean(each.error or '')}")
    if len(failed) > FAILURES_SHOWN:
        say(f"  and {len(failed) - FAILURES_SHOWN:,} more; `video-assets failures` shows them")
