"""What a clip asset does when a run reaches it: one clip or a batch, as a stream of outcomes.

Clips whose result is still valid are reused, those whose inputs are missing are left out, the rest
runs in the lane's workers. SupabaseIOManager consumes the stream, so that every clip is saved the
moment it is done.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, get_args

import dagster as dg

from video_assets import stopping
from video_assets.analyzer import Analyzer
from video_assets.clip_worker import Failed, Measured, Postponed, Task, perform
from video_assets.events import is_deferred
from video_assets.lanes import DEFAULT_PRIORITY, Crash
from video_assets.partitions import meant
from video_assets.settings import load_settings
from video_assets.storage import ai_calls, ledger, locations
from video_assets.storage.ai_calls import Billing, Caps, Payer
from video_assets.storage.artifact_store import ArtifactStore, open_store
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.fingerprints import digest, input_fingerprint
from video_assets.storage.postgres import Postgres

DEFAULT_TIMEOUT_S = 300  # of an asset that the preset does not name
RETRY_PASSING = "video-assets/retry-passing"  # run tag: try again what may have passed
PAYER_TAG = "video-assets/payer"  # run tag: the ingest or backfill to whose cap its calls count
CAP_TAG = "video-assets/cap"  # run tag: that cap, in dollars
KEEP_SETTINGS = "video-assets/keep-settings"  # run tag: a result by other settings is still valid


def payer_tags(payer: Payer) -> dict[str, str]:
    """Tag a run whose calls somebody pays for."""
    return {PAYER_TAG: payer.run_id, **({CAP_TAG: str(payer.cap)} if payer.cap is not None else {})}


@dataclass(frozen=True)
class Outcome:
    """What became of one clip in one asset."""

    checksum: str
    made: ledger.Made
    answer: Measured | Failed | Postponed | None  # None: the stored result is still valid


class ClipStream:
    """The outcomes of one step, computed while they are read.

    An object with `__iter__`, because Dagster takes a returned generator for op events.
    """

    def __init__(
        self,
        asset: Analyzer,
        context: dg.AssetExecutionContext,
        outcomes: Generator[Outcome | None, None, None],
    ) -> None:
        """Take a generator that does the work when it is advanced."""
        self.asset = asset
        self.context = context
        self._outcomes = outcomes

    def __iter__(self) -> Iterator[Outcome | None]:
        """Give each clip as it ends, and None while nothing does; clips left out do not appear."""
        return self._outcomes

    def close(self) -> None:
        """Give up the claims on the clips that are left, and end their workers."""
        self._outcomes.close()


def stream(
    asset: Analyzer, context: dg.AssetExecutionContext, inputs: dict[str, Any]
) -> ClipStream:
    """Take up the clips of a run; the work is done while the stream is read."""
    checksums = meant(context.partition_keys, context.run.tags)
    catalogue, preset = context.resources.catalogue, context.resources.preset
    step = preset.step(asset.name)
    settings = asset.settings(
        step.params if step else {}, where=f"preset {preset.name}, step {asset.name}"
    )
    fingerprint = asset.fingerprint(settings)
    made = {
        checksum: ledger.Made(asset.code_version, fingerprint, input_fingerprint(digests))
        for checksum in checksums
        if (digests := _digests(asset, checksum, inputs)) is not None
    }
    pays = _payer(context, asset) if asset.is_paid else None
    # Whoever asks for one clip by itself has a reason: its files are gone, or it is doubted.
    remakes = len(checksums) == 1 and not is_deferred(context.run)
    split = partial(
        _split,
        made,
        retried=_retried(context, len(checksums)),
        keeps_settings=KEEP_SETTINGS in context.run.tags,
        remakes=remakes,
    )

    lane, queues = step.queue if step else asset.lane, load_settings().queues

    def outcomes() -> Generator[Outcome | None, None, None]:
        _end_if_asked(context)
        if queues and lane not in queues:
            context.log.warning(f"lane {lane} is left to others; here it is {', '.join(queues)}")
            return
        _, due = split(ledger.entries(catalogue, asset.name, checksums))
        # Claims are kept while others have the lane's slots: nobody on this machine could begin
        # these clips sooner, and turns are short.
        with ledger.claims(catalogue, asset.name, due) as claimed:
            # Read again under the claims: another run may have just made what was missing.
            known = ledger.entries(catalogue, asset.name, checksums)
            reused, due = split(known)
            later = _inputs_under_way(asset, catalogue, due, inputs)
            free = set(claimed.checksums) - later
            mine = [checksum for checksum in due if checksum in free]
            yield from (Outcome(checksum, made[checksum], None) for checksum in reused)
            ledger.log_starting(catalogue, asset.name, mine, context.run.run_id)
            if asset.is_paid:
                ai_calls.lose(catalogue, asset.name, mine)
            store = open_store(load_settings(), catalogue)
            tasks: list[tuple[str, Task]] = []
            for checksum, source in _sources(asset, catalogue, mine).items():
                if isinstance(source, str):
                    lost = Failed("SourceMissing", source, "unreachable")
                    yield Outcome(checksum, made[checksum], lost)
                else:
                    task = _task(asset, context, checksum, source, inputs, settings, store)
                    if pays:
                        billing = replace(
                            pays(checksum),
                            made=digest(asdict(made[checksum])),
                            keeps=not remakes and _keeps(known.get(checksum), made[checksum]),
                        )
                        task = replace(task, billing=billing)
                    tasks.append((checksum, task))
            work = context.resources.lanes.run(
                lane,
                perform,
                tasks,
                timeout_s=step.timeout if step else DEFAULT_TIMEOUT_S,
                priority=step.priority if step else DEFAULT_PRIORITY,
            )
            with closing(work) as answers:  # an error that is kept would keep the lane's slots
                for answered in answers:
                    if answered is None:
                        yield None
                    else:
                        claimed.confirm()
                        checksum, answer = answered
                        if asset.is_paid and isinstance(answer, Crash):
                            ai_calls.lose(catalogue, asset.name, [checksum])
                        yield Outcome(checksum, made[checksum], _answer(answer))
            yield None  # whoever reads this tells of what is finished, before it may end here
            _end_if_asked(context)

    return ClipStream(asset, context, outcomes())


def _end_if_asked(context: dg.AssetExecutionContext) -> None:
    """End the run of a process that is to stop as cancelled: no step of it has failed."""
    if stopping.is_asked():
        context.instance.report_run_canceling(context.run, message="asked to stop")
        raise KeyboardInterrupt


def _inputs_under_way(
    asset: Analyzer, catalogue: Postgres, checksums: list[str], inputs: dict[str, Any]
) -> set[str]:
    """Find clips of which another process makes an optional input, or has just made it.

    They are left out: what is made without that input now would have to be made again.
    """
    later: set[str] = set()
    for name in set(asset.inputs) - set(asset.required):
        absent = [checksum for checksum in checksums if checksum not in inputs[name]]
        if absent:
            later |= ledger.in_hand(catalogue, [name], absent)
            later |= ledger.documents(catalogue, name, absent).keys()
    return later


def _sources(
    asset: Analyzer, catalogue: Postgres, checksums: list[str]
) -> Mapping[str, locations.Found | str | None]:
    """Find each clip's file, or say why it cannot be found; None where the asset reads none."""
    if not asset.takes_source:
        return dict.fromkeys(checksums)
    return locations.find_sources(catalogue, checksums)


