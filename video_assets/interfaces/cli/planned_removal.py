"""What an erasure is going to remove, said exactly."""

from dataclasses import asdict
from typing import Any

from video_assets.interfaces.cli.wording import cell, console, counted, new_table, say, size
from video_assets.storage.erasure import Plan


def document(plan: Plan) -> dict[str, Any]:
    """The same for JSON."""
    return {**asdict(plan), "only_here": len(plan.only_here)}


def show(what: str, plan: Plan) -> None:
    """Print what goes, table by table, and what stays."""
    say(f"Of {what} go:")
    table = new_table(header=False)
    table.add_column(justify="right")
    table.add_column()
    for name, count in plan.rows.items():
        table.add_row(cell(f"{count:,}"), cell(f"rows of {name}"))
    if plan.only_here:
        table.add_row(cell(f"{plan.results:,}"), cell("results"))
        table.add_row(cell(f"{plan.files:,}"), cell(f"files made, {size(plan.size_bytes)}"))
        table.add_row(cell(f"{len(plan.only_here):,}"), cell("partitions in the Dagster UI"))
    console().print(table)
    if plan.shared:
        say(f"{counted(plan.shared, 'clip')} somebody else has too: results and files stay.")
