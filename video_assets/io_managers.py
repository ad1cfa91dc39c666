"""SupabaseIOManager: where an asset's results go and come from.

Results are documents in the ledger, one row per clip and asset, committed one by one while the step
runs. Dagster is told of them in small groups: an event still shows within half a second.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg

from video_assets.analyzer import ANALYZERS, Analyzer
from video_assets.clip_stream import ClipStream, Outcome
from video_assets.clip_worker import Failed, Measured, Postponed
from video_assets.events import (
    clip_name,
    describe,
    is_deferred,
    materialization,
    take_over,
    tell_in_step,
)
from video_assets.partitions import meant
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger, locations, postponed
from video_assets.storage.artifact_store import ArtifactStore
from video_assets.storage.postgres import Postgres
from video_assets.storage.refusals import RefusedError

GROUP_S = 0.5
FAILURES_NAMED = 20


class SupabaseIOManager(dg.IOManager):
    """Persists the results of clip assets in Postgres, and loads them for many clips at once."""

    def __init__(
        self, catalogue: Postgres, artifacts: Path, store: ArtifactStore | None = None
    ) -> None:
        """Take the catalogue, the artifact folder, and the object store behind it."""
        self._catalogue, self._store = catalogue, store
        self._artifacts = artifacts
        self._said: dict[str, set[str]] = {}  # by run: why clips were left for later
        self._lacking: dict[str, list[str]] = {}  # by run: what its assets could not make

    def load_input(self, context: dg.InputContext) -> dict[str, ledger.Document]:
        """Load one upstream asset's results for every clip of the run that has one."""
        asset = context.asset_key.to_user_string()
        return ledger.documents(self._catalogue, asset, _asked(context))

    def handle_output(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, context: dg.OutputContext, obj: ClipStream
    ) -> Iterator[dg.DagsterEvent]:
        """Commit each clip as it ends and tell Dagster of it.

        A failed clip is left without a materialization, and the assets downstream go on with the
        others. A run that Dagster planned clip by clip, as its UI starts them, fails in its last
        asset when a clip lacks a result by then, so that exactly those clips show as failed.
        """
        asked = _asked(context)
        is_planned = not is_deferred(context.step_context.dagster_run)
        take_over(context.step_context.dagster_run)
        names = locations.known_as(self._catalogue, LOCAL_OWNER, asked)
        told = _Told(context, obj.asset, self._catalogue, names)
        left, failed, reused = set(asked), dict[str, str](), list[Outcome]()
        with closing(obj):  # else a failed step holds its claims for as long as this process lives
            for outcome in obj:
                if outcome is None:
                    yield from told.flush()
                    continue
                answer = outcome.answer
                if isinstance(answer, Postponed):
                    self._postpone(context, obj, outcome.checksum, answer)
                    continue
                left.discard(outcome.checksum)
                if isinstance(answer, Measured):
                    answer = self._save_done(context, obj, outcome, answer, told)
                if isinstance(answer, Failed):
                    error = self._save_failed(context, obj, outcome, answer)
                    failed[outcome.checksum] = f"{clip_name(names, outcome.checksum)}: {error}"
                    context.log.warning(failed[outcome.checksum])
                elif answer is None:
                    reused.append(outcome)
                if told.is_due:
                    yield from told.flush()
        if is_planned:
            self._add_reused(told, obj, reused)
        yield from told.flush()
        if self._store is not None:
            self._store.cache.trim_if_due()
        summary = _summary(obj.asset.name, asked, failed, left)
        context.log.info(summary)
        lacking = self._lacking.setdefault(context.run_id, [])
        if failed or left:
            lacking.append(summary)
        is_over = len(asked) == 1 or not _is_read_later(context, obj)
        if is_planned and is_over and lacking:
            raise dg.Failure(
                "; ".join(lacking),
                metadata={"failed": dg.MetadataValue.json(_first(failed))},
                allow_retries=False,
            )

    def _add_reused(self, told: "_Told", obj: ClipStream, reused: list[Outcome]) -> None:
        """Tell of results that were still valid: whoever asked for them waits for an answer."""
        keys = [outcome.checksum for outcome in reused]
        stored = ledger.documents(self._catalogue, obj.asset.name, keys)
        for outcome in reused:
            if found := stored.get(outcome.checksum):
                shown = describe(obj.asset, self._artifacts, outcome.checksum, found.body)
                told.add(outcome, found.digest, {**shown, "reused": True})

    def _save_done(
        self,
        context: dg.OutputContext,
        obj: ClipStream,
        outcome: Outcome,
        answer: Measured,
        told: "_Told",
    ) -> Measured | Failed:
        try:
            result_digest = ledger.save_done(
                self._catalogue,
                asset=obj.asset.name,
                checksum=outcome.checksum,
                made=outcome.made,
                document=answer.document,
                problems=answer.problems,
                seconds=answer.seconds,
                cpu_seconds=answer.cpu_seconds,
                run_id=context.run_id,
                files=answer.files,
            )
        except RefusedError as refused:
            return Failed(type(refused).__name__, str(refused), "ours", answer.seconds)
        shown = {
            **describe(obj.asset, self._artifacts, outcome.checksum, answer.document),
            "seconds": round(answer.seconds, 3),
            "cpu_seconds": round(answer.cpu_seconds, 3),
            "problems": len(answer.problems),
        }
        told.add(outcome, result_digest, shown)
        return answer

    def _postpone(
        self, context: dg.OutputContext, obj: ClipStream, checksum: str, answer: Postponed
    ) -> None:
        """Leave a clip for later, and say why once for all that it holds for."""
        asset, said = obj.asset.name, self._said.setdefault(context.run_id, set())
        postponed.postpone(self._catalogue, asset, checksum, answer.reason, answer.until)
        if answer.reason not in said:
            said.add(answer.reason)
            context.log.warning(f"{asset} leaves clips for later: {answer.reason}")

    def _save_failed(
        self, context: dg.OutputContext, obj: ClipStream, outcome: Outcome, answer: Failed
    ) -> str:
        ledger.save_failed(
            self._catalogue,
            asset=obj.asset.name,
            checksum=outcome.checksum,
            made=outcome.made,
            error_class=answer.error_class,
            error=answer.message,
            fault=answer.fault,
            seconds=answer.seconds,
            run_id=context.run_id,
        )
        return f"{answer.message} ({answer.error_class})"


