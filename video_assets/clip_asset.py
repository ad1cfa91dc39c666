"""`@clip_asset`: a function over ONE clip becomes an asset that takes one clip or a batch.

The asset takes the run's partition keys, leaves out clips whose result is still valid (reused) or
whose inputs are missing, runs the rest in the lane's workers and returns a stream of outcomes.
SupabaseIOManager consumes the stream, so that every clip is saved the moment it is done.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import dagster as dg
from pydantic import BaseModel

from video_assets.clip_worker import ClipFunction, Failed, Measured, Task, perform, register
from video_assets.events import is_deferred
from video_assets.lanes import Crash
from video_assets.partitions import clips
from video_assets.storage import ledger, locations
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.fingerprints import digest, input_fingerprint
from video_assets.storage.postgres import Postgres

# Backfill policies and sensors' owners; the pinned release has them, and users can do nothing.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

CLIPS_PER_RUN = 100  # measured: below this a run's fixed cost shows, above it nothing is gained
CHECKED_CLIPS_SHOWN = 20
DEFAULT_TIMEOUT_S = 300  # of an asset that the preset does not name
RETRY_PASSING = "video-assets/retry-passing"  # run tag: try again what may have passed
RESOURCES = frozenset({"catalogue", "artifacts", "lanes", "preset"})

Metadata = Callable[[Any, ArtifactFolder], Mapping[str, Any]]


@dataclass(frozen=True)
class ClipAsset:
    """What the rest of the pipeline needs to know of one analyzer."""

    name: str
    lane: str
    code_version: str
    function: ClipFunction
    metadata: Metadata

    @property
    def upstream(self) -> tuple[str, ...]:
        """Name the assets that this one reads, `checksum` too when it reads the file."""
        reads_file = self.function.takes_source and self.name != "checksum"
        return (*(("checksum",) if reads_file else ()), *self.function.upstream)

    @property
    def required(self) -> tuple[str, ...]:
        """Name the upstream assets without which this one cannot run."""
        optional = {name for name, up in self.function.upstream.items() if not up.is_required}
        return tuple(name for name in self.upstream if name not in optional)

    def settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Complete this asset's part of a preset with its defaults; an unknown name raises."""
        if self.function.settings is None:
            if params:
                raise ValueError(f"{self.name} has no settings, but the preset sets {list(params)}")
            return {}
        return self.function.settings.model_validate(dict(params)).model_dump(mode="json")


CLIP_ASSETS: dict[str, ClipAsset] = {}
"""Every analyzer that was imported, by name."""


@dataclass(frozen=True)
class Outcome:
    """What became of one clip in one asset."""

    checksum: str
    made: ledger.Made
    answer: Measured | Failed | None  # None: the stored result is still valid


class ClipStream:
    """The outcomes of one step, computed while they are read.

    An object with `__iter__`, because Dagster takes a returned generator for op events.
    """

    def __init__(
        self,
        asset: ClipAsset,
        context: dg.AssetExecutionContext,
        outcomes: Iterator[Outcome | None],
    ) -> None:
        """Take an iterator that does the work when it is advanced."""
        self.asset = asset
        self.context = context
        self._outcomes = outcomes

    def __iter__(self) -> Iterator[Outcome | None]:
        """Give each clip as it ends, and None while nothing does; clips left out do not appear."""
        return self._outcomes


def clip_asset(
    *, lane: str, code_version: str, metadata: Metadata | None = None
) -> Callable[[Callable[..., BaseModel]], dg.AssetsDefinition]:
    """Make an analyzer of one clip a partitioned asset.

    lane          queue of the preset's worker_config in which it runs
    code_version  raise it whenever the same clip would give another result
    metadata      what the Dagster UI shows of a result; by default its numbers and words
    """

    def decorate(function: Callable[..., BaseModel]) -> dg.AssetsDefinition:
        clip_function = ClipFunction.of(function)
        register(clip_function)
        asset = ClipAsset(
            clip_function.name, lane, code_version, clip_function, metadata or plain_facts
        )
        CLIP_ASSETS[asset.name] = asset

        @dg.asset(
            name=asset.name,
            description=function.__doc__,
            ins={name: dg.AssetIn(name) for name in asset.upstream},
            partitions_def=clips,
            backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=CLIPS_PER_RUN),
            code_version=code_version,
            group_name=clip_function.module.split(".")[-2],
            pool=lane,
            kinds={"python", "postgres"},
            io_manager_key="io_manager",
            required_resource_keys=set(RESOURCES),
            metadata={"result": clip_function.result.__name__, "lane": lane},
        )
        def materialize(context: dg.AssetExecutionContext, **inputs: Any) -> ClipStream:
            return _stream(asset, context, inputs)

        return materialize

    return decorate


