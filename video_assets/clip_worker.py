"""The worker's side of an analyzer: what it is called with, and what it answered.

An analyzer is a function over one clip. Its parameters say what it needs: `source` is the file,
`settings` its part of the preset, `artifacts` the folder for files it makes, and every other one
is the result of the upstream asset of that name.
"""

import errno
import importlib
import inspect
import time
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from video_assets.media.errors import MediaError
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder

SPECIAL = ("source", "settings", "artifacts")


@dataclass(frozen=True)
class Upstream:
    """One upstream asset of an analyzer."""

    model: type[BaseModel]
    is_required: bool


@dataclass
class ClipFunction:
    """An analyzer as its decorator found it."""

    name: str
    module: str
    function: Callable[..., BaseModel]
    result: type[BaseModel]
    upstream: dict[str, Upstream]
    settings: type[BaseModel] | None
    parameters: tuple[str, ...]
    checks: dict[str, Callable[[Any], str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Callable[..., BaseModel]) -> "ClipFunction":
        """Read the parameters and annotations of an analyzer."""
        hints = typing.get_type_hints(function)
        parameters = tuple(inspect.signature(function).parameters)
        return cls(
            name=function.__name__,
            module=function.__module__,
            function=function,
            result=hints["return"],
            upstream={name: _upstream(hints[name]) for name in parameters if name not in SPECIAL},
            settings=hints.get("settings"),
            parameters=parameters,
        )

    @property
    def takes_source(self) -> bool:
        """Whether the analyzer reads the camera file itself."""
        return "source" in self.parameters


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


_functions: dict[tuple[str, str], ClipFunction] = {}


def register(function: ClipFunction) -> None:
    """Make an analyzer known to the workers that import its module."""
    _functions[function.module, function.name] = function


def perform(task: Task) -> Measured | Failed:
    """Run one task: the only place where an analyzer's failure becomes a value."""
    importlib.import_module(task.module)
    function = _functions[task.module, task.name]
    started, cpu_started = time.perf_counter(), time.process_time()
    try:
        result = function.function(**_arguments(function, task))
        problems = {
            name: text for name, check in function.checks.items() if (text := check(result))
        }
    except Exception as error:  # noqa: BLE001 - whatever an analyzer raises harms its clip alone
        return _failed(error, task, time.perf_counter() - started)
    return Measured(
        document=result.model_dump(mode="json"),
        problems=problems,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
    )


def _arguments(function: ClipFunction, task: Task) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name in function.parameters:
        if name == "source" and task.source is not None:
            arguments[name] = Source(task.checksum, task.source)
        elif name == "artifacts":
            arguments[name] = ArtifactFolder(task.artifacts)
        elif name == "settings" and function.settings is not None:
            arguments[name] = function.settings.model_validate(task.settings)
        else:
            document = task.inputs.get(name)
            model = function.upstream[name].model
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


def _upstream(hint: Any) -> Upstream:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (model,) = (part for part in typing.get_args(hint) if part is not type(None))
        return Upstream(model, is_required=False)
    return Upstream(hint, is_required=True)
