"""The worker's side of an analyzer: what it is called with, and what it answered."""

import errno
import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from video_assets.analyzer import ANALYZERS, Analyzer
from video_assets.media.errors import MediaError
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder


@dataclass(frozen=True)
class Task:
    """One call of one analyzer, as it travels to a worker."""

    module: str
    name: str
    checksum: str
    source: Path | None
    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    artifacts: Path


@dataclass(frozen=True)
class Measured:
    """What an analyzer found of one clip."""

    document: dict[str, Any]
    problems: dict[str, str]
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Failed:
    """Why an analyzer has no answer for one clip; the texts hold no path."""

    error_class: str
    message: str
    fault: str
    seconds: float = 0.0


def perform(task: Task) -> Measured | Failed:
    """Run one task: the only place where an analyzer's failure becomes a value."""
    importlib.import_module(task.module)
    analyzer = ANALYZERS[task.name]
    started, cpu_started = time.perf_counter(), time.process_time()
    try:
        result = analyzer.function(**_arguments(analyzer, task))
        problems = {
            name: text for name, check in analyzer.checks.items() if (text := check(result))
        }
    except Exception as error:  # noqa: BLE001 - whatever an analyzer raises harms its clip alone
        return _failed(error, task, time.perf_counter() - started)
    return Measured(
        document=result.model_dump(mode="json"),
        problems=problems,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
    )


def _arguments(analyzer: Analyzer, task: Task) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name in analyzer.parameters:
        if name == "source" and task.source is not None:
            arguments[name] = Source(task.checksum, task.source)
        elif name == "artifacts":
            arguments[name] = ArtifactFolder(task.artifacts)
        elif name == "settings" and analyzer.settings_model is not None:
            arguments[name] = analyzer.settings_model.model_validate(task.settings)
        else:
            document = task.inputs.get(name)
            model = analyzer.inputs[name].model
            arguments[name] = None if document is None else model.model_validate(document)
    return arguments


def _failed(error: Exception, task: Task, seconds: float) -> Failed:
    text = _without_paths(str(error), task)
    if isinstance(error, MediaError):
        return Failed(type(error).__name__, text, "file", seconds)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        text = "the disk for artifacts is full; make room, then run the same command again"
        return Failed("DiskFull", text, "unreachable", seconds)
    if isinstance(error, ValidationError):
        text = "; ".join(f"{_where(e['loc'])}: {e['msg']}" for e in error.errors(include_url=False))
        return Failed("ValidationError", f"{error.title}: {text}", "ours", seconds)
    return Failed(type(error).__name__, text or "no message", "ours", seconds)


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "value"


def _without_paths(text: str, task: Task) -> str:
    """Ledger rows are shared between owners, so no owner's path may stand in them."""
    if task.source is not None:
        text = text.replace(str(task.source), "the file").replace(task.source.name, "the file")
    return text.replace(str(task.artifacts), "the artifact folder")
