"""Watch folders: files dropped into the folders of the settings become clips by themselves.

The sensor lists and stats, nothing more. A file counts when two looks a tick apart find the same
size and modification time, so a copy in progress is left alone; then a run registers its folder.
"""

import json
import os
import time
from collections.abc import Iterator

import dagster as dg

from video_assets.automation.jobs import owner_id, register_folder
from video_assets.media.discovery import Candidate, discover, is_settled
from video_assets.settings import WatchFolder, load_settings
from video_assets.storage import locations
from video_assets.storage.postgres import Postgres

TICK_S = 15
QUIET_S = 5.0  # a camera card is written in bursts; a pause this long is the end of a file

Looks = dict[str, list[int]]


@dg.sensor(
    job=register_folder,
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers new files of the folders that the settings file watches.",
)
def watch_folders(
    context: dg.SensorEvaluationContext, catalogue: dg.ResourceParam[Postgres]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request registration of every watched folder that holds new files at rest."""
    earlier: dict[str, Looks] = json.loads(context.cursor or "{}")
    now: dict[str, Looks] = {}
    said: list[str] = []
    for folder in load_settings().watch:
        waiting, settled, state = look(catalogue, folder, earlier)
        now[str(folder.path)] = waiting
        said.append(f"{folder.path}: {state}")
        if settled:
            yield dg.RunRequest(
                run_key=f"{folder.path} {settled}", run_config=_run_config(folder), tags={}
            )
    context.update_cursor(json.dumps(now))
    yield dg.SkipReason("; ".join(said) or "the settings file watches no folder")


def look(
    catalogue: Postgres, folder: WatchFolder, earlier: dict[str, Looks]
) -> tuple[Looks, str, str]:
    """Look at one folder: the new files that are not at rest yet, and a name for those that are."""
    listing = discover([folder.path], folder.pattern, recursive=folder.recursive)
    if listing.unreachable:
        unchanged = earlier.get(str(folder.path), {})
        return unchanged, "", f"{listing.unreachable[0].reason}; nothing was changed"
    known = locations.recognise(catalogue, owner_id(folder.owner), listing.candidates)
    before = earlier.get(str(folder.path), {})
    settled: list[Candidate] = []
    looks: Looks = {}
    for candidate in known.unknown:
        key = os.fsencode(candidate.path).hex()
        looks[key] = [candidate.size_bytes, candidate.mtime_ns]
        if _is_settled(before.get(key), candidate):
            settled.append(candidate)
    name = _name(settled) if settled or known.renamed else ""
    state = f"{len(known.unknown) - len(settled)} new files still being written"
    return looks, name, f"{len(settled)} new files at rest, {state}"


def _is_settled(before: list[int] | None, candidate: Candidate) -> bool:
    if before is None:
        return False
    earlier = Candidate(candidate.path, before[0], before[1], candidate.inode, candidate.volume)
    return is_settled(earlier, candidate, now_ns=time.time_ns(), quiet_s=QUIET_S)


def _name(settled: list[Candidate]) -> str:
    """Name a set of files at rest, so that the same set is not requested twice."""
    newest = max((candidate.mtime_ns for candidate in settled), default=time.time_ns())
    return f"{len(settled)} files up to {newest}"


def _run_config(folder: WatchFolder) -> dg.RunConfig:
    return dg.RunConfig(
        ops={
            "register_files": {
                "config": {
                    "path": str(folder.path),
                    "owner": folder.owner,
                    "pattern": folder.pattern,
                    "recursive": folder.recursive,
                }
            }
        }
    )
