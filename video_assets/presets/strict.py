"""Reading what a person wrote into a strict model, and saying what is wrong with it."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard, TypeVar, get_args

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
LineOf = Callable[[Iterable[str | int]], int | None]
SAYS_ALL = "says_all"
"""Type of a fault whose message already says what was found."""
LONGEST_FOUND = 60
_PLAIN = {
    "model_type": "expected keys with values",
    "mapping_type": "expected keys with values",
    "dict_type": "expected keys with values",
    "tuple_type": "expected a list",
}


class PresetError(ValueError):
    """A preset says something that cannot be meant; the text says where and what to write."""


def read_strictly(
    model: type[Model],
    document: Any,
    *,
    where: str,
    line_of: LineOf | None = None,
    written: Mapping[str, Any] | None = None,
) -> Model:
    """Validate a document.

    where    what it is, for errors
    line_of  finds the line of a place in it
    written  how its top level was written, where values were put in the place of variables

    Raises PresetError with one line for each fault.
    """
    try:
        return model.model_validate(document)
    except ValidationError as faults:
        lines = [
            _describe(fault, model, document, where, line_of, written or {})
            for fault in faults.errors(include_url=False, include_context=False)
        ]
        raise PresetError("\n".join(lines)) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Name the known word that `word` is most like, or else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names) or 'none'}"


def _describe(
    fault: Mapping[str, Any],
    model: type[BaseModel],
    document: Any,
    where: str,
    line_of: LineOf | None,
    written: Mapping[str, Any],
) -> str:
    place, kind = tuple(fault["loc"]), fault["type"]
    line = line_of(place) if line_of else None
    where = f"{where}, line {line}" if line else where
    at = _at(where, document, place)
    if kind == "extra_forbidden":
        *above, last = place
        known = _model_at(model, above).model_fields
        return f"{_at(where, document, above)}: there is no {last!r}; {nearest(str(last), known)}"
    if kind == "missing":
        return f"{at} is missing"
    said = _PLAIN.get(kind) or fault["msg"].removeprefix("Value error, ")
    found = repr(written.get(str(place[0]), fault["input"]) if place else fault["input"])
    if kind == SAYS_ALL or len(found) > LONGEST_FOUND:
        return f"{at}: {said}"
    return f"{at}: {said}, found {found}"


def _at(where: str, document: Any, place: Iterable[str | int]) -> str:
    """Write a place in a document; what a list holds goes by its name, if it has one."""
    parts: list[str] = []
    for part in place:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            document = None
        name = document.get("name") if isinstance(document, Mapping) else None
        parts.append(name if isinstance(part, int) and isinstance(name, str) else str(part))
    return ": ".join(filter(None, (where, ".".join(parts))))


def _model_at(model: type[BaseModel], path: Iterable[str | int]) -> type[BaseModel]:
    """Return the model that stands at `path` inside `model`."""
    for part in path:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(a for a in (annotation, *get_args(annotation)) if _is_model(a))
    return model


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
