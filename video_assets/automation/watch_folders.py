"""Watch folders: files dropped into the folders of the settings become clips by themselves.

The sensor lists and looks. It notes in the catalogue which known files are gone or back, and where
new files are at rest, it requests a run that reads them. A folder of any size is looked at in parts
over as many ticks as it takes, and the more a look costs, the rarer it is.
"""

import time
from collections.abc import Iterable, Iterator

import dagster as dg
from pydantic import BaseModel, TypeAdapter, ValidationError

from video_assets.automation.in_progress import IN_PROGRESS
from video_assets.automation.patience import within
from video_assets.automation.register_folder import FolderToRegister, register_folder
from video_assets.media import at_rest
from video_assets.media.discovery import Candidate, discover_in_parts
from video_assets.presets.model import load_preset
from video_assets.presets.strict import PresetError
from video_assets.resources import PRESET_TAG
from video_assets.settings import WatchFolder, load_settings
from video_assets.storage import owners
from video_assets.storage.fingerprints import digest
from video_assets.storage.locations import display
from video_assets.storage.owners import OwnerError
from video_assets.storage.postgres import Postgres
from video_assets.storage.survey import Survey, survey, without_refused

TICK_S = 15
LOOK_S = 20.0  # of one tick, for all folders; Dagster allows a tick 60
HANGS_S = 20.0  # more than it should have taken: the file system does not answer
BUSY_FRACTION = 0.05  # of the time that looking may take,
LONGEST_PAUSE_S = 300.0  # but nobody waits longer than this for a new file to be seen
LOOKS = 500  # new files that are kept an eye on: the rest has its turn when these are registered
ASKED_AGAIN_S = 3600
FOLDER_TAG = "video-assets/folder"


class Memory(BaseModel):
    """What is remembered of one folder between ticks.

    after   the path, in hexadecimal, after which the look goes on; empty: it begins anew
    before  the new files of the last whole look, and now those of this one
    due     when the next look may begin, in seconds since 1970
    """

    after: str = ""
    before: at_rest.Looks = {}
    now: at_rest.Looks = {}
    spent_s: float = 0.0
    due: float = 0.0


MEMORIES = TypeAdapter(dict[str, Memory])


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
    earlier = _remembered(context.cursor)
    folders = sorted(load_settings().watch, key=lambda each: _of(earlier, each).due)
    memories = {str(each.path): _of(earlier, each) for each in folders}
    busy = _in_hand(context.instance) if folders else set()
    said: list[str] = []
    requests: list[dg.RunRequest] = []
    began = time.monotonic()
    for place, folder in enumerate(folders):
        left_s = max(0.0, LOOK_S + began - time.monotonic())
        memory, ready, state = _look_in_time(
            catalogue,
            folder,
            memories[str(folder.path)],
            seconds=left_s / (len(folders) - place),
            patience_s=left_s + HANGS_S,
        )
        memories[str(folder.path)] = memory
        said.append(f"{display(folder.path)}: {state}")
        if ready and str(folder.path) not in busy:
            requests.append(_request(folder, ready))
    context.update_cursor(MEMORIES.dump_json(memories, exclude_defaults=True).decode())
    yield from requests
    if not requests:
        yield dg.SkipReason("; ".join(said) or "the settings file watches no folder")


def look(
    catalogue: Postgres, folder: WatchFolder, memory: Memory, seconds: float
) -> tuple[Memory, list[Candidate], str]:
    """Look at a folder for some seconds: the files to register, and what to say of it."""
    began, seen = time.monotonic(), memory
    owner, rules = folder.owner_id, _config(folder).rules()
    owners.require(catalogue, owner)
    ready: list[Candidate] = []
    found: list[Survey] = []
    for listing in discover_in_parts(folder.path, rules, after=bytes.fromhex(memory.after)):
        found.append(survey(catalogue, owner, folder.path, listing))
        if listing.unreachable:
            return memory, [], f"{found[-1].remark}; nothing was changed"
        new = without_refused(catalogue, owner, found[-1].new)
        resting, looks = at_rest.part(new, seen.before, at_most=LOOKS - len(seen.now))
        ready += [*found[-1].moved, *resting]
        after = (listing.end or b"").hex()
        seen = seen.model_copy(update={"now": seen.now | looks, "after": after})
        if time.monotonic() - began > seconds:
            break
    return _after_look(seen, time.monotonic() - began), ready, _say(found, ready, seen)


