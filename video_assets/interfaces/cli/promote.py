"""`video-assets promote`: choose the analyzer whose words stand for clips, and take it back."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from video_assets.interfaces.cli.parts import ClipsOption
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    leave,
    one_clip,
    reading,
)
from video_assets.interfaces.cli.wording import (
    NONE,
    cell,
    console,
    counted,
    moment,
    new_table,
    say,
    say_json,
)
from video_assets.presets.step_names import asset_of
from video_assets.presets.strict import nearest
from video_assets.storage import descriptions
from video_assets.storage.analyses import ANALYZERS
from video_assets.storage.descriptions import Promotion

if TYPE_CHECKING:
    from video_assets.storage.browse import Browser

ALL = "all clips"


def promote(
    analyzer: Annotated[
        str | None, typer.Argument(help=f"{', '.join(ANALYZERS)}.", show_default=False)
    ] = None,
    clips: ClipsOption = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Take back the newest promotion.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="List the promotions there were, with their times.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Choose the analyzer whose words stand for your clips in place of the preset's choice.

    It shows at once in `info`, lists and search by words, and nothing is computed again. Where the
    analyzer has said nothing yet, what was chosen before stands. Vectors, by which clips are found
    by meaning, follow `prefer` of the preset's step `description`.
    """
    if (analyzer is not None) + rollback + show != 1:
        leave("give an analyzer, --rollback or --show")
    with reading() as opened:
        if opened.browser is None:
            leave(NO_CATALOGUE)
        ids = [one_clip(opened.browser, name).id for name in clips] if clips else None
        browser = opened.browser
        catalogue, owner = browser.catalogue, browser.owner
        undone: list[Promotion] = []
        if analyzer is not None:
            descriptions.promote(catalogue, owner, _known(analyzer), ids)
        elif rollback:
            undone = descriptions.roll_back(catalogue, owner, ids)
            if not undone:
                leave("there is no promotion to take back; --show lists those there were")
        if as_json:
            _say_document(browser, ids, undone)
        elif show:
            _say_history(browser, ids)
        else:
            for each in undone:
                say(f"{each.analyzer} of {moment(each.promoted_at)} was taken back.")
            _say_speakers(browser, ids)


def _known(name: str) -> str:
    """Find the analyzer that a name means: itself, a step of it, or without its ending."""
    known = [each for each in (asset_of(name), f"{name}_analysis") if each in ANALYZERS]
    if not known:
        leave(f"there is no analyzer {name!r}; {nearest(name, ANALYZERS)}")
    return known[0]


def _say_speakers(browser: "Browser", ids: list[UUID] | None) -> None:
    counts = descriptions.speakers(browser.catalogue, browser.owner, ids)
    for speaker, count in counts.items():
        if speaker is not None:
            say(f"{speaker} stands for {counted(count, 'clip')}.")
    if silent := counts.get(None):
        say(f"{counted(silent, 'clip')} no analyzer has described yet.")
    told = descriptions.promotions(browser.catalogue, browser.owner)
    own = {each.clip_id for each in told if each.clip_id and each.rolled_back_at is None}
    if ids is None and own:
        stay = "1 clip stays with a promotion of its own"
        more = f"{len(own):,} clips stay with promotions of their own"
        say(f"{stay if len(own) == 1 else more}; see promote --show.")


def _say_history(browser: "Browser", ids: list[UUID] | None) -> None:
    told = descriptions.promotions(browser.catalogue, browser.owner, ids)
    if not told:
        say("nobody was promoted: the preset's order holds (`prefer` of its step description)")
        return
    table = new_table()
    for heading in ("Promoted", "Analyzer", "For", "Taken back"):
        table.add_column(heading, no_wrap=heading != "For")
    for each in told:
        style = "" if each.rolled_back_at is None else "dim"
        whom = each.file_name if each.clip_id else ALL
        back = moment(each.rolled_back_at) if each.rolled_back_at else NONE
        table.add_row(
            *(cell(v, style) for v in (moment(each.promoted_at), each.analyzer, whom, back))
        )
    console().print(table)


def _say_document(browser: "Browser", ids: list[UUID] | None, undone: list[Promotion]) -> None:
    counts = descriptions.speakers(browser.catalogue, browser.owner, ids)
    say_json(
        {
            "taken_back": undone,
            "stands_for": {name: count for name, count in counts.items() if name is not None},
            "not_described": counts.get(None, 0),
            "promotions": descriptions.promotions(browser.catalogue, browser.owner, ids),
        }
    )
