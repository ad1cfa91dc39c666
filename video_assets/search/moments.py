"""Searching for moments: parts of clips, by what is said in them and what it means."""

from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.search.queries import RRF_K, Hit, QueryVectors, Question, Weights
from video_assets.services.vectors import written
from video_assets.storage.postgres import Postgres

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


def moments(
    catalogue: Postgres,
    owner: UUID,
    text: str,
    vectors: QueryVectors | None,
    question: Question,
    *,
    weights: Weights | None = None,
    rrf_k: int = RRF_K,
) -> list[Hit]:
    """Find moments by words and meaning together; by words alone where there are no vectors."""
    chosen = weights or Weights()
    parameters = {
        **question.parameters(),
        "vector": written(vectors.keyword) if vectors else None,
        "fulltext_weight": chosen.fulltext,
        "semantic_weight": chosen.keyword,
        "rrf_k": rrf_k,
    }
    with catalogue.transaction(owner) as connection:
        return [Hit(**row) for row in _queries.moments(connection, text=text, **parameters)]