def _retried(context: dg.AssetExecutionContext, clip_count: int) -> frozenset[str]:
    """Name the faults after which a clip is tried again; a batch passes over lasting ones."""
    if clip_count == 1 or not is_deferred(context.run):
        return frozenset(get_args(ledger.Fault))
    return ledger.PASSING_FAULTS if RETRY_PASSING in context.run.tags else frozenset()


def _digests(asset: Analyzer, checksum: str, inputs: dict[str, Any]) -> dict[str, str] | None:
    """Digest the inputs of one clip, or None when a required one is missing."""
    present = {
        name: documents[checksum].digest
        for name, documents in inputs.items()
        if checksum in documents
    }
    return None if any(name not in present for name in asset.required) else present


def _split(
    made: dict[str, ledger.Made],
    known: dict[str, ledger.Entry],
    *,
    retried: frozenset[str],
    keeps_settings: bool,
    remakes: bool,
) -> tuple[list[str], list[str]]:
    """Split clips into those whose result is still valid and those with work to do."""
    reused: list[str] = []
    due: list[str] = []
    for checksum, wanted in made.items():
        entry = known.get(checksum)
        if entry is not None and entry.status == "done" and keeps_settings:
            wanted = replace(wanted, settings_fingerprint=entry.made.settings_fingerprint)
        if entry is None or remakes or entry.made != wanted or entry.fault in retried:
            due.append(checksum)
        elif entry.status == "done":
            reused.append(checksum)
    return reused, due


def _keeps(entry: ledger.Entry | None, wanted: ledger.Made) -> bool:
    """Tell whether a result was made like the one that is wanted, but for what it was made from."""
    if entry is None or entry.status != "done":
        return False
    return entry.made == replace(wanted, input_fingerprint=entry.made.input_fingerprint)


def _task(
    asset: Analyzer,
    context: dg.AssetExecutionContext,
    checksum: str,
    source: locations.Found | None,
    inputs: dict[str, Any],
    settings: dict[str, Any],
    store: ArtifactStore | None,
) -> Task:
    return Task(
        module=asset.module,
        name=asset.name,
        checksum=checksum,
        source=source,
        inputs={
            name: documents[checksum].body
            for name, documents in inputs.items()
            if checksum in documents
        },
        settings=settings,
        artifacts=ArtifactFolder.of(context.resources.artifacts, checksum, asset.name).path,
        store=store,
    )


def _payer(context: dg.AssetExecutionContext, asset: Analyzer) -> Callable[[str], Billing]:
    """Say who pays for the calls about a clip, and how much they may be."""
    tags, settings = context.run.tags, load_settings()
    budget, cap = settings.budget, tags.get(CAP_TAG)
    caps = Caps(
        call=budget.call_usd,
        run=Decimal(cap) if cap else budget.run_usd,
        day=budget.day_usd,
        owner=budget.owner_month_usd,
    )
    payer = tags.get(PAYER_TAG, context.run.run_id)
    return lambda checksum: Billing(
        context.resources.catalogue, checksum, asset.name, payer, caps, settings.local_only
    )


def _answer(answer: Measured | Failed | Postponed | Crash) -> Measured | Failed | Postponed:
    if isinstance(answer, Crash):
        fault = "unreachable" if answer.is_killed else "ours" if answer.is_timeout else "file"
        return Failed(answer.error_class, answer.message, fault)
    return answer
