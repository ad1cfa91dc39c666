"""What roles may do in a catalogue, held against what the migrations give them.

`sql/rights.sql` lists it as the statements that would bring it about, so that a difference says by
itself how it is mended. Tables and functions that are not ours are nobody's fault and are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql
import psycopg

from video_assets.storage.migrations import sql_folder

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")

OBJECTS = "storage.objects"

_ABOUT = re.compile(
    r"""GRANT\ .*?\ ON\ \w+\ (?P<granted>.+)\ TO\ \w+;
      | ALTER\ (?:TABLE|VIEW|FUNCTION)\ (?P<altered>.+?)\ (?:ENABLE|SET|SECURITY)\ .*
      | CREATE\ (?:POLICY|TRIGGER)\ .*?\ ON\ (?P<created>\S+)\ .*""",
    re.VERBOSE,
)
# How each kind of statement is taken back.
_UNDO = (
    (re.compile(r"GRANT (.*) ON (.*) TO (\w+);"), r"REVOKE \1 ON \2 FROM \3;"),
    (re.compile(r"CREATE POLICY (\".*?\"|\w+) ON (\S+) .*"), r"DROP POLICY \1 ON \2;"),
    (re.compile(r"CREATE TRIGGER (\".*?\"|\w+) .*? ON (\S+) .*"), r"DROP TRIGGER \1 ON \2;"),
)


@dataclass(frozen=True)
class Drift:
    """What a catalogue lacks of the rights that the migrations give, and what it has beyond."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.missing or self.extra)

    def remedy(self) -> Iterator[str]:
        """Give the statements that mend it, in their order."""
        for line in self.extra:
            for pattern, undone in _UNDO:
                if pattern.fullmatch(line):
                    yield pattern.sub(undone, line)
        yield from self.missing


def rights(connection: psycopg.Connection[tuple]) -> list[str]:
    """Read what roles may do, one statement each."""
    with connection.transaction():
        _queries.plain_names(connection)
        return [line for (line,) in _queries.rights(connection)]


def drift(connection: psycopg.Connection[tuple], folder: Path | None = None) -> Drift:
    """Compare a catalogue that has every migration with what these give."""
    listed = ((folder or sql_folder()) / "rights.sql").read_text(encoding="utf-8").splitlines()
    if not _queries.has_objects(connection):
        listed = [line for line in listed if _about(line) != OBJECTS]
    ours = {_about(line) for line in listed}
    found = rights(connection)
    return Drift(
        missing=tuple(line for line in listed if line not in found),
        extra=tuple(line for line in found if line not in listed and _about(line) in ours),
    )


def _about(line: str) -> str:
    """The table, function or schema that a statement is about."""
    found = _ABOUT.fullmatch(line)
    return next(filter(None, found.groups()), line) if found else line
