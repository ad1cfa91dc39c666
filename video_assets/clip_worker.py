"""The worker's side of an analyzer: what it is called with, and what it answered."""

import errno
import importlib
import os
import random
import re
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from stamina.instrumentation import set_on_retry_hooks

from video_assets.analyzer import ANALYZERS, Analyzer
from video_assets.media.errors import (
    MediaError,
    PostponedError,
    RefusedByServiceError,
    ToolMissingError,
    UnreachableError,
)
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.redaction import protect
from video_assets.services.interruption import interruptible
from video_assets.settings import load_settings
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifact_digests import MadeFile
from video_assets.storage.artifact_store import ArtifactStore
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.locations import Found
from video_assets.storage.storable import storable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
# After a pause of a minute clips come back within 6 s, after one of an hour within 6 minutes.
SPREAD_SHARE, MOST_SPREAD_S = 0.1, 600.0


@dataclass(frozen=True)
class Task:
    """One call of one analyzer, as it travels to a worker."""

    module: str
    name: str
    checksum: str
    source: Found | None
    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    artifacts: Path
    billing: Billing | None = None
    store: ArtifactStore | None = None


@dataclass(frozen=True)
class Measured:
    """What an analyzer found of one clip, and the files it names that lie in an object store."""

    document: dict[str, Any]
    problems: dict[str, str]
    seconds: float
    cpu_seconds: float
    files: tuple[MadeFile, ...] = ()


@dataclass(frozen=True)
class Failed:
    """Why an analyzer has no answer for one clip; the texts hold no path."""

    error_class: str
    message: str
    fault: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Postponed:
    """Why an analyzer leaves one clip for later; it has not failed.

    until  None: until somebody asks for it
    """

    reason: str
    until: datetime | None


def perform(task: Task, progress: Progress) -> Measured | Failed | Postponed:
    """Run one task: the only place where an analyzer's failure becomes a value."""
    _keep_secrets()
    importlib.import_module(task.module)
    analyzer = ANALYZERS[task.name]
    started, cpu_started = time.perf_counter(), time.process_time()
    try:
        _refuse_other_content(task)
        arguments = _arguments(analyzer, task, progress)
        with interruptible() if task.billing else nullcontext():
            result = analyzer.function(**arguments)
        if not isinstance(result, analyzer.result):
            raise TypeError(f"expected a {analyzer.result.__name__}, found {type(result).__name__}")
        problems = {
            name: text for name, check in analyzer.checks.items() if (text := check(result))
        }
        document = result.model_dump(mode="json")
        _refuse_other_content(task)
        if "artifacts" in arguments:
            arguments["artifacts"].sweep()
        store = task.store
        files = store.publish(task.checksum, task.name, document) if store else ()
    except PostponedError as postponed:
        return Postponed(storable(postponed.reason), _spread(postponed.until))
    except BaseException as error:  # noqa: BLE001 - even SystemExit would otherwise end the run
        return _failed(error, task, time.perf_counter() - started)
    return Measured(
        document=document,
        problems=problems,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        files=files,
    )


def _spread(until: datetime | None) -> datetime | None:
    """Keep clips that wait for the same moment from being tried all at once."""
    if until is None:
        return None
    wait_s = max(0.0, (until - datetime.now(timezone.utc)).total_seconds())
    return until + timedelta(seconds=random.uniform(0, min(SPREAD_SHARE * wait_s, MOST_SPREAD_S)))  # noqa: S311


@cache
def _keep_secrets() -> None:
    """Hide keys from now on, which a service's error may quote."""
    protect(load_settings().secrets)
    set_on_retry_hooks([])  # they would write errors down as they come


def _arguments(analyzer: Analyzer, task: Task, progress: Progress) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name in analyzer.parameters:
        if name == "source" and task.source is not None:
            arguments[name] = Source(task.checksum, task.source.path)
        elif name == "artifacts":
            bring = task.store.cache.bring if task.store else None
            arguments[name] = ArtifactFolder(task.artifacts, bring)
        elif name == "progress":
            arguments[name] = progress
        elif name == "billing":
            arguments[name] = task.billing
        elif name == "settings" and analyzer.settings_model is not None:
            arguments[name] = analyzer.settings_model.model_validate(task.settings)
        else:
            document = task.inputs.get(name)
            model = analyzer.inputs[name].model
            arguments[name] = None if document is None else model.model_validate(document)
    return arguments


def _refuse_other_content(task: Task) -> None:
    """A file that was written or replaced since it was registered is not this clip any more."""
    if task.source is not None and not task.source.is_there:
        raise UnreachableError(
            "the file was changed, replaced or removed after it was registered; "
            "ingest its folder again"
        )


def _failed(error: BaseException, task: Task, seconds: float) -> Failed:
    text = storable(_without_places(str(error), task))
    if isinstance(error, RefusedByServiceError):
        return Failed(type(error).__name__, text, "refused", seconds)
    if isinstance(error, MediaError):
        passes = isinstance(error, UnreachableError | ToolMissingError)
        fault = "unreachable" if passes else "file"
        return Failed(type(error).__name__, text, fault, seconds)
    if isinstance(error, OSError):
        return _refused_by_system(error, task, seconds)
    if isinstance(error, ValidationError):
        text = "; ".join(f"{_where(e['loc'])}: {e['msg']}" for e in error.errors(include_url=False))
        text = storable(_without_places(f"{error.title}: {text}", task))
        return Failed("ValidationError", text, "ours", seconds)
    return Failed(type(error).__name__, text or "no message", "ours", seconds)


def _refused_by_system(error: OSError, task: Task, seconds: float) -> Failed:
    if error.errno in DISK_FULL:
        text = "the disk for artifacts is full; make room, then run the same command again"
        return Failed("DiskFull", text, "unreachable", seconds)
    said = os.strerror(error.errno) if error.errno else "no message"
    if _is_artifact(error.filename, task) and isinstance(error, FileNotFoundError):
        maker = Path(str(error.filename)).parent.name
        text = (
            f"a file that {maker} made of this clip is gone; materialize {maker} for this clip "
            "alone in the Dagster UI, which makes it again"
        )
        return Failed("ArtifactMissing", text, "unreachable", seconds)
    if _is_artifact(error.filename, task):
        text = f"the artifact folder cannot be written: {said}; make it writable, then run again"
        return Failed(type(error).__name__, text, "unreachable", seconds)
    return Failed(type(error).__name__, f"the system refused: {said}", "ours", seconds)


def _is_artifact(name: object, task: Task) -> bool:
    """Tell whether a file lies in the artifact store, or is a folder on the way to it."""
    if not isinstance(name, str):
        return False
    root, path = task.artifacts.parents[2], Path(name)
    return path.is_relative_to(root) or root.is_relative_to(path)


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "value"


def _without_places(text: str, task: Task) -> str:
    """Ledger rows are shared between owners, so nobody's path or file name may stand in them."""
    places = [(task.artifacts, "the artifact folder"), (task.artifacts.parents[2], "the artifacts")]
    if task.source is not None:
        path = task.source.path
        places += [(each, "the file") for each in (path, path.resolve(), path.name)]
        places += [(path.parent, "its folder"), (path.resolve().parent, "its folder")]
    for place, word in places:
        for written in (str(place), repr(str(place))[1:-1], repr(os.fsencode(place))[2:-1]):
            text = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", word, text)
    return text
