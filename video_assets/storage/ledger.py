"""The ledger: one row per clip and asset, from which every other table of results follows."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import aiosql
import psycopg
from psycopg.types.json import Jsonb

from video_assets.storage import artifact_digests, history, projection
from video_assets.storage.artifact_digests import MadeFile
from video_assets.storage.fingerprints import digest
from video_assets.storage.postgres import Postgres, confirm_alive
from video_assets.storage.refusals import refusing

Fault = Literal["file", "ours", "network", "refused", "unreachable"]
State = Literal["done", "failed", "missing", "waiting", "stale"]

# The clip can be made once what it needs is there again: its file, room on the disk, a service.
PASSING_FAULTS: frozenset[Fault] = frozenset({"network", "unreachable"})

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Made:
    """What a result is made with; when all of it still holds, the result is reused."""

    code_version: str
    settings_fingerprint: str
    input_fingerprint: str


@dataclass(frozen=True)
class Entry:
    """What the ledger says of one cell, without the document."""

    status: Literal["done", "failed"]
    made: Made
    attempts: int
    fault: Fault | None


@dataclass(frozen=True)
class Document:
    """A result as it was stored, and its digest."""

    digest: str
    body: dict[str, Any]


@dataclass(frozen=True)
class PlannedAsset:
    """One asset of a plan: what its results must be made with to count as current.

    settings_fingerprint  empty when a result by any settings will do
    upstream              in alphabetical order, as an input fingerprint names them
    retry                 attempts after the first when the fault is a passing one
    priority              lower is requested first
    is_paid               it may ask services that cost money
    """

    asset: str
    position: int
    code_version: str
    settings_fingerprint: str
    required: tuple[str, ...]
    upstream: tuple[str, ...]
    retry: int = 3
    priority: int = 50
    is_paid: bool = False


@dataclass(frozen=True)
class Cell:
    """One clip by one asset.

    is_running  whether a living process makes it now
    reasons     why it is stale
    waits_for   the assets that it cannot do without and that have no result
    postponed   why it was taken up and left for later
    wait_s      until it is taken up again by itself; None: not before somebody asks for it
    """

    checksum: str
    asset: str
    state: State
    attempts: int
    fault: Fault | None
    error_class: str | None
    error: str | None
    age_s: float
    is_running: bool = False
    reasons: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    postponed: str | None = None
    wait_s: float | None = None


def entries(catalogue: Postgres, asset: str, checksums: Sequence[str]) -> dict[str, Entry]:
    """Read what is known of one asset for many clips, in one query."""
    with catalogue.transaction() as connection:
        rows = queries.entries(connection, asset=asset, checksums=list(checksums))
        return {
            row["file_checksum"]: Entry(
                row["status"],
                Made(row["code_version"], row["settings_fingerprint"], row["input_fingerprint"]),
                row["attempts"],
                row["fault"],
            )
            for row in rows
        }


def documents(catalogue: Postgres, asset: str, checksums: Sequence[str]) -> dict[str, Document]:
    """Read the results of one asset for many clips, in one query; only those that exist."""
    with catalogue.transaction() as connection:
        rows = queries.documents(connection, asset=asset, checksums=list(checksums))
        return {row["file_checksum"]: Document(row["result_digest"], row["result"]) for row in rows}


def save_done(
    catalogue: Postgres,
    *,
    asset: str,
    checksum: str,
    made: Made,
    document: dict[str, Any],
    problems: dict[str, str],
    seconds: float,
    cpu_seconds: float,
    run_id: str,
    files: Sequence[MadeFile] = (),
) -> str:
    """Commit one result with everything that follows from it, and give its digest.

    files  what it names, if that was put into an object store

    Raises RefusedError for a result that is none, and nothing of it is saved.
    """
    result_digest = digest(document)
    with refusing(), catalogue.transaction() as connection, connection.pipeline():
        queries.save_done(
            connection,
            checksum=checksum,
            asset=asset,
            **asdict(made),
            result=Jsonb(document),
            result_digest=result_digest,
            problems=Jsonb(problems),
            seconds=seconds,
            cpu_seconds=cpu_seconds,
            run_id=run_id,
        )
        queries.close_calls(connection, checksum=checksum, asset=asset)
        artifact_digests.replace(connection, checksum, asset, files)
        projection.project(connection, asset, checksum)
        completed = history.Event(
            asset,
            "completed",
            run_id,
            facts={
                "seconds": round(seconds, 3),
                "cpu_seconds": round(cpu_seconds, 3),
                "made_with": digest(asdict(made)),
            },
        )
        history.note(connection, completed, [checksum])
    history.tell(completed, [checksum])
    return result_digest


def save_failed(
    catalogue: Postgres,
    *,
    asset: str,
    checksum: str,
    made: Made,
    error_class: str,
    error: str,
    fault: str,
    seconds: float,
    run_id: str,
) -> None:
    """Commit that one clip failed in one asset, and why."""
    with catalogue.transaction() as connection, connection.pipeline():
        queries.save_failed(
            connection,
            checksum=checksum,
            asset=asset,
            **asdict(made),
            error_class=error_class,
            error=error,
            fault=fault,
            seconds=seconds,
            run_id=run_id,
        )
        if fault == "refused":
            queries.forget_answers(connection, checksum=checksum, asset=asset)
        projection.project_progress(connection, [checksum])
        # What only this clip's content is to blame for failed; anything else went wrong on the way.
        failed = history.Event(
            asset,
            "failed" if fault == "file" else "error",
            run_id,
            error=error,
            facts={"seconds": round(seconds, 3), "fault": fault, "error_class": error_class},
        )
        history.note(connection, failed, [checksum])
    history.tell(failed, [checksum])


def plan_clips(
    catalogue: Postgres, owner: UUID, checksums: Sequence[str], preset: str, steps: Sequence[str]
) -> None:
    """Note by which preset an owner's clips go, which steps it wants, and how many are done."""
    wanted = {"checksums": list(checksums), "preset": preset, "steps": list(steps)}
    with catalogue.transaction() as connection:
        if queries.plan_clips(connection, owner=owner, **wanted):
            projection.project_progress(connection, list(checksums), owner)


