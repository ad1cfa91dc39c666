"""What was chosen to be made, as a table for people and as counts for programs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from video_assets.automation.choice import Choice
from video_assets.interfaces.cli.wording import cell, new_table

FOLLOWS = "only if what it reads really changes"


def count_choices(choices: Sequence[Choice]) -> dict[str, list[dict[str, Any]]]:
    """Count by asset and reason what is chosen, what may follow, and what is left alone."""
    chosen = Counter((each.cell.asset, each.reason) for c in choices for each in c.chosen)
    left = Counter((each.cell.asset, each.reason) for c in choices for each in c.left)
    follow = Counter((name, FOLLOWS) for c in choices for f in c.followers.values() for name in f)
    return {
        kind: [{"asset": asset, "clips": n, "reason": why} for (asset, why), n in counts.items()]
        for kind, counts in (("chosen", chosen), ("may_follow", follow), ("left_alone", left))
    }


def choices_table(choices: Sequence[Choice]) -> Table | None:
    """Lay out the same, or None where there is nothing to tell."""
    counts = count_choices(choices)
    table = new_table()
    table.add_column("Asset", no_wrap=True)
    table.add_column("Clips", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for kind, before in (("chosen", ""), ("may_follow", ""), ("left_alone", "left alone: ")):
        for each in counts[kind]:
            table.add_row(cell(each["asset"]), f"{each['clips']:,}", cell(before + each["reason"]))
    return table if table.row_count else None
