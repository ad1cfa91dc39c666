"""SupabaseIOManager: where an asset's results go and come from.

Results are documents in the ledger, one row per clip and asset, committed one by one while the step
runs. Dagster is told of them in small groups: an event still shows within half a second.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from video_assets.clip_stream import ClipStream, Outcome
from video_assets.clip_worker import Failed, Measured
from video_assets.events import is_deferred, materialization, tell_in_step
from video_assets.storage import ledger
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres

GROUP_S = 0.5
FAILURES_NAMED = 20


class SupabaseIOManager(dg.IOManager):
    """Persists the results of clip assets in Postgres, and loads them for many clips at once."""

    def __init__(self, catalogue: Postgres, artifacts: Path) -> None:
        """Take the catalogue and the root of the artifact store."""
        self._catalogue = catalogue
        self._artifacts = artifacts

    def load_input(self, context: dg.InputContext) -> dict[str, ledger.Document]:
        """Load one upstream asset's results for every clip of the run that has one."""
        asset = context.asset_key.to_user_string()
        return ledger.documents(self._catalogue, asset, list(context.asset_partition_keys))

    def handle_output(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, context: dg.OutputContext, obj: ClipStream
    ) -> Iterator[dg.DagsterEvent]:
        """Commit each clip as it ends and tell Dagster of it.

        In a batch with deferred events a failed clip is left without a materialization, and the
        assets downstream go on with the others. Everywhere else Dagster takes a step that returns
        for a success of all its clips, so the good ones are told and then the step fails.
        """
        asked = list(context.asset_partition_keys)
        deferred = is_deferred(context.step_context.dagster_run)
        told = _Told(context, obj, self._catalogue)
        left, failed = set(asked), dict[str, str]()
        for outcome in obj:
            if outcome is None:
                if deferred:
                    yield from told.flush()
                continue
            left.discard(outcome.checksum)
            if isinstance(outcome.answer, Failed):
                failed[outcome.checksum] = self._save_failed(context, obj, outcome, outcome.answer)
                continue
            if isinstance(outcome.answer, Measured):
                told.add(outcome, *self._save_done(context, obj, outcome, outcome.answer))
            if deferred and told.is_due:
                yield from told.flush()
        context.log.info(_summary(obj.asset.name, asked, failed, left))
        if deferred:
            yield from told.flush()
        elif failed or left:
            yield from told.flush()
            raise dg.Failure(
                _summary(obj.asset.name, asked, failed, left),
                metadata={"failed": dg.MetadataValue.json(_first(failed))},
                allow_retries=False,
            )
        else:
            told.leave_to_dagster()

    def _save_done(
        self, context: dg.OutputContext, obj: ClipStream, outcome: Outcome, answer: Measured
    ) -> tuple[str, dict[str, Any]]:
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
        )
        metadata = describe(obj, self._artifacts, outcome.checksum, answer.document)
        return result_digest, {
            **metadata,
            "seconds": round(answer.seconds, 3),
            "cpu_seconds": round(answer.cpu_seconds, 3),
            "problems": len(answer.problems),
        }

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
        text = f"{answer.error_class}: {answer.message}"
        context.log.warning(f"clip {outcome.checksum[:12]}: {text}")
        return text


def describe(
    obj: ClipStream, artifacts: Path, checksum: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    """Build what the Dagster UI shows of one result."""
    asset = obj.asset
    result = asset.result.model_validate(document)
    return dict(asset.metadata(result, ArtifactFolder.of(artifacts, checksum, asset.name)))


class _Told:
    """Results that Dagster is still to be told of, in one group."""

    def __init__(self, context: dg.OutputContext, obj: ClipStream, catalogue: Postgres) -> None:
        self._context = context
        self._obj = obj
        self._catalogue = catalogue
        self._waiting: list[tuple[Outcome, str, dict[str, Any]]] = []
        self._flushed_at = float("-inf")

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._flushed_at >= GROUP_S

    def add(self, outcome: Outcome, result_digest: str, metadata: dict[str, Any]) -> None:
        self._waiting.append((outcome, result_digest, metadata))

    def flush(self) -> Iterator[dg.DagsterEvent]:
        """Tell Dagster of the group."""
        yield from tell_in_step(
            self._context,
            [
                materialization(
                    self._obj.asset.name,
                    outcome.checksum,
                    code_version=outcome.made.code_version,
                    result_digest=result_digest,
                    metadata=metadata,
                )
                for outcome, result_digest, metadata in self._waiting
            ],
        )
        self._mark_reported()

    def leave_to_dagster(self) -> None:
        """Dagster tells of every clip itself when the step returns; give it what to show."""
        for outcome, _, metadata in self._waiting:
            self._obj.context.add_asset_metadata(metadata, partition_key=outcome.checksum)
        self._mark_reported()

    def _mark_reported(self) -> None:
        if self._waiting:
            checksums = [outcome.checksum for outcome, _, _ in self._waiting]
            ledger.mark_reported(self._catalogue, self._obj.asset.name, checksums)
            self._waiting.clear()
        self._flushed_at = time.monotonic()


def _summary(name: str, asked: list[str], failed: dict[str, str], left: set[str]) -> str:
    done = len(asked) - len(failed) - len(left)
    text = f"{name}: {done} of {len(asked)} clips have a result"
    if failed:
        text += f", {len(failed)} failed ({'; '.join(_first(failed).values())})"
    if left:
        text += (
            f", {len(left)} left out: what they need is missing, or another run has them in hand"
        )
    return text


def _first(failed: dict[str, str]) -> dict[str, str]:
    return {key[:12]: failed[key] for key in sorted(failed)[:FAILURES_NAMED]}
