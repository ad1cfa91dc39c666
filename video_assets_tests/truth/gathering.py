"""Every analyzer over every file of a folder, called as a worker calls them."""

import graphlib
import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg

from video_assets import assets
from video_assets.analyzer import ANALYZERS, Analyzer
from video_assets.clip_worker import Failed, Measured, Postponed, Task, perform
from video_assets.media.hashing import hash_file
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.locations import Found

Answers = dict[str, Measured | Failed]
LEFT_OUT = {"checksum", "video_document"}
"""Made by registration, and from rows of the catalogue."""


def gather(
    files: Iterable[Path], store: Path, settings: Mapping[str, Mapping[str, Any]]
) -> dict[Path, Answers]:
    """Ask every analyzer about every file; `settings` is the preset's part of each asset."""
    files = list(files)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        answers = pool.map(ask_all, files, [store] * len(files), [settings] * len(files))
        return dict(zip(files, answers, strict=True))


def ask_all(path: Path, store: Path, settings: Mapping[str, Mapping[str, Any]]) -> Answers:
    """Ask every analyzer about one file, upstream first."""
    answers: Answers = {}
    checksum = hash_file(path, "blake3").hexdigest
    for name in in_order():
        analyzer = ANALYZERS[name]
        inputs = {each: answers.get(each) for each in analyzer.inputs}
        if name in settings and _can_run(analyzer, inputs):
            answer = perform(
                _task(analyzer, path, checksum, store, inputs, settings[name]), Progress()
            )
            assert not isinstance(answer, Postponed)  # nothing here costs anything
            answers[name] = answer
    return answers


def in_order() -> list[str]:
    """Name the analyzers of one clip, each after what it reads."""
    dg.load_assets_from_package_module(assets)  # which fills ANALYZERS
    graph = {name: set(each.inputs) for name, each in ANALYZERS.items() if name not in LEFT_OUT}
    return [name for name in graphlib.TopologicalSorter(graph).static_order() if name in graph]


def _can_run(analyzer: Analyzer, inputs: Mapping[str, Measured | Failed | None]) -> bool:
    return all(
        isinstance(inputs[name], Measured)
        for name, upstream in analyzer.inputs.items()
        if upstream.is_required
    )


def _task(
    analyzer: Analyzer,
    path: Path,
    checksum: str,
    store: Path,
    inputs: Mapping[str, Measured | Failed | None],
    settings: Mapping[str, Any],
) -> Task:
    status = path.stat()
    documents = {n: each.document for n, each in inputs.items() if isinstance(each, Measured)}
    return Task(
        module=analyzer.module,
        name=analyzer.name,
        checksum=checksum,
        source=Found(path, status.st_size, status.st_mtime_ns) if analyzer.takes_source else None,
        inputs=documents,
        settings=analyzer.settings(settings),
        artifacts=ArtifactFolder.of(store, checksum, analyzer.name).path,
    )
