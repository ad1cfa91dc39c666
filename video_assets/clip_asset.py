"""`@clip_asset`: a function over ONE clip becomes a partitioned asset of Dagster."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import BaseModel

from video_assets.analyzer import ANALYZERS, Analyzer, Metadata, Quoter
from video_assets.clip_stream import ClipStream, stream
from video_assets.partitions import clips
from video_assets.services.outgoing import Sender
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres
from video_assets.storage.problems import problems

# Backfill policies and sensors' owners; the pinned release has them, and users can do nothing.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

CLIPS_PER_RUN = 100  # measured: below this a run's fixed cost shows, above it nothing is gained
CHECKED_CLIPS_SHOWN = 20
RESOURCES = frozenset({"catalogue", "artifacts", "lanes", "preset"})


def clip_asset(
    *,
    lane: str,
    code_version: str,
    metadata: Metadata | None = None,
    quote: Quoter | None = None,
    sends: Sender | None = None,
) -> Callable[[Callable[..., BaseModel]], dg.AssetsDefinition]:
    """Make an analyzer of one clip a partitioned asset.

    lane          queue of the preset's worker_config in which it runs
    code_version  raise it whenever the same clip would give another result
    metadata      what the Dagster UI shows of a result; by default its numbers and words
    quote         what a clip is likely to cost, of an analyzer that takes `billing`
    sends         what it gives to a service by its settings, of an analyzer that takes `billing`
    """

    def decorate(function: Callable[..., BaseModel]) -> dg.AssetsDefinition:
        asset = Analyzer.of(
            function,
            lane=lane,
            code_version=code_version,
            metadata=metadata or plain_facts,
            quote=quote,
            sends=sends,
        )
        ANALYZERS[asset.name] = asset

        @dg.asset(
            name=asset.name,
            description=inspect.getdoc(function),
            ins={name: dg.AssetIn(name) for name in asset.upstream},
            partitions_def=clips,
            backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=CLIPS_PER_RUN),
            code_version=code_version,
            group_name=asset.group,
            pool=lane,
            kinds={"python", "postgres"},
            io_manager_key="io_manager",
            required_resource_keys=set(RESOURCES),
            metadata={"result": asset.result.__name__, "lane": lane},
        )
        def materialize(context: dg.AssetExecutionContext, **inputs: Any) -> ClipStream:
            return stream(asset, context, inputs)

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
        ANALYZERS[name].checks[check_name] = question

        @dg.asset_check(
            asset=asset,
            name=check_name,
            description=inspect.getdoc(question),
            required_resource_keys={"catalogue"},
        )
        def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
            return answer_check(context.resources.catalogue, name, check_name)

        return check

    return decorate


def answer_check(catalogue: Postgres, asset: str, check_name: str) -> dg.AssetCheckResult:
    """Gather the answers that were kept with the results of one asset."""
    found = problems(catalogue, asset, check_name, at_most=CHECKED_CLIPS_SHOWN)
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


def plain_facts(result: Any, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Show the numbers and words of a result."""
    document = result.model_dump(mode="json")
    return {
        name: value
        for name, value in document.items()
        if isinstance(value, int | float | str) and value != ""
    }
