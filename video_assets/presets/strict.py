"""Reading what a person wrote into a strict model, and saying what is wrong with it."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard, TypeVar, get_args

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class PresetError(ValueError):
    """A preset says something that cannot be meant; the text says where and what to write."""


def read_strictly(model: type[Model], written: Any, *, where: str) -> Model:
    """Validate `written`, which stands at `where`.

    Raises PresetError with one line for each fault.
    """
    try:
        return model.model_validate(written)
    except ValidationError as faults:
        lines = [
            _describe(fault, model, where)
            for fault in faults.errors(include_url=False, include_context=False)
        ]
        raise PresetError("\n".join(lines)) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Name the known word that `word` is most like, or else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"


def _describe(fault: Mapping[str, Any], model: type[BaseModel], where: str) -> str:
    *above, last = fault["loc"] or ("",)
    place = ".".join(str(part) for part in (where, *fault["loc"]) if part != "")
    if fault["type"] == "extra_forbidden":
        place = ".".join(str(part) for part in (where, *above))
        known = _model_at(model, above).model_fields
        return f"{place}: there is no {last!r}; {nearest(str(last), known)}"
    if fault["type"] == "missing":
        return f"{place} is missing"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}, found {fault['input']!r}"


def _model_at(model: type[BaseModel], path: Iterable[str | int]) -> type[BaseModel]:
    """Return the model that stands at `path` inside `model`."""
    for part in path:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(a for a in (annotation, *get_args(annotation)) if _is_model(a))
    return model


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
