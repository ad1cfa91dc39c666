"""Extending: a preset that says only what it does otherwise than another."""

from collections.abc import Iterable, Mapping
from typing import Any

from video_assets.presets.step_names import resolve
from video_assets.presets.written import Written


def extend(written: Written, base: Mapping[str, Any]) -> Written:
    """Lay what a person wrote over the preset it extends: setting by setting, lane by lane.

    A step that the base has is changed where it stands, another comes after them.
    """
    mine, lanes = _steps(written.document), written.document.get("worker_config", {})
    if mine is None or not isinstance(lanes, Mapping):
        return written  # the strict model says what is wrong with it
    merged = [
        _lay_over(theirs, step)
        for theirs in base["steps"]
        for step in [step for step in mine if step.get("name") == theirs["name"]] or [{}]
    ]
    known = [step["name"] for step in base["steps"]]
    steps = [*merged, *(step for step in mine if step.get("name") not in known)]
    names = [step.get("name") for step in mine]

    def line_of(place: Iterable[str | int]) -> int | None:
        """Find the line of a place of the whole in what the person wrote."""
        match tuple(place):
            case ("steps", int(number), *rest):
                name = steps[number].get("name")
                is_mine = name in names
                return written.line_of(
                    ("steps", names.index(name), *rest) if is_mine else ("extends",)
                )
            case other:
                return written.line_of(other)

    document = {**written.document, "steps": steps, "extends": None}
    return Written({**document, "worker_config": {**base["worker_config"], **lanes}}, line_of)


def _steps(document: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    steps = document.get("steps") or []
    is_list = isinstance(steps, list) and all(isinstance(step, Mapping) for step in steps)
    return [resolve(step) for step in steps] if is_list else None


def _lay_over(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any]:
    params = mine.get("params", {})
    if not isinstance(params, Mapping):
        return {**theirs, **mine}
    return {**theirs, **mine, "params": {**theirs["params"], **params}}
