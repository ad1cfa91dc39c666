"""A quote in words, as commands and the Dagster UI show it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from video_assets.automation.quoting import Bill, StepQuote


def bill_lines(bill: "Bill") -> Iterator[str]:
    """A bill for people, nothing where no step costs anything."""
    if not bill.steps:
        return
    yield "Paid services:"
    for step in bill.steps:
        yield from _lines(step)
    yield f"Together about {dollars(bill.usd)}"
    yield from (f"  {each}" for each in bill.caps)


def dollars(usd: Decimal | float) -> str:
    """Write an amount of money, so that a small one is not nothing."""
    return f"${usd:,.2f}" if usd == 0 or usd >= Decimal("0.10") else f"${usd:.2g}"


def _lines(step: "StepQuote") -> Iterator[str]:
    clips = f"{step.clips:,} {'clip' if step.clips == 1 else 'clips'}, {step.minutes:,.1f} minutes"
    if not step.model:
        yield f"  {step.asset}: {clips}: {step.note}"
        return
    where = step.service or "this machine"
    cost = "no price is known" if step.usd is None else f"about {dollars(step.usd)}"
    as_of = f" (prices of {step.prices_as_of})" if step.prices_as_of else ""
    yield f"  {step.asset}: {clips}, {step.model} at {where}: {cost}{as_of}"
    calls = f" in {step.calls:,} calls" if step.calls != step.clips else ""
    assumes = f" ({step.assumes})" if step.assumes else ""
    yield (
        f"    assumed for each clip: {step.input_tokens:,} tokens in, {step.output_tokens:,} out"
        f"{assumes}{calls}"
    )
    if step.sends:
        yield f"    leaves this machine: {', '.join(step.sends)}"
    if step.note:
        yield f"    {step.note}"
