"""What may have been meant by a question that finds nothing: words that the owner's clips have."""

import difflib
import re
from uuid import UUID

from video_assets.search import queries
from video_assets.search.queries import Question
from video_assets.search.unwanted import unwanted_spans
from video_assets.storage.way_in import WayIn

SHORTEST = 4  # shorter words are like too many others
LIKENESS = 0.75
_WORD = re.compile(r"[^\W\d_]+")


def suggest(catalogue: WayIn, owner: UUID, text: str) -> str | None:
    """Write a question with words that there are; None where no word is like an unknown one.

    Looks through the clips that came last. A word that any clip has in some form is no mistake, and
    neither is one that must not be there.
    """
    known = set(queries.words(catalogue, owner))
    unwanted = unwanted_spans(text)

    def corrected(found: re.Match[str]) -> str:
        word = found[0].lower()
        is_unwanted = any(begin < found.start() < end for begin, end in unwanted)
        if len(word) < SHORTEST or word in known or is_unwanted:
            return found[0]
        meant = difflib.get_close_matches(word, known, 1, LIKENESS)
        is_there = bool(meant) and queries.fulltext(catalogue, owner, word, Question(limit=1))
        return meant[0] if meant and not is_there else found[0]

    meant = _WORD.sub(corrected, text)
    return meant if meant != text else None