def clip_check(
    asset: dg.AssetsDefinition,
) -> Callable[[Callable[[Any], str | None]], dg.AssetChecksDefinition]:
    """Make a question about one result an asset check over the whole catalogue.

    The question is asked where the result is made, and its answer is kept with it; the check reads
    the answers. It gives None when all is well, else one sentence that says what was found.
    """
    name = asset.key.to_user_string()

    def decorate(question: Callable[[Any], str | None]) -> dg.AssetChecksDefinition:
        check_name = question.__name__
        CLIP_ASSETS[name].function.checks[check_name] = question

        @dg.asset_check(
            asset=asset,
            name=check_name,
            description=question.__doc__,
            required_resource_keys={"catalogue"},
        )
        def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
            found = ledger.problems(
                context.resources.catalogue, name, check_name, at_most=CHECKED_CLIPS_SHOWN
            )
            return dg.AssetCheckResult(
                passed=not found.total,
                severity=dg.AssetCheckSeverity.WARN,
                description=f"{found.total} of {found.checked} clips have this problem",
                metadata={
                    "clips_checked": found.checked,
                    "clips_with_problem": found.total,
                    "first": dg.MetadataValue.json(found.first),
                },
            )

        return check

    return decorate


def plain_facts(result: Any, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Show the numbers and words of a result."""
    document = result.model_dump(mode="json")
    return {
        name: value
        for name, value in document.items()
        if isinstance(value, int | float | str) and value != ""
    }


def planned(asset: ClipAsset, position: int, params: Mapping[str, Any]) -> ledger.PlannedAsset:
    """Say what a result of this asset must be made with to count as current."""
    return ledger.PlannedAsset(
        asset=asset.name,
        position=position,
        code_version=asset.code_version,
        settings_fingerprint=digest(asset.settings(params)),
        required=asset.required,
        upstream=asset.upstream,
    )


def _stream(
    asset: ClipAsset, context: dg.AssetExecutionContext, inputs: dict[str, Any]
) -> ClipStream:
    checksums = list(context.partition_keys)
    catalogue, step = context.resources.catalogue, context.resources.preset.step(asset.name)
    settings = asset.settings(step.params if step else {})
    made = {
        checksum: ledger.Made(asset.code_version, digest(settings), input_fingerprint(digests))
        for checksum in checksums
        if (digests := _digests(asset, checksum, inputs)) is not None
    }
    retried = _retried(context, len(checksums))

    def outcomes() -> Iterator[Outcome | None]:
        _, due = _split(made, ledger.entries(catalogue, asset.name, checksums), retried=retried)
        with ledger.claims(catalogue, asset.name, due) as claimed:
            # Read again under the claims: another run may have just made what was missing.
            reused, due = _split(
                made, ledger.entries(catalogue, asset.name, checksums), retried=retried
            )
            mine = [checksum for checksum in due if checksum in claimed]
            yield from (Outcome(checksum, made[checksum], None) for checksum in reused)
            ledger.log_starting(catalogue, asset.name, mine)
            tasks: list[tuple[str, Task]] = []
            for checksum, source in _sources(asset, catalogue, mine).items():
                if isinstance(source, str):
                    lost = Failed("SourceMissing", source, "unreachable")
                    yield Outcome(checksum, made[checksum], lost)
                else:
                    task = _task(asset, context, checksum, source, inputs, settings)
                    tasks.append((checksum, task))
            answers = context.resources.lanes.run(
                step.queue if step else asset.lane,
                perform,
                tasks,
                timeout_s=step.timeout if step else DEFAULT_TIMEOUT_S,
            )
            for answered in answers:
                if answered is None:
                    yield None
                else:
                    checksum, answer = answered
                    yield Outcome(checksum, made[checksum], _answer(answer))

    return ClipStream(asset, context, outcomes())


def _sources(
    asset: ClipAsset, catalogue: Postgres, checksums: list[str]
) -> Mapping[str, Path | str | None]:
    """Find each clip's file, or say why it cannot be found; None where the asset reads none."""
    if not asset.function.takes_source:
        return dict.fromkeys(checksums)
    return locations.find_sources(catalogue, checksums)


def _retried(context: dg.AssetExecutionContext, clip_count: int) -> frozenset[str]:
    """Name the faults after which a clip is tried again; a batch passes over lasting ones."""
    if clip_count == 1 or not is_deferred(context.run):
        return frozenset(get_args(ledger.Fault))
    return ledger.PASSING_FAULTS if RETRY_PASSING in context.run.tags else frozenset()


def _digests(asset: ClipAsset, checksum: str, inputs: dict[str, Any]) -> dict[str, str] | None:
    """Digest the inputs of one clip, or None when a required one is missing."""
    present = {
        name: documents[checksum].digest
        for name, documents in inputs.items()
        if checksum in documents
    }
    return None if any(name not in present for name in asset.required) else present


def _split(
    made: dict[str, ledger.Made], known: dict[str, ledger.Entry], *, retried: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Split clips into those whose result is still valid and those with work to do."""
    reused: list[str] = []
    due: list[str] = []
    for checksum, wanted in made.items():
        entry = known.get(checksum)
        if entry is None or entry.made != wanted or entry.fault in retried:
            due.append(checksum)
        elif entry.status == "done":
            reused.append(checksum)
    return reused, due


def _task(
    asset: ClipAsset,
    context: dg.AssetExecutionContext,
    checksum: str,
    source: Path | None,
    inputs: dict[str, Any],
    settings: dict[str, Any],
) -> Task:
    return Task(
        module=asset.function.module,
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
    )


def _answer(answer: Measured | Failed | Crash) -> Measured | Failed:
    if isinstance(answer, Crash):
        fault = "ours" if answer.is_timeout or answer.is_killed else "file"
        return Failed(answer.error_class, answer.message, fault)
    return answer
