"""`video-assets costs`: what paid services were asked, and what that cost."""

import json
from datetime import datetime, timezone
from typing import Annotated, Any

import typer
from rich.table import Table

from video_assets.automation.quote_words import dollars
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    one_clip,
    reading,
)
from video_assets.interfaces.cli.standing import spending_sentence
from video_assets.interfaces.cli.wording import (
    cell,
    clean,
    console,
    counted,
    moment,
    new_table,
    page_note,
    say,
    say_json,
    shorten,
    titled,
)
from video_assets.settings import Budget
from video_assets.storage import costs as ledger_of_costs
from video_assets.storage import locations
from video_assets.storage.browse import Browser
from video_assets.storage.costs import Answer, By, Group

NAME_WIDTH = 40
HEADINGS = {"clip": "Clip", "asset": "Asset", "model": "Model", "day": "Day (UTC)"}


def costs(
    by: Annotated[By, typer.Option("--by", help="What is added up.")] = "asset",
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="Only from this day on (UTC)."),
    ] = None,
    answers: Annotated[
        str | None,
        typer.Option(
            "--answers", metavar="CLIP", help="Show what was answered about a clip and not used."
        ),
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Add up what was paid for clips, assets, models, days or owners.

    A call whose process was killed counts with all that it might have cost.
    """
    with reading() as opened:
        if opened.browser is None:
            say_json({"costs": []}) if as_json else say(NO_CATALOGUE)
        elif answers is not None:
            _answers(opened.browser, answers, as_json=as_json)
        else:
            begin = since.replace(tzinfo=timezone.utc) if since else None
            budget = opened.settings.budget
            _costs(opened.browser, budget, by, begin, limit, as_json=as_json)


def _costs(
    browser: Browser,
    budget: Budget,
    by: By,
    since: datetime | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    catalogue, owner = browser.catalogue, browser.owner
    groups, total = ledger_of_costs.groups(catalogue, owner, by, since=since, at_most=limit)
    calls, usd = ledger_of_costs.whole(catalogue, owner, since=since)
    spending = ledger_of_costs.spending(catalogue, owner)
    names = {}
    if by == "clip":
        names = locations.known_as(catalogue, owner, [group.name for group in groups])
    if as_json:
        shown = [_document(group, names) for group in groups]
        say_json({"by": by, "costs": shown, "calls": calls, "usd": usd, "spending": spending})
        return
    if not groups:
        say("Nothing was paid for.")
        return
    console().print(titled("Costs", _table(groups, by, names)))
    if note := page_note(len(groups), total):
        say(note)
    say(f"{counted(calls, 'call')}, {dollars(usd)} in all")
    say(spending_sentence(spending, budget))


def _document(group: Group, names: dict[str, str]) -> dict[str, Any]:
    shown = {name: getattr(group, name) for name in group.__dataclass_fields__}
    return {**shown, "clip": names[group.name]} if group.name in names else shown


def _table(groups: list[Group], by: By, names: dict[str, str]) -> Table:
    table = new_table()
    table.add_column(HEADINGS.get(by, "Owner"), no_wrap=True)
    for heading in ("Calls", "Tokens in", "Out", "Unused", "Lost", "Cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in groups:
        unknown = " + unknown" if group.unpriced else ""
        table.add_row(
            cell(shorten(names.get(group.name, group.name), NAME_WIDTH)),
            f"{group.calls:,}",
            f"{group.input_tokens:,}",
            f"{group.output_tokens:,}",
            f"{group.unusable:,}",
            f"{group.lost + group.under_way:,}",
            cell(dollars(group.usd) + unknown),
        )
    return table


def _answers(browser: Browser, name: str, *, as_json: bool) -> None:
    checksum = one_clip(browser, name).file_checksum
    found = ledger_of_costs.answers(browser.catalogue, browser.owner, checksum)
    if as_json:
        say_json({"answers": found})
    elif not found:
        say("No answer is kept: of what was used, the result is.")
    for each in () if as_json else found:
        say(f"{moment(each.sent_at)}  {each.asset}  {each.model}  {_outcome(each)}")
        if each.error:
            say(f"  {each.error}")
        if each.answer is not None:
            said = each.answer if isinstance(each.answer, str) else json.dumps(each.answer)
            console().print(clean(said), markup=False, soft_wrap=True)


def _outcome(each: Answer) -> str:
    if each.status == "waiting":
        return f"waits for the answer of {each.batch or 'a batch'}, at most {dollars(each.usd)}"
    return f"{each.outcome or each.status}, {dollars(each.usd)}"
