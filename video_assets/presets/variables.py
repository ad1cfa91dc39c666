"""Variables: `${NAME}` in a step's params stands for a variable of the environment.

A preset keeps it as it is written, and whoever makes something resolves it then, so nothing that
is kept of a preset holds its value. It may stand only where the asset's settings allow it: a
setting is part of a result's fingerprint and may be stored with the result, no place for a secret.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from video_assets.presets.strict import PresetError

_VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOGIN = re.compile(r"://[^/\s]*@")
_SECRETS = {"KEY", "KEYS", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE"} | {
    *("CREDENTIAL", "CREDENTIALS", "AUTH", "DB", "DSN", "DATABASE", "DAGSTER")
}


def variables_in(value: Any) -> frozenset[str]:
    """Name the variables that a setting, or anything inside it, is written with."""
    return frozenset(name for text in _texts(value) for name, _ in _VARIABLE.findall(text))


def resolve_variables(
    params: Mapping[str, Any], *, allowed: Collection[str], where: str
) -> dict[str, Any]:
    """Put the values of variables in their places.

    allowed  the settings that may be written with variables
    where    which params these are, for errors

    Raises PresetError with one line for each variable that is unset, misspelt or out of place.
    """
    faults = [
        f"{where}: {name}: {fault}"
        for name, value in params.items()
        for fault in _faults(name, value, allowed)
    ]
    if faults:
        raise PresetError("\n".join(faults))
    return {
        name: _VARIABLE.sub(_value, value) if isinstance(value, str) else value
        for name, value in params.items()
    }


def _faults(name: str, value: Any, allowed: Collection[str]) -> Iterator[str]:
    found = sorted({match for text in _texts(value) for match in _VARIABLE.findall(text)})
    if not found:
        return
    if name not in allowed or not isinstance(value, str):
        places = f"only {', '.join(sorted(allowed))} may" if allowed else "no setting of it may"
        yield f"a variable cannot stand here, {places} name one; found {value!r}"
        return
    for variable, closing in found:
        fault = _fault(variable) if closing and _NAME.fullmatch(variable) else "is misspelt"
        if fault:
            yield f"the variable ${{{variable}{closing} {fault}"


def _fault(variable: str) -> str | None:
    held = os.environ.get(variable)
    if _SECRETS & set(variable.upper().split("_")):
        return (
            "is a secret by its name, and a setting may be stored with results; services read "
            "their keys from the environment by themselves"
        )
    if not held:
        return "is not set; set it, or write the value into the preset"
    if _LOGIN.search(held):
        return "holds a user or a password, and a setting may be stored with results"
    return None


def _value(match: re.Match[str]) -> str:
    return os.environ[match[1]]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in (*value.keys(), *value.values()):
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