class _Told:
    """Results that Dagster is still to be told of, in one group."""

    def __init__(
        self,
        context: dg.OutputContext,
        asset: Analyzer,
        catalogue: Postgres,
        names: Mapping[str, str],
    ) -> None:
        self._context = context
        self._asset = asset.name
        self._catalogue = catalogue
        self._names = names
        self._waiting: list[dg.AssetMaterialization] = []
        self._flushed_at = float("-inf")

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._flushed_at >= GROUP_S

    def add(self, outcome: Outcome, result_digest: str, metadata: Mapping[str, Any]) -> None:
        self._waiting.append(
            materialization(
                self._asset,
                outcome.checksum,
                made=outcome.made,
                result_digest=result_digest,
                metadata={"clip": clip_name(self._names, outcome.checksum), **metadata},
            )
        )

    def flush(self) -> Iterator[dg.DagsterEvent]:
        """Tell Dagster of the group."""
        yield from tell_in_step(self._context, self._waiting)
        if self._waiting:
            checksums = [event.partition for event in self._waiting if event.partition]
            ledger.mark_reported(self._catalogue, self._asset, checksums)
            self._waiting.clear()
        self._flushed_at = time.monotonic()


def _asked(context: dg.InputContext | dg.OutputContext) -> list[str]:
    """Name the clips that the run is meant for."""
    return meant(context.asset_partition_keys, context.step_context.dagster_run.tags)


def _is_read_later(context: dg.OutputContext, obj: ClipStream) -> bool:
    """Tell whether another asset of the same run reads this one."""
    selected = context.step_context.job_def.asset_layer.selected_asset_keys
    others = (ANALYZERS.get(key.to_user_string()) for key in selected)
    return any(obj.asset.name in other.upstream for other in others if other)


def _summary(name: str, asked: list[str], failed: dict[str, str], left: set[str]) -> str:
    if len(asked) == 1 and failed:
        return f"{name} of {next(iter(failed.values()))}"
    done = len(asked) - len(failed) - len(left)
    text = f"{name}: {done} of {len(asked)} clips have a result"
    if failed:
        text += f", {len(failed)} failed ({'; '.join(_first(failed).values())})"
    if left:
        text += (
            f", {len(left)} left out: what they need is missing, another run has them in hand, or "
            "they are left for later"
        )
    return text


def _first(failed: dict[str, str]) -> dict[str, str]:
    return {key[:12]: failed[key] for key in sorted(failed)[:FAILURES_NAMED]}
