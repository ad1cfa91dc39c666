"""A step's own settings: its params, with the variables they name, in the model that reads them."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from video_assets.presets.strict import read_strictly
from video_assets.presets.variables import resolve_variables

Model = TypeVar("Model", bound=BaseModel)


def complete(model: type[Model], params: Mapping[str, Any], *, where: str) -> Model:
    """Read the params of a step.

    where  which preset and step, for errors

    Raises PresetError, with one line for each, for names and values that the model does not take.
    """
    where = f"{where}, params"
    resolved = resolve_variables(params, allowed=_open_to_variables(model), where=where)
    return read_strictly(model, resolved, where=where, written=params)


def _open_to_variables(model: type[BaseModel]) -> list[str]:
    """Name the settings whose values may come from variables, as their fields say."""
    fields = model.model_fields.items()
    extras = {name: field.json_schema_extra for name, field in fields}
    return [n for n, extra in extras.items() if isinstance(extra, dict) and extra.get("variables")]