def _look_in_time(
    catalogue: Postgres, folder: WatchFolder, memory: Memory, *, seconds: float, patience_s: float
) -> tuple[Memory, list[Candidate], str]:
    """Look at a folder that may be unreachable, hang, or be set up wrongly; others go on."""
    unchanged = (memory, list[Candidate]())
    if memory.due > time.time():
        return *unchanged, f"the next look is due in {memory.due - time.time():.0f} s"
    try:
        if folder.preset is not None:
            load_preset(folder.preset)
        answer = within(
            patience_s, str(folder.path), lambda: look(catalogue, folder, memory, seconds)
        )
    except (PresetError, OwnerError) as error:
        return *unchanged, f"{error}; correct the settings file"
    if answer is None:
        return *unchanged, "the file system does not answer; nothing was changed"
    return answer


def _after_look(memory: Memory, took_s: float) -> Memory:
    """Begin the next look where this one ended, or in a while if it saw everything."""
    spent_s = memory.spent_s + took_s
    if memory.after:
        return memory.model_copy(update={"spent_s": spent_s})
    pause_s = min(spent_s / BUSY_FRACTION, LONGEST_PAUSE_S)
    return Memory(before=memory.now, due=time.time() + pause_s if pause_s > TICK_S else 0.0)


def _say(found: list[Survey], ready: list[Candidate], memory: Memory) -> str:
    moved = sum(len(each.moved) for each in found)
    told = [
        f"{len(ready)} files to register",
        f"{len(memory.now) + moved - len(ready)} new files still being written",
    ]
    gone, back = sum(each.gone for each in found), sum(each.back for each in found)
    told += [f"{gone} known files are gone"] if gone else []
    told += [f"{back} missing files are back"] if back else []
    told += ["the look goes on in the next tick"] if memory.after else []
    told += [f"{each.remark}; nothing was changed" for each in found if each.remark]
    return ", ".join(told)


def _of(memories: dict[str, Memory], folder: WatchFolder) -> Memory:
    return memories.get(str(folder.path), Memory())


def _remembered(cursor: str | None) -> dict[str, Memory]:
    try:
        return MEMORIES.validate_json(cursor or "{}")
    except ValidationError:  # of another release
        return {}


def _in_hand(instance: dg.DagsterInstance) -> set[str]:
    """Find the folders that a run is registering."""
    running = dg.RunsFilter(job_name=register_folder.name, statuses=IN_PROGRESS)
    return {run.tags.get(FOLDER_TAG, "") for run in instance.get_runs(running)}


def _request(folder: WatchFolder, ready: Iterable[Candidate]) -> dg.RunRequest:
    """Request a run by the name of its files: the same are asked for again after an hour at best.

    A registration that failed is worth another attempt.
    """
    traits = {display(each.path): [each.size_bytes, each.mtime_ns] for each in ready}
    tags = {FOLDER_TAG: str(folder.path)}
    if folder.preset is not None:
        tags[PRESET_TAG] = folder.preset
    return dg.RunRequest(
        run_key=f"{digest(traits)} {time.time() // ASKED_AGAIN_S:.0f}",
        run_config=dg.RunConfig(ops={"register_files": _config(folder)}),
        tags=tags,
    )


def _config(folder: WatchFolder) -> FolderToRegister:
    return FolderToRegister(
        path=str(folder.path),
        owner=folder.owner,
        pattern=folder.pattern,
        recursive=folder.recursive,
        ignore=list(folder.ignore),
    )
