"""The contract as a short outline in words, for models that are held to no schema."""

import json
from functools import cache
from typing import Any

from video_assets.services.analysis import ClipAnalysis

_TYPES = {"string": "text", "number": "number", "integer": "whole number", "null": "null"}


@cache
def outline() -> str:
    """Write what an answer looks like, with a word for each value."""
    schema = ClipAnalysis.model_json_schema()
    drawn = _draw(schema, schema["$defs"])
    return (
        "Answer with one JSON object of this shape. Every name is always there; of words with | "
        "between them choose one; lists may be empty; an object that is no part of a list may be "
        "null, except summary:\n" + json.dumps(drawn, ensure_ascii=False, separators=(",", ":"))
    )


def _draw(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _draw(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        drawn = _draw(schema["anyOf"][0], known)
        return f"{_with_hint(drawn, schema)} or null" if isinstance(drawn, str) else drawn
    if "enum" in schema:
        return "|".join(schema["enum"])
    if schema["type"] == "object":
        return {name: _draw(each, known) for name, each in schema["properties"].items()}
    if schema["type"] == "array":
        return [_with_hint(_draw(schema["items"], known), schema)]
    return _with_hint(_TYPES[schema["type"]], schema)


def _with_hint(drawn: Any, schema: dict[str, Any]) -> Any:
    hint = schema.get("description")
    return f"{drawn}: {hint}" if hint and isinstance(drawn, str) else drawn
