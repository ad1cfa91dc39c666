"""`video-assets search similar`: find clips that are about the same as one of them."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from video_assets.interfaces.cli.meaning import no_vector
from video_assets.interfaces.cli.reading import JsonOption, LimitOption, one_clip, reading
from video_assets.interfaces.cli.search_explain import say_legs
from video_assets.interfaces.cli.search_options import (
    ExplainOption,
    OpenOption,
    WhereOption,
    conditions,
    finite,
)
from video_assets.interfaces.cli.search_pictures import show_pictures
from video_assets.interfaces.cli.search_table import hits_table
from video_assets.interfaces.cli.wording import console, say, say_json, titled
from video_assets.search import queries
from video_assets.search.queries import Hit, Question, VectorState

if TYPE_CHECKING:
    from video_assets.storage.browse import Browser


def similar(
    clip: Annotated[
        str, typer.Argument(help="Id or checksum, or the beginning of one; or a name.")
    ],
    limit: LimitOption = 5,
    threshold: Annotated[
        float,
        typer.Option("--threshold", "-t", callback=finite, help="The least likeness, at most 1."),
    ] = 0.5,
    where: WhereOption = None,
    explain: ExplainOption = False,
    open_it: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find clips that are about the same as one of them."""
    question = Question(conditions(where), limit, legs=[] if explain else None)
    with reading() as opened:
        name = one_clip(opened.browser, clip)
        hits: list[Hit] = []
        state: VectorState = "there"
        if opened.browser is not None:
            catalogue = opened.browser.catalogue
            hits = queries.similar(catalogue, opened.owner, name.id, question, threshold=threshold)
            if not hits:
                state = _vector_state(opened.browser, name.id)
        if open_it:
            show_pictures(opened, f"like {name.file_name}", hits)
    if as_json:
        say_json({"shown": len(hits), "vector": state, "legs": question.legs, "clips": hits})
        return
    if hits:
        table = hits_table(hits, "similar", scores=True)
        console().print(titled(f"Similar Clips ({len(hits)} found)", table))
    elif state != "there":
        say(f"No similar clips found: {no_vector(name.file_name, state)}")
    else:
        say(f"No similar clips found; --threshold {threshold / 2:g} shows less similar ones")
    if question.legs is not None:
        say_legs(question.legs, ("summary",))


def _vector_state(browser: "Browser", clip: UUID) -> VectorState:
    """Say why a clip is like no other; one that waits for a step that failed waits in vain."""
    state = queries.vector_state(browser.catalogue, browser.owner, clip)
    details = browser.details(clip) if state == "waits" else None
    if details is not None and any(step.state == "blocked" for step in details.steps):
        return "blocked"
    return state
