"""Questions to a made catalogue, and what the database's own process spends on each."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from search_exact import TOP
from search_fill import Filled
from search_vectors import Connection
from search_world import KEYWORD, SUMMARY, Array, World

from video_assets.services.vectors import written

RANKED = 1000  # so many of the clips with the words are ranked

Asked = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Question:
    """Who asks, by which words and vectors, and a clip that others may be like."""

    who: uuid.UUID
    clip: uuid.UUID
    words: str
    summary: Array
    keyword: Array

    def searches(self) -> Mapping[str, Asked]:
        """Give it to each search; the first column of each is what is found."""
        summary, keyword = written(self.summary), written(self.keyword)
        return {
            "hybrid": (
                "SELECT id FROM hybrid_search_clips(%s, %s::vector, %s::vector)",
                (self.words, summary, keyword),
            ),
            "semantic": (
                "SELECT id FROM semantic_search_clips(%s::vector, %s::vector)",
                (summary, keyword),
            ),
            "similar": ("SELECT id FROM find_similar_clips(%s, %s, 0)", (self.clip, TOP)),
            **by_words(self.words),
            "moments": (
                "SELECT segment_id FROM search_moments(%s, %s::vector)",
                (self.words, keyword),
            ),
            "moments by meaning": (
                "SELECT segment_id FROM search_moments('', %s::vector)",
                (keyword,),
            ),
        }

    def ranked_texts(self) -> Asked:
        """Ask for all clips with the words that are ranked."""
        return "SELECT id FROM fulltext_search_clips(%s, %s)", (self.words, RANKED)


def by_words(words: str) -> Mapping[str, Asked]:
    """Give the searches that need no vector."""
    return {
        "text": ("SELECT id FROM fulltext_search_clips(%s)", (words,)),
        "transcripts": ("SELECT clip_id FROM search_transcripts(%s)", (words,)),
        "moments by words": ("SELECT segment_id FROM search_moments(%s)", (words,)),
    }


def make_questions(
    world: World, filled: Filled, owners: Sequence[int], count: int
) -> list[Question]:
    """Ask as these owners in turn: half about a clip of theirs, half about something like it."""
    questions = []
    clips_of = [np.flatnonzero(filled.owner_of == owner) for owner in owners]
    for number in range(count):
        theirs = clips_of[number % len(owners)]
        clip = int(world.random.choice(theirs))
        topic = int(filled.topic_of[clip])
        meant = filled.meanings[clip : clip + 1]
        if number // len(owners) % 2:
            meant = world.meanings(np.array([topic]))
        questions.append(
            Question(
                who=filled.owner(clip),
                clip=filled.ids[clip],
                words=f"topic{topic}x{number % 8}",
                summary=world.vectors(meant, SUMMARY)[0],
                keyword=world.vectors(meant, KEYWORD)[0],
            )
        )
    return questions


def measure(connection: Connection, who: uuid.UUID, asked: Asked) -> tuple[float, list[uuid.UUID]]:
    """Ask under row level security; give the CPU milliseconds of the server, and the answer."""
    before = cpu_ns(connection)
    with connection.transaction():
        connection.execute(
            "SELECT set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', jsonb_build_object('sub', %s::text)::text, true)",
            (who,),
        )
        found = ask(connection, asked)
    return (cpu_ns(connection) - before) / 1e6, found


def ask(connection: Connection, asked: Asked) -> list[uuid.UUID]:
    """Give what is found."""
    query, values = asked
    return [row[0] for row in connection.execute(query.encode(), values)]


def cpu_ns(connection: Connection) -> int:
    """Give the CPU nanoseconds so far of a connection's process."""
    return int(Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()[0])


def printed(spent_ms: Sequence[float]) -> str:
    """Give the middle of what was spent, and what one in twenty exceeds."""
    half, most = np.percentile(spent_ms, [50, 95])
    return f"p50 {half:6.1f} ms  p95 {most:6.1f} ms"