def log_starting(
    catalogue: Postgres, asset: str, checksums: Sequence[str], run_id: str | None = None
) -> None:
    """Note that a run took up these clips for one asset."""
    starting = history.Event(asset, "starting", run_id)
    with catalogue.transaction() as connection:
        history.note(connection, starting, checksums)
    history.tell(starting, checksums)


def mark_reported(catalogue: Postgres, asset: str, checksums: Sequence[str]) -> None:
    """Note that Dagster knows of these results."""
    with catalogue.transaction() as connection:
        queries.mark_reported(connection, asset=asset, checksums=list(checksums))


def unreported(catalogue: Postgres, *, older_than_s: float = 0) -> list[dict[str, Any]]:
    """List results that Dagster was not told of, oldest first, at most 5,000 at a time.

    older_than_s  leaves out what a living run is about to report; registrations are always listed
    """
    with catalogue.transaction() as connection:
        return list(queries.unreported(connection, older_than_s=older_than_s))


@dataclass(frozen=True)
class Claims:
    """The clips that this process may work on, because nobody else held them."""

    checksums: list[str]
    _session: psycopg.Connection[Any] | None = None

    def confirm(self) -> None:
        """Raise psycopg.OperationalError if the database ended them: others may hold them now."""
        if self._session is not None:
            confirm_alive(self._session)


@contextmanager
def claims(catalogue: Postgres, asset: str, checksums: Sequence[str]) -> Iterator[Claims]:
    """Claim cells for this process, so that two runs never work on the same one at once.

    A claim is a lock of a session of its own: it ends with the block, with the process however that
    ends, and with the database.
    """
    if not checksums:
        yield Claims([])
        return
    with catalogue.session() as session:
        rows = queries.claim(session, asset=asset, checksums=list(checksums))
        yield Claims([row["file_checksum"] for row in rows], session)


