"""Moment embeddings: a vector of each passage of a clip, so that search answers with a time.

Reads search_texts; writes one MomentEmbeddings per clip. The mean of a clip's vectors is kept too:
search looks for the clips whose mean is near first, and then at their moments alone.
"""

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.index.embedding_quotes import quote_moments
from video_assets.assets.index.search_texts import SearchTexts
from video_assets.clip_asset import clip_asset
from video_assets.progress import Progress
from video_assets.services.embedder import EmbedderSettings, fit, load_embedder, sent_passages
from video_assets.services.paid_model import Payment
from video_assets.services.truncation import cut_to_fit
from video_assets.services.vectors import written
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder

NOTHING_SAID = "nothing is said in the clip, so it has no moments to embed"


class MomentVector(BaseModel):
    """The vector of one passage, as pgvector reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1, description="of the passage")
    vector: str


class MomentEmbeddings(BaseModel):
    """The vectors of one clip's passages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    vectors: tuple[MomentVector, ...]
    mean_vector: str | None = Field(description="of length 1; None without a passage")
    token_count: int = Field(ge=0)
    skipped: str | None = Field(description="why there is no vector; None: there is one")


def summarize(moments: MomentEmbeddings, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give how many vectors there are, and by which model."""
    facts = {"model": moments.model, "moments": len(moments.vectors), "skipped": moments.skipped}
    return {name: value for name, value in facts.items() if value is not None}


@clip_asset(
    lane="embeddings",
    code_version="1",
    metadata=summarize,
    quote=quote_moments,
    sends=sent_passages,
)
def moment_embeddings(
    search_texts: SearchTexts, settings: EmbedderSettings, progress: Progress, billing: Billing
) -> MomentEmbeddings:
    """A vector of each passage of what is said in a clip, for search that answers with a time."""
    passages = search_texts.passages
    if not passages:
        return MomentEmbeddings(
            model=settings.model_name,
            vectors=(),
            mean_vector=None,
            token_count=0,
            skipped=NOTHING_SAID,
        )
    embedder = load_embedder(settings, Payment(billing, lambda: progress(0.5)))
    cut = cut_to_fit([passage.text for passage in passages], embedder)
    found = embedder.embed([text.text for text in cut])
    mean = fit(np.mean(found.vectors, axis=0, keepdims=True), 1)
    return MomentEmbeddings(
        model=settings.model_name,
        vectors=tuple(
            MomentVector(number=passage.number, vector=written(vector))
            for passage, vector in zip(passages, found.vectors, strict=True)
        ),
        mean_vector=written(mean[0]),
        token_count=found.tokens if found.tokens is not None else sum(t.tokens for t in cut),
        skipped=None,
    )
