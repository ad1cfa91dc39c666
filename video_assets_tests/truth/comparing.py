"""Facts about real files, put beside what is known of them from elsewhere."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
"""What the analyzers found of one clip: the result document of each asset that has one."""


@dataclass(frozen=True)
class Fact:
    """One field of one asset for one file; `theirs` comes from other programs or people."""

    file: str
    asset: str
    field: str
    theirs: Any
    ours: Any
    within: float = 0.0

    @property
    def verdict(self) -> str:
        """Give right, wrong or not known."""
        if self.ours is None and self.theirs is not None:
            return "not known"
        if self.within and self.theirs is not None and self.ours is not None:
            return "right" if abs(self.theirs - self.ours) <= self.within else "wrong"
        return "right" if self.theirs == self.ours else "wrong"

    def __str__(self) -> str:
        return f"{self.file}: {self.asset}.{self.field}: ours {self.ours}, theirs {self.theirs}"


def look_up(document: Mapping[str, Any] | None, path: str) -> Any:
    """Follow a dotted path through a result; None where a part of it is missing."""
    value: Any = document
    for part in path.split("."):
        if value is None:
            return None
        value = value[int(part)] if part.isdigit() else value[part]
    return value


def tally(facts: Iterable[Fact]) -> dict[str, Counter[str]]:
    """Count the verdicts of each asset."""
    counts: dict[str, Counter[str]] = {}
    for fact in facts:
        counts.setdefault(fact.asset, Counter())[fact.verdict] += 1
    return counts


def table(facts: Iterable[Fact]) -> str:
    """Write compared, right, wrong and not known, an asset a line."""
    lines = [f"{'asset':14} {'compared':>8} {'right':>6} {'wrong':>6} {'not known':>10}"]
    for asset, count in sorted(tally(facts).items()):
        lines.append(
            f"{asset:14} {count.total():8} {count['right']:6} {count['wrong']:6} "
            f"{count['not known']:10}"
        )
    return "\n".join(lines)