def forget_reported(catalogue: Postgres, told: Sequence[str]) -> int:
    """Note that Dagster knows only of these clips, and give the number of results it lacks."""
    with catalogue.transaction() as connection:
        return queries.forget_reported(connection, told=list(told))


def latest_reported(catalogue: Postgres) -> str | None:
    """Find the clip that was registered last of those that Dagster was told of."""
    with catalogue.transaction() as connection:
        return queries.latest_reported(connection)


def measured_lately(catalogue: Postgres, assets: Sequence[str], *, within_s: float) -> set[str]:
    """Find the assets that have results younger than some seconds."""
    with catalogue.transaction() as connection:
        rows = queries.measured_lately(connection, assets=list(assets), within_s=within_s)
        return {row["asset"] for row in rows}


def in_hand(catalogue: Postgres, assets: Sequence[str], checksums: Sequence[str]) -> set[str]:
    """Find the clips of which anybody makes one of these assets now."""
    with catalogue.transaction() as connection:
        rows = queries.in_hand(connection, assets=list(assets), checksums=list(checksums))
        return {row["file_checksum"] for row in rows}


def cells(
    catalogue: Postgres,
    plan: Iterable[PlannedAsset],
    checksums: Sequence[str] | None = None,
    *,
    states: Sequence[State] | None = None,
) -> list[Cell]:
    """Work out the state of every cell of a plan, for some clips and states or for all."""
    planned = {asset.asset: asset for asset in plan}
    with catalogue.transaction() as connection:
        rows = queries.cells(connection, **asked(planned.values(), checksums, states))
        return [cell_of(row, planned[row["asset"]]) for row in rows]


def asked(
    plan: Iterable[PlannedAsset], checksums: Sequence[str] | None, states: Sequence[State] | None
) -> dict[str, Any]:
    """Write which cells are asked for as the query takes it."""
    return {
        "plan": Jsonb([asdict(asset) for asset in plan]),
        "checksums": None if checksums is None else list(checksums),
        "states": None if states is None else list(states),
    }


def cell_of(row: dict[str, Any], planned: PlannedAsset) -> Cell:
    """Make a cell of a row, with the reasons why it is stale."""
    return Cell(
        checksum=row["file_checksum"],
        asset=row["asset"],
        state=row["state"],
        attempts=row["attempts"] or 0,
        fault=row["fault"],
        error_class=row["error_class"],
        error=row["error"],
        age_s=row["age_s"] or 0.0,
        is_running=row["is_running"],
        reasons=tuple(_reasons(row, planned)) if row["state"] == "stale" else (),
        waits_for=tuple(row["waits_for"] or ()),
        postponed=row["postponed"],
        wait_s=row["wait_s"],
    )


def _reasons(row: dict[str, Any], planned: PlannedAsset) -> Iterator[str]:
    """Say what a stale result was made with that does not hold any more."""
    if row["made_code"] != planned.code_version:
        yield f"code {row['made_code']} -> {planned.code_version}"
    if row["is_set_otherwise"]:
        yield "settings changed"
    made, there = _by_asset(row["made_inputs"]), _by_asset(row["inputs"])
    for asset in sorted(made | there):
        if asset not in made:
            yield f"input {asset} is there now"
        elif asset not in there:
            yield f"input {asset} is gone"
        elif made[asset] != there[asset]:
            yield f"input {asset} changed"


def _by_asset(inputs: str | None) -> dict[str, str]:
    """Part an input fingerprint: upstream asset to digest."""
    return dict(part.split(":", 1) for part in (inputs or "").split(",") if part)


def forgive(catalogue: Postgres, failed: Sequence[Cell]) -> None:
    """Forget these failures, so that their cells are made as if nobody had tried yet."""
    checksums = [cell.checksum for cell in failed]
    with catalogue.transaction() as connection:
        queries.forgive(connection, checksums=checksums, assets=[cell.asset for cell in failed])
        projection.project_progress(connection, checksums)
