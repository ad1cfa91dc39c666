"""Watch folders: files dropped into the folders of the settings become clips by themselves.

The sensor lists and stats, nothing more. A file counts when two looks a tick apart find the same
size and modification time, so a copy in progress is left alone; then a run registers its folder.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator

import dagster as dg

from video_assets.automation.in_progress import IN_PROGRESS
from video_assets.automation.jobs import owner_id, register_folder
from video_assets.media.discovery import Candidate, discover, is_settled
from video_assets.settings import WatchFolder, load_settings
from video_assets.storage import locations
from video_assets.storage.fingerprints import digest
from video_assets.storage.locations import display
from video_assets.storage.postgres import Postgres

TICK_S = 15
QUIET_S = 5.0  # a camera card is written in bursts; a pause this long is the end of a file
ASKED_AGAIN_S = 3600
FOLDER_TAG = "video-assets/folder"

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
    requests: list[dg.RunRequest] = []
    busy = _in_hand(context.instance)
    for folder in load_settings().watch:
        waiting, settled, state = look(catalogue, folder, earlier)
        now[str(folder.path)] = waiting
        said.append(f"{folder.path}: {state}")
        if settled and str(folder.path) not in busy:
            tags = {FOLDER_TAG: str(folder.path)}
            requests.append(dg.RunRequest(settled, run_config=_run_config(folder), tags=tags))
    context.update_cursor(json.dumps(now))
    yield from requests
    if not requests:
        yield dg.SkipReason("; ".join(said) or "the settings file watches no folder")


def _in_hand(instance: dg.DagsterInstance) -> set[str]:
    """Find the folders that a run is registering."""
    running = dg.RunsFilter(job_name=register_folder.name, statuses=IN_PROGRESS)
    return {run.tags.get(FOLDER_TAG, "") for run in instance.get_runs(running)}


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
    renamed = [each for each in listing.candidates if each.path in known.renamed]
    name = _name([*settled, *renamed]) if settled or renamed else ""
    state = f"{len(known.unknown) - len(settled)} new files still being written"
    return looks, name, f"{len(settled)} new files at rest, {state}"


def _is_settled(before: list[int] | None, candidate: Candidate) -> bool:
    if before is None:
        return False
    earlier = Candidate(candidate.path, before[0], before[1], candidate.inode, candidate.volume)
    return is_settled(earlier, candidate, now_ns=time.time_ns(), quiet_s=QUIET_S)


def _name(files: Iterable[Candidate]) -> str:
    """Name a set of files at rest: the same set is requested again after an hour at the earliest.

    What cannot be read stays new, and a registration that failed is worth another attempt.
    """
    traits = {display(each.path): [each.size_bytes, each.mtime_ns] for each in files}
    return f"{digest(traits)} {time.time() // ASKED_AGAIN_S:.0f}"


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
