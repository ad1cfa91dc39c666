"""The contract as Claude's structured output takes it, and its answers back in the contract.

It takes at most 16 values that may be of one type or another, and the contract has more that may be
null. So only objects may be null for Claude; each other value has a word of its own that means it.
"""

from functools import cache
from typing import Any

from video_assets.services.analysis import ClipAnalysis

MOST_UNIONS = 16  # platform.claude.com, structured outputs: parameters with union types
UNKNOWN_WORD, UNKNOWN_TEXT, UNKNOWN_NUMBER = "unknown", "", -1
TOLD = (
    'Where a value cannot be null, "unknown", an empty text or -1 says that it is not known, '
    "whichever the schema allows."
)
_REF = "$ref"


@cache
def claude_schema() -> dict[str, Any]:
    """Give the JSON schema that Claude is held to."""
    return _without_nulls(ClipAnalysis.model_json_schema())


def in_contract(document: Any) -> Any:
    """Put null where an answer, or a part of one, says that something is not known."""
    schema = ClipAnalysis.model_json_schema()
    return _with_nulls(document, schema, schema["$defs"])


def _without_nulls(schema: Any) -> Any:
    """Leave out what only costs tokens, and every null but those of objects."""
    if isinstance(schema, list):
        return [_without_nulls(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if (value := _nullable(schema)) is not None and _REF not in value:
        what = schema.get("description", value.get("description", ""))
        hint = f"{what} ({_unknown_of(value)!r}: not known)".strip()
        described = _without_nulls(value) | {"description": hint}
        if "enum" in value:
            described["enum"] = [*value["enum"], UNKNOWN_WORD]
        return described
    return {
        name: {key: _without_nulls(each) for key, each in value.items()}
        if name in ("properties", "$defs")
        else _without_nulls(value)
        for name, value in schema.items()
        if name != "title"
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Give what a value is if it is not null; None: it never is null."""
    kinds = schema.get("anyOf", ())
    if not any(kind.get("type") == "null" for kind in kinds):
        return None
    return next(kind for kind in kinds if kind.get("type") != "null")


def _unknown_of(schema: dict[str, Any]) -> str | int:
    if "enum" in schema:
        return UNKNOWN_WORD
    return UNKNOWN_TEXT if schema["type"] == "string" else UNKNOWN_NUMBER


def _with_nulls(value: Any, schema: dict[str, Any], known: dict[str, Any]) -> Any:
    if (inner := _nullable(schema)) is not None:
        if _REF not in inner and value == _unknown_of(inner):
            return None
        schema = inner
    if _REF in schema:
        schema = known[schema[_REF].rpartition("/")[2]]
    if isinstance(value, dict):
        parts = schema.get("properties", {})
        return {name: _with_nulls(each, parts.get(name, {}), known) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_nulls(each, schema.get("items", {}), known) for each in value]
    return value
