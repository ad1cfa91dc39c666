"""`video-assets stale`: results that were made by other code, settings or inputs, and why."""

from video_assets.automation.choice import LACKING, Choice, choose
from video_assets.interfaces.cli.choices import choices_table
from video_assets.interfaces.cli.parts import (
    AssetsOption,
    ClipsOption,
    ConfigOption,
    WhereOption,
    parts_of,
)
from video_assets.interfaces.cli.queued import queued_cells
from video_assets.interfaces.cli.reading import NO_CATALOGUE, JsonOption, reading, where_processed
from video_assets.interfaces.cli.wording import console, say, say_json
from video_assets.storage.own_cells import cells


def stale(
    asset: AssetsOption = None,
    clip: ClipsOption = None,
    where: WhereOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is out of date: by what code, settings or inputs it was made, and what follows.

    What reads a stale result is made again only if the new one differs; `backfill --stale` does it.
    """
    with reading() as opened:
        if opened.browser is None:
            say_json(_document([])) if as_json else say(NO_CATALOGUE)
            return
        settings, catalogue = opened.settings, opened.browser.catalogue
        queued = queued_cells(settings)
        choices = [
            choose(
                cells(catalogue, opened.owner, part.plan, part.checksums, states=LACKING),
                part.plan,
                ["stale"],
                assets=asset or (),
                queued=queued,
            )
            for part in parts_of(
                *(settings, catalogue, opened.owner),
                config=config,
                clips=clip,
                where=where,
                assets=asset,
            )
        ]
    if as_json:
        say_json(_document(choices))
    else:
        _show(choices)


def _document(choices: list[Choice]) -> dict[str, object]:
    return {
        "stale": [
            {"clip": each.cell.checksum, "asset": each.cell.asset, "reasons": each.cell.reasons}
            for choice in choices
            for each in choice.chosen
        ],
        "may_follow": [
            {"clip": checksum, "asset": name}
            for choice in choices
            for checksum, names in choice.followers.items()
            for name in names
        ],
        "in_hand": [
            {"clip": each.cell.checksum, "asset": each.cell.asset, "state": each.reason}
            for choice in choices
            for each in choice.left
        ],
    }


def _show(choices: list[Choice]) -> None:
    table = choices_table(choices)
    if table is None:
        say("Nothing is stale.")
        return
    console().print(table)
    say(f"{where_processed('video-assets backfill --stale')} makes them again.")
