"""`video-assets search moments`: find the moment in a clip, not only the clip."""

from typing import Annotated

import typer

from video_assets.interfaces.cli.meaning import no_vectors, question_vectors
from video_assets.interfaces.cli.reading import NO_CATALOGUE, JsonOption, LimitOption, reading
from video_assets.interfaces.cli.search_explain import say_legs
from video_assets.interfaces.cli.search_options import (
    ExplainOption,
    OffsetOption,
    OpenOption,
    ScoresOption,
    ThresholdOption,
    WhereOption,
    conditions,
    say_how_many_are_wanted,
    say_nothing_found,
    say_what_is_less_alike,
    visible,
)
from video_assets.interfaces.cli.search_pictures import show_pictures
from video_assets.interfaces.cli.search_table import hits_table
from video_assets.interfaces.cli.wording import console, counted, say, say_json, titled
from video_assets.search import queries
from video_assets.search.queries import Hit, Question, Visible


def moments(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="Words, as in a web search.")],
    limit: LimitOption = 10,
    offset: OffsetOption = 0,
    where: WhereOption = None,
    scores: ScoresOption = False,
    threshold: ThresholdOption = 0.3,
    explain: ExplainOption = False,
    open_it: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find the passages in which something is said, by their words and what they mean.

    Each answer is a clip and a time. By meaning once `moment_embeddings` has made vectors.
    """
    question = Question(conditions(where), limit, offset, [] if explain else None)
    hits: list[Hit] = []
    with reading() as opened:
        if opened.browser is not None:
            catalogue = opened.browser.catalogue
            vectors = question_vectors(catalogue, opened.owner, text)
            hits = queries.moments(
                catalogue, opened.owner, text, vectors, question, threshold=threshold
            )
        seen = visible(opened, question) if explain or not hits else None
        if open_it:
            show_pictures(opened, text, hits)
    if as_json:
        found = {"type": "moments", "shown": len(hits), "moments": hits}
        say_json({**found, "visible": seen, "legs": question.legs})
        return
    if hits:
        table = hits_table(hits, "moments", scores=scores)
        console().print(titled(f"Moments ({len(hits)} found)", table))
    if seen is not None:
        if not hits:
            say_nothing_found("moments", text, offset)
        _say_what_was_searched(seen)
        if not hits and seen.moments_with_vectors:
            say_what_is_less_alike(text, offset, threshold)
    elif not hits:
        say(NO_CATALOGUE)
    if question.legs is not None and seen is not None:
        say_legs(question.legs, ("text", "semantic"))


def _say_what_was_searched(seen: Visible) -> None:
    say_how_many_are_wanted(seen)
    clips = counted(seen.clips_with_speech, "clip")
    say(f"searched {counted(seen.moments, 'passage')} of {clips} with speech")
    if seen.moments_with_vectors:
        say(f"by meaning: {seen.moments_with_vectors:,} of them have vectors of {seen.model}")
    else:
        say(f"by meaning: {no_vectors(seen)}")
