"""Backfills from the Dagster UI: the job `backfill_cells` says what it would make and why.

When it has succeeded, and was no dry run, the sensor `request_backfill` requests exactly those
cells. Both choose by the ledger, as `video-assets backfill` does.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import dagster as dg
from pydantic import Field

from video_assets.analyzer import ANALYZERS
from video_assets.automation import quoting
from video_assets.automation.choice import KINDS, LACKING, Choice, Kind, choose
from video_assets.automation.in_progress import cells_in_progress
from video_assets.automation.jobs import batch_tags, priority_tag, process_clips
from video_assets.automation.plan import narrowed, needed_for, plan_of
from video_assets.automation.quote_words import bill_lines
from video_assets.automation.quoting import Bill, bill_of
from video_assets.clip_asset import CLIPS_PER_RUN
from video_assets.clip_stream import payer_tags
from video_assets.partitions import CLIPS, batches
from video_assets.presets.model import PipelineConfiguration, load_preset
from video_assets.resources import PRESET_TAG
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import ledger
from video_assets.storage.ai_calls import Payer
from video_assets.storage.ledger import PlannedAsset
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import parse, select_clips

BACKFILL_TAG = "video-assets/backfill"  # run tag: the run of backfill_cells that asked for it


class CellsToMake(dg.Config):
    """Which cells are made; by default what is missing or stale, of every clip and asset."""

    kinds: list[str] = Field(
        default=["missing", "stale"], description="missing, stale, failed (tried again at once)"
    )
    assets: list[str] = Field(
        default=[], description="only these, and what they need; empty for all of the preset"
    )
    where: str = Field(
        default="", description="only clips of which this holds: camera_make=Canon,duration>60"
    )
    preset: str = Field(default="", description="empty: the one that each clip goes by")
    limit: int = Field(default=0, ge=0, description="at most so many clips; 0 for all")
    cap_usd: float = Field(
        default=-1,
        description="the most that its paid calls may cost; -1: as the settings say",
    )
    dry_run: bool = Field(default=True, description="say what would be made, and make nothing")


@dataclass(frozen=True)
class Order:
    """What is chosen of the clips of one preset."""

    preset: PipelineConfiguration
    plan: Sequence[PlannedAsset]
    choice: Choice


def lay_out(
    instance: dg.DagsterInstance,
    catalogue: Postgres,
    preset: PipelineConfiguration,
    config: CellsToMake,
) -> list[Order]:
    """Choose the cells that a configuration means, of every owner's clips.

    preset  of clips that tell none

    Raises ValueError for a kind, asset, condition or preset that there is not.
    """
    unknown = set(config.kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"there are no {sorted(unknown)} cells; known: {', '.join(KINDS)}")
    kinds: list[Kind] = [kind for kind in KINDS if kind in config.kinds]
    by_preset: dict[str, dict[str, None]] = {}
    for clip in select_clips(catalogue, parse(config.where)):
        name = config.preset or clip.preset or preset.name
        by_preset.setdefault(name, {})[clip.checksum] = None
    queued = cells_in_progress(instance)
    left = config.limit or None
    orders: list[Order] = []
    for name, checksums in by_preset.items():
        wanted = preset if name == preset.name else load_preset(name)
        if config.assets:
            wanted = narrowed(wanted, needed_for(config.assets))
        plan = plan_of(wanted)
        cells = ledger.cells(catalogue, plan, list(checksums), states=LACKING)
        choice = choose(cells, plan, kinds, assets=config.assets, queued=queued, limit=left)
        left = left and max(0, left - len(choice.checksums))
        orders.append(Order(wanted, plan, choice))
    return orders


@dg.op(required_resource_keys={"catalogue", "preset"})
def choose_cells(context: dg.OpExecutionContext, config: CellsToMake) -> None:
    """Say which cells are chosen and why, and which are left alone."""
    resources = context.resources
    orders = lay_out(context.instance, resources.catalogue, resources.preset, config)
    chosen = Counter((c.cell.asset, c.reason) for o in orders for c in o.choice.chosen)
    left = Counter((c.cell.asset, f"left alone: {c.reason}") for o in orders for c in o.choice.left)
    rows = [f"| {asset} | {n} | {why} |" for (asset, why), n in (chosen + left).items()]
    table = "\n".join(["| asset | clips | why |", "| --- | ---: | --- |", *rows])
    bill = _bill(resources.catalogue, orders, config)
    context.log.info("\n".join([table, *bill_lines(bill)]))
    context.add_output_metadata(
        {
            "usd": float(bill.usd),
            "quote": dg.MetadataValue.text("\n".join(bill_lines(bill)) or "nothing costs anything"),
            "cells": chosen.total(),
            "clips": sum(len(order.choice.checksums) for order in orders),
            "dry_run": config.dry_run,
            "what": dg.MetadataValue.md(table),
        }
    )


def _cap(config: CellsToMake) -> Decimal | None:
    return Decimal(str(config.cap_usd)) if config.cap_usd >= 0 else None


def _bill(catalogue: Postgres, orders: Sequence[Order], config: CellsToMake) -> Bill:
    """Say what the paid steps among what is chosen are likely to cost."""
    steps = [
        step
        for order in orders
        for step in quoting.quote_steps(
            ANALYZERS,
            order.preset,
            quoting.chosen_clips(catalogue, order.plan, order.choice),
        )
    ]
    spent = quoting.spent(catalogue, LOCAL_OWNER)
    return bill_of(steps, load_settings().budget, cap=_cap(config), spent=spent)


@dg.job(
    description="Make what clips lack. A dry run, which it is by default, only says what that is; "
    "else the runs are requested when this one has succeeded."
)
def backfill_cells() -> None:
    """Choose cells; a sensor requests them."""
    choose_cells()


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[backfill_cells],
    request_job=process_clips,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests the cells that a run of backfill_cells has chosen.",
)
def request_backfill(
    context: dg.RunStatusSensorContext,
    catalogue: dg.ResourceParam[Postgres],
    preset: dg.ResourceParam[PipelineConfiguration],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request exactly what was chosen, each clip in one run with all that is wanted of it."""
    run = context.dagster_run
    ops: Any = run.run_config.get("ops", {})
    config = CellsToMake(**ops.get("choose_cells", {}).get("config", {}))
    if config.dry_run:
        yield dg.SkipReason(f"run {run.run_id[:8]} was a dry run")
        return
    orders = lay_out(context.instance, catalogue, preset, config)
    ordered = context.instance.get_dynamic_partitions(CLIPS)
    for order in orders:
        order.choice.take_up(catalogue)
        for assets, checksums in order.choice.groups().items():
            urgency = min(each.priority for each in order.plan if each.asset in assets)
            for batch in batches(ordered, checksums, most=CLIPS_PER_RUN):
                yield dg.RunRequest(
                    run_key=f"{run.run_id} {batch.checksums[0]} {','.join(assets)}",
                    asset_selection=[dg.AssetKey(asset) for asset in assets],
                    tags={
                        **batch_tags(batch),
                        **priority_tag(urgency),
                        PRESET_TAG: order.preset.name,
                        BACKFILL_TAG: run.run_id,
                        **payer_tags(Payer(run.run_id, _cap(config))),
                    },
                )
