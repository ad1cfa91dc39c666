"""Quotes: what the paid steps of some clips are likely to cost, before anything of it runs.

Knows no Dagster, so that a command that only tells has not waited for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from video_assets.analyzer import Analyzer
from video_assets.automation.choice import Choice
from video_assets.media.errors import MediaError, ToolMissingError
from video_assets.presets.model import PipelineConfiguration
from video_assets.services.prices import Price, host_of, is_here, price_of
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.settings import Budget
from video_assets.storage import ai_calls
from video_assets.storage.ledger import PlannedAsset
from video_assets.storage.postgres import Postgres

SAMPLE = 40  # new files that are looked into; the others are taken to be like them
USUAL = QuoteFacts(60.0, has_sound=True)  # of clips of which nothing is known


@dataclass(frozen=True)
class StepQuote:
    """What one step is likely to take.

    service                     host that is asked; None: this machine
    input_tokens, output_tokens of one clip on average
    usd                         None: no price is known
    sends                       what leaves this machine
    note                        why it will not be asked, or what is not known of it
    """

    asset: str
    provider: str
    model: str
    service: str | None
    clips: int
    minutes: float
    calls: int
    input_tokens: int
    output_tokens: int
    assumes: str
    sends: tuple[str, ...]
    usd: Decimal | None
    dearest_call_usd: Decimal
    prices_as_of: date | None
    note: str | None = None


@dataclass(frozen=True)
class Bill:
    """What all paid steps are likely to cost together, and which caps that would meet."""

    steps: tuple[StepQuote, ...]
    usd: Decimal
    caps: tuple[str, ...]


def quote_steps(
    known: Mapping[str, Analyzer],
    preset: PipelineConfiguration,
    clips: Mapping[str, Sequence[QuoteFacts]],
) -> list[StepQuote]:
    """Add up what each paid step of a preset is likely to take of the clips that lack it."""
    found: list[StepQuote] = []
    for name, facts in clips.items():
        analyzer, step = known.get(name), preset.step(name)
        if analyzer is None or analyzer.quote is None or not facts:
            continue
        model = analyzer.settings_model
        params = analyzer.settings(step.params if step else {})
        settings = model.model_validate(params) if model else None
        try:
            quotes = [(quote, each) for each in facts if (quote := analyzer.quote(each, settings))]
        except ToolMissingError as error:
            found.append(_unable(name, facts, str(error)))
            continue
        if quotes:
            asked = [each for _, each in quotes]
            found.append(_add_up(name, asked, [quote for quote, _ in quotes]))
    return found


def bill_of(
    steps: Iterable[StepQuote],
    budget: Budget,
    *,
    cap: Decimal | None = None,
    spent: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0)),
) -> Bill:
    """Hold what steps are likely to cost against the caps.

    cap    of this run, instead of the one of the settings
    spent  today, and by the owner this month
    """
    steps = tuple(steps)
    usd = sum((step.usd or Decimal(0) for step in steps), Decimal(0))
    told: list[str] = []
    for step in steps:
        if budget.call_usd is not None and step.dearest_call_usd > budget.call_usd:
            told.append(
                f"a call of {step.asset} may cost ${step.dearest_call_usd:.2f}, more than "
                f"budget.call_usd (${budget.call_usd}): such clips wait"
            )
    run = budget.run_usd if cap is None else cap
    (day, owner), none = spent, Decimal(0)
    for what, limit, gone in (
        ("this run's cap (--cap)", run, none),
        ("the day's cap (budget.day_usd)", budget.day_usd, day),
        ("the owner's cap for a month (budget.owner_month_usd)", budget.owner_month_usd, owner),
    ):
        if limit is not None and gone + usd > limit:
            before = f", of which ${gone:.2f} is spent" if gone else ""
            told.append(f"it would stop at {what} of ${limit}{before}: the rest waits")
    return Bill(steps, usd, tuple(told))


def facts_of(catalogue: Postgres, checksums: Sequence[str]) -> dict[str, QuoteFacts]:
    """Say how long clips are; one that was never probed is taken for a usual one."""
    known = ai_calls.lengths(catalogue, checksums)
    facts = {each: QuoteFacts(*known[each]) for each in checksums if each in known}
    usual = _mean(list(facts.values()))
    return {each: facts.get(each, usual) for each in checksums}


def facts_of_files(files: Sequence[Path]) -> list[QuoteFacts]:
    """Say how long new files are, by looking into some of them."""
    from video_assets.media.probe import probe_media  # loads what decodes

    step = max(1, len(files) // SAMPLE)
    looked: dict[Path, QuoteFacts] = {}
    for file in files[::step]:
        try:
            probed = probe_media(file)
        except (MediaError, OSError):
            continue
        looked[file] = QuoteFacts(probed.duration_s or 0.0, bool(probed.audio_tracks))
    usual = _mean(list(looked.values()))
    return [looked.get(file, usual) for file in files]


def chosen_clips(
    catalogue: Postgres, plan: Sequence[PlannedAsset], choice: Choice
) -> dict[str, list[QuoteFacts]]:
    """Say how long the clips are of which paid assets are chosen, or would be made again."""
    paid = {each.asset for each in plan if each.is_paid}
    wanted = [(each.cell.asset, each.cell.checksum) for each in choice.chosen]
    wanted += [(name, clip) for clip, names in choice.followers.items() for name in names]
    wanted = [(asset, clip) for asset, clip in wanted if asset in paid]
    facts = facts_of(catalogue, list({clip: None for _, clip in wanted}))
    found: dict[str, list[QuoteFacts]] = {}
    for asset, clip in wanted:
        found.setdefault(asset, []).append(facts[clip])
    return found


def spent(catalogue: Postgres | None, owner: UUID) -> tuple[Decimal, Decimal]:
    """Give what was spent today and by an owner this month; nothing where there is no catalogue."""
    return (Decimal(0), Decimal(0)) if catalogue is None else ai_calls.spent(catalogue, owner)


def _mean(facts: Sequence[QuoteFacts]) -> QuoteFacts:
    if not facts:
        return USUAL
    seconds = sum(each.duration_s for each in facts) / len(facts)
    return QuoteFacts(seconds, sum(each.has_sound for each in facts) * 2 >= len(facts))


def _add_up(asset: str, facts: Sequence[QuoteFacts], quotes: Sequence[Quote]) -> StepQuote:
    first, count = quotes[0], len(quotes)
    price, note = _price(first)
    assumed = Counter(quote.assumes for quote in quotes if quote.assumes).most_common()
    return StepQuote(
        asset=asset,
        provider=first.provider,
        model=first.model,
        service=None if is_here(first.base_url) else host_of(first.provider, first.base_url),
        clips=count,
        minutes=sum(each.duration_s for each in facts) / 60,
        calls=sum(quote.calls for quote in quotes),
        input_tokens=sum(quote.usage.input_tokens for quote in quotes) // count,
        output_tokens=sum(quote.usage.output_tokens for quote in quotes) // count,
        assumes=assumed[0][0] if assumed else "",
        sends=() if is_here(first.base_url) else first.sends,
        usd=sum((price.of(quote.usage) for quote in quotes), Decimal(0)) if price else None,
        dearest_call_usd=max(
            (price.of(quote.usage) / quote.calls for quote in quotes if price and quote.calls),
            default=Decimal(0),
        ),
        prices_as_of=price.as_of if price else None,
        note=note,
    )


def _price(quote: Quote) -> tuple[Price | None, str | None]:
    try:
        price = price_of(quote.provider, quote.model, quote.base_url)
    except ToolMissingError as error:
        return None, str(error)
    if not price.is_known:
        return None, "no price is known of it; the settings allow it, and no cap holds for it"
    if not quote.in_batch:
        return price, None
    share = "the same price" if price.batch is None else f"{price.batch:.0%} of the price"
    return price.in_batch(), f"asked in batches, for {share}; answered within a day"


def _unable(asset: str, facts: Sequence[QuoteFacts], why: str) -> StepQuote:
    return StepQuote(
        asset=asset,
        provider="",
        model="",
        service=None,
        clips=len(facts),
        minutes=sum(each.duration_s for each in facts) / 60,
        calls=0,
        input_tokens=0,
        output_tokens=0,
        assumes="",
        sends=(),
        usd=None,
        dearest_call_usd=Decimal(0),
        prices_as_of=None,
        note=why,
    )
