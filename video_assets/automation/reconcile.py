"""Reconcile: what the ledger lacks is requested, whatever the reason it lacks it.

The engine of resumption. A new analyzer, a raised code version, a killed process and a new clip all
look alike here: cells without a current result. A tick costs as much as has changed since the last
one, and asks for no more than the lanes can chew: more is requested when earlier runs have ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import dagster as dg

from video_assets.automation.due import Due, find_due
from video_assets.automation.in_progress import keys_in_progress, runs_in_progress
from video_assets.automation.jobs import batch_tags, priority_tag, process_clips
from video_assets.automation.plan import plan_of, selection_of, serve
from video_assets.automation.reporting import agree
from video_assets.clip_asset import CLIPS_PER_RUN
from video_assets.partitions import CLIPS, batches
from video_assets.presets.model import PipelineConfiguration, load_preset
from video_assets.presets.strict import PresetError
from video_assets.resources import PRESET_TAG
from video_assets.run_process import end_dead_runs
from video_assets.settings import load_settings
from video_assets.storage import settled
from video_assets.storage.ledger import PlannedAsset
from video_assets.storage.postgres import Postgres

RUNS_PER_TICK = 20  # that may be in progress at once: in half an hour they chew some thousand clips
LOOKED_AT_ONCE = 5_000  # clips: half a second of the database
TICK_S = 30
SENSOR_TAG = "dagster/sensor_name"  # Dagster's own

Plans = Mapping[str, Sequence[PlannedAsset]]


@dg.sensor(
    job=process_clips,
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests runs for clips that lack a result, and once more for clips that failed.",
)
def reconcile(
    context: dg.SensorEvaluationContext,
    catalogue: dg.ResourceParam[Postgres],
    preset: dg.ResourceParam[PipelineConfiguration],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request what is missing or worth another attempt, and leave alone what is in hand."""
    end_dead_runs(context.instance)
    context.update_cursor(agree(context.instance, catalogue, context.cursor))
    runs = runs_in_progress(context.instance)
    room = RUNS_PER_TICK - sum(run.tags.get(SENSOR_TAG) == reconcile.name for run in runs)
    if room <= 0:
        yield dg.SkipReason(f"{RUNS_PER_TICK} runs of this sensor have not ended yet")
        return
    taken = keys_in_progress(context.instance, runs)
    plans = _plans(context, catalogue, preset)
    due = find_due(catalogue, plans, taken, at_most=LOOKED_AT_ONCE)
    if not due:
        in_hand = f"; runs have {len(taken)} clips in hand" if taken else ""
        yield dg.SkipReason(f"nothing is to be requested now{in_hand}")
        return
    yield from _requests(context.instance, due[: room * CLIPS_PER_RUN], plans, preset)[:room]


def _plans(
    context: dg.SensorEvaluationContext, catalogue: Postgres, preset: PipelineConfiguration
) -> Plans:
    """Lay out what the preset of each clip wants; clips without one go by the sensor's own.

    A clip that was made with other settings is not remade for that alone.
    """
    found: dict[str, Sequence[PlannedAsset]] = {}
    for name in settled.presets_in_use(catalogue):
        try:
            meant = preset if name in ("", preset.name) else load_preset(name)
            plan = serve(plan_of(meant), meant, load_settings().queues)
        except PresetError as error:
            context.log.warning(f"clips of preset {name} are left alone: {error}")
            continue
        found[name] = [replace(asset, settings_fingerprint="") for asset in plan]
    return found


def _requests(
    instance: dg.DagsterInstance, due: Sequence[Due], plans: Plans, preset: PipelineConfiguration
) -> list[dg.RunRequest]:
    """Turn what is due into requests, the most urgent steps first, and then as turns go."""
    ordered = instance.get_dynamic_partitions(CLIPS)
    groups: dict[tuple[str, int], dict[str, Due]] = {}
    found: list[tuple[Due, dg.RunRequest]] = []
    for each in due:
        if each.alone is not None:
            found.append((each, _alone(each, preset)))
        else:
            groups.setdefault((each.preset, each.priority), {})[each.checksum] = each
    for (name, priority), clips in groups.items():
        for batch in batches(ordered, clips.keys() & set(ordered), most=CLIPS_PER_RUN):
            first = min((clips[key] for key in batch.checksums), key=lambda each: each.turn)
            tags = {
                PRESET_TAG: name or preset.name,
                **priority_tag(priority),
                **batch_tags(batch, retries_passing=True, keeps_settings=True),
            }
            request = dg.RunRequest(asset_selection=selection_of(plans[name]), tags=tags)
            found.append((first, request))
    found.sort(key=lambda each: (each[0].priority, each[0].turn))
    return [request for _, request in found]


def _alone(due: Due, preset: PipelineConfiguration) -> dg.RunRequest:
    return dg.RunRequest(
        partition_key=due.checksum,
        asset_selection=[dg.AssetKey(str(due.alone))],
        tags={PRESET_TAG: due.preset or preset.name, **priority_tag(due.priority)},
    )
