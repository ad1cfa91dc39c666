"""What commands that may cost money share: their cap, and a quote for programs."""

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any

import typer

from video_assets.automation.quoting import Bill

CapOption = Annotated[
    float | None,
    typer.Option(
        "--cap",
        min=0,
        metavar="USD",
        help="The most that its calls of paid services may cost; what would exceed it waits.",
        show_default="budget.run_usd of the settings",
    ),
]


def cap_of(given: float | None) -> Decimal | None:
    """Read a cap in dollars, as it was written."""
    return None if given is None else Decimal(str(given))


def bill_document(bill: Bill) -> dict[str, Any]:
    """A bill for programs."""
    return {"usd": bill.usd, "caps": bill.caps, "steps": [asdict(step) for step in bill.steps]}
