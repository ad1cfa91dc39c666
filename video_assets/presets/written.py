"""What a person wrote: a YAML document that remembers on which line each thing stands."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from video_assets.presets.strict import PresetError

_SafeLoader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C: ten times as fast


class _Loader(_SafeLoader):
    """YAML as it is meant: a key that stands there twice would silently hide the first."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<" and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands there twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


@dataclass(frozen=True)
class Written:
    """A document, and the line of every place in it."""

    document: Any
    line_of: Callable[[Iterable[str | int]], int | None]


def read_yaml(text: str, *, where: str) -> Written:
    """Read one YAML document. Raises PresetError, with the line, for what is none."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            document = None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError) as fault:  # ValueError: the 31st of June
        mark = getattr(fault, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        said = " ".join(str(getattr(fault, "problem", None) or fault).split())
        raise PresetError(f"{where}{line}: no preset can be read from this YAML: {said}") from None
    return Written(document, lambda place: _line_of(root, place))


def _line_of(node: Any, place: Iterable[str | int]) -> int | None:
    """Find the line of a place, or of what is nearest above it."""
    line: int | None = None
    for part in place:
        key, node = _step_into(node, part)
        if key is None:
            break
        line = key.start_mark.line + 1
    return line


def _step_into(node: Any, part: str | int) -> tuple[Any, Any]:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None, None
