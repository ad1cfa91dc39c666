"""How a search went, list by list: what `--explain` says."""

from collections.abc import Iterator, Mapping, Sequence

from video_assets.interfaces.cli.wording import say
from video_assets.search.queries import Leg

LISTS: Mapping[str, str] = {
    "text": "words",
    "transcripts": "words that are said",
    "summary": "likeness of summaries",
    "keyword": "likeness of keywords",
    "means": "likeness of clips by all that is said in them",
    "semantic": "likeness of moments",
}
PLANS: Mapping[str, str] = {
    "exact": "exact search, every vector read",
    "neighbours": "HNSW index",
    "nearest clips": "every moment of the nearest clips read",
}


def say_legs(legs: Sequence[Leg], wanted: Sequence[str]) -> None:
    """Say of each list by which plan it was made and what it held; and which were not made.

    wanted  the lists that the search is made of
    """
    for line in _lines(legs, wanted):
        say(line)


def _lines(legs: Sequence[Leg], wanted: Sequence[str]) -> Iterator[str]:
    for leg in legs:
        words = f" {leg.words}" if leg.words else ""
        scans = ", ".join(leg.scans or ())
        yield f"{LISTS[leg.leg]}{words}: {leg.found:,} found by {_plan(leg)} ({scans})"
    for name in wanted:
        if name not in [leg.leg for leg in legs]:
            yield f"{LISTS[name]}: not looked for"


def _plan(leg: Leg) -> str:
    if leg.how is not None:
        return PLANS[leg.how]
    is_bitmap = any(scan.startswith("Bitmap") for scan in leg.scans or ())
    return "text bitmap" if is_bitmap else "looking through the newest"
