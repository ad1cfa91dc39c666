"""The tables of which an owner's catalogue consists, and by what rule each is copied to another.

The ledger and what people did are merged, row by row: the newer row stands, and none is removed.
What follows from the ledger is taken as a whole, clip by clip, so that its ids are kept.
"""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Table:
    """A table of `public`.

    key    what tells its rows apart, whoever owns them
    clip   the column that names a row's clip
    newer  an array of numbers, in SQL of a {row}, that is greater in the row that was written
           later; without it the row that is copied stands
    only   which of its rows are meant, in SQL
    host   whether its rows are about places, of which the machine alone knows that has them
    """

    name: str
    key: tuple[str, ...] = ("id",)
    clip: str | None = None
    newer: str | None = None
    only: str = "true"
    host: bool = False


def _time(at: str, *then: str) -> str:
    """Tell the later row by a time, and rows of the same time by what changes once."""
    return f"ARRAY[{', '.join([f'extract(epoch FROM {at})', *then])}]"


OWNED = (
    Table("runs", ("run_id",), newer=_time("coalesce({row}.ended_at, {row}.started_at)")),
    Table("run_unreadable_files"),
    Table(
        "unreadable_files",
        ("host", "path_bytes"),
        newer=_time("{row}.seen_at"),
        host=True,
    ),
    Table("forgotten", ("identity",), newer=_time("{row}.forgotten_at")),
    Table(
        "ai_calls",
        newer=_time(
            "coalesce({row}.settled_at, {row}.sent_at)",
            "{row}.counted::int",
            "(NOT {row}.is_reusable)::int",
        ),
        only="cost_usd IS NOT NULL",  # how the others end only the catalogue knows that sent them
    ),
)
LEDGER = Table(
    "results",
    ("file_checksum", "asset"),
    newer=_time("{row}.measured_at"),
)
CLIPS = Table("clips", clip="id", newer=_time("{row}.updated_at"))
# In an order in which none refers to a later one.
PROJECTED = (
    Table("scenes", clip="video_id"),
    Table("segments", clip="clip_id"),
    Table("transcripts", ("clip_id",), clip="clip_id"),
    Table("artifacts", clip="video_id"),
    Table("analysis", clip="clip_id"),
    Table("vectors", clip="clip_id"),
    Table("clip_vectors", ("clip_id", "kind", "space"), clip="clip_id"),
    Table("moment_vectors", ("segment_id", "space"), clip="clip_id"),
)
_PROMOTED = _time("coalesce({row}.rolled_back_at, {row}.promoted_at)")
# What a person said of a clip: a clip of which more is said at the target is not overwritten.
SAID = (
    Table(
        "human_edits",
        ("clip_id", "field"),
        clip="clip_id",
        newer=_time("{row}.edited_at"),
    ),
    Table("promotions", clip="clip_id", newer=_PROMOTED, only="clip_id IS NOT NULL"),
)
MERGED = (
    Table(
        "clip_locations",
        ("host", "path_bytes"),
        clip="clip_id",
        newer=_time("greatest({row}.seen_at, {row}.missing_at)"),
        host=True,
    ),
    Table("processing_events", clip="video_id"),
    Table("run_clips", ("run_id", "clip_id"), clip="clip_id"),
    *SAID,
)
# After the clips: the trigger describes them anew, which then changes nothing.
LAST = (Table("promotions", newer=_PROMOTED, only="clip_id IS NULL"),)

BY_CLIP = (CLIPS, *PROJECTED, *MERGED)
ALL = (*OWNED, LEDGER, *BY_CLIP, *LAST)

LEFT_OUT = {
    "public.catalogue": "the algorithm of checksums, which has to be the same",
    "public.clip_texts": "a trigger makes it from the clip",
    "public.deletions": "what was removed, or is to be, from the files and ledger of one catalogue",
    "public.embedding_spaces": "where a model's vectors lie; each catalogue has numbers of its own",
    "public.user_profiles": "of the account, which is another one there",
    "private.artifact_copies": "where a file lies in which store; `artifacts move` notes it",
    "private.artifact_digests": "what the files in a store must be; `artifacts move` notes it",
    "private.ai_pauses": "how services behave towards the keys of one catalogue",
    "private.ai_totals": "a trigger adds them up from the calls",
    "private.messages": "what the people of one catalogue were told",
    "private.postponed_cells": "why work waits in one catalogue; found anew",
    "private.settled_clips": "what is known to need no work in one catalogue; found anew",
}

# Never compared, and never taken over as they are.
OWNER = "user_id"
REPORTED = "reported"  # whether the Dagster of one catalogue was told
SPACE = "space"  # the number of a model in one catalogue
