"""Embeddings: two vectors of each clip, by which it is found by what it is about.

Reads search_texts; writes one Embeddings per clip: a vector of its summary and one of its keywords,
by the model that the preset names. A clip of which nothing is known in words has none, and says so.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.index.embedding_quotes import quote_texts
from video_assets.assets.index.search_texts import SearchTexts
from video_assets.clip_asset import clip_asset
from video_assets.progress import Progress
from video_assets.search.evaluation import check_recall
from video_assets.search.exact import owners_with_vectors
from video_assets.services.embedder import EmbedderSettings, load_embedder, sent_texts
from video_assets.services.paid_model import Payment
from video_assets.services.truncation import Truncated, cut_to_fit
from video_assets.services.vectors import written
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres

LEAST_RECALL = 0.95
OWNERS_ASKED, CLIPS_ASKED = 50, 20
NOTHING_KNOWN = "nothing is known of the clip in words, so there is nothing to embed"


class Embeddings(BaseModel):
    """The vectors of one clip, and what was embedded.

    A vector is text as pgvector reads it: 1024 numbers of a vector of length 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    summary_vector: str | None = Field(description="None: the text is empty")
    keyword_vector: str | None = Field(description="None: the text is empty")
    embedded_content: str
    original_content: str = Field(description="before it was cut")
    token_count: int = Field(ge=0, description="as the model counts, else four bytes a token")
    original_token_count: int = Field(ge=0)
    truncation_method: str = Field(description="summary:<method>, keyword:<method>")
    skipped: str | None = Field(description="why there is no vector; None: there is one")


def summarize(embeddings: Embeddings, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give what was embedded, and how much of it."""
    facts = {
        "model": embeddings.model,
        "tokens": embeddings.token_count,
        "original_tokens": embeddings.original_token_count,
        "truncation": embeddings.truncation_method,
        "skipped": embeddings.skipped,
    }
    return {name: value for name, value in facts.items() if value is not None}


@clip_asset(
    lane="embeddings", code_version="1", metadata=summarize, quote=quote_texts, sends=sent_texts
)
def embeddings(
    search_texts: SearchTexts, settings: EmbedderSettings, progress: Progress, billing: Billing
) -> Embeddings:
    """Two vectors of each clip, of its summary and of its keywords, for search by meaning."""
    whole = (search_texts.summary, search_texts.keywords)
    if not any(whole):
        return _nothing(settings)
    embedder = load_embedder(settings, Payment(billing, lambda: progress(0.5)))
    cut = cut_to_fit(whole, embedder)
    vectors: list[str | None] = [None, None]
    present = [place for place, text in enumerate(whole) if text]
    found = embedder.embed([cut[place].text for place in present])
    for place, vector in zip(present, found.vectors, strict=True):
        vectors[place] = written(vector)
    return _embeddings(settings, whole, cut, vectors, found.tokens)


def _embeddings(
    settings: EmbedderSettings,
    whole: Sequence[str],
    cut: Sequence[Truncated],
    vectors: Sequence[str | None],
    counted: int | None,
) -> Embeddings:
    estimated = sum(text.tokens for text in cut)
    tokens = estimated if counted is None else counted
    return Embeddings(
        model=settings.model_name,
        summary_vector=vectors[0],
        keyword_vector=vectors[1],
        embedded_content=_content(*(text.text for text in cut)),
        original_content=_content(*whole),
        token_count=tokens,
        original_token_count=tokens + sum(text.original_tokens for text in cut) - estimated,
        truncation_method=f"summary:{cut[0].method}, keyword:{cut[1].method}",
        skipped=None,
    )


def _nothing(settings: EmbedderSettings) -> Embeddings:
    return Embeddings(
        model=settings.model_name,
        summary_vector=None,
        keyword_vector=None,
        embedded_content="",
        original_content="",
        token_count=0,
        original_token_count=0,
        truncation_method="summary:none, keyword:none",
        skipped=NOTHING_KNOWN,
    )


def _content(summary: str, keywords: str) -> str:
    return f"Summary: {summary}\nKeywords: {keywords}"


@dg.asset_check(asset=embeddings, required_resource_keys={"catalogue"})
def search_recall(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Searches find what reading every vector finds, for each owner under row level security."""
    return judge_searches(context.resources.catalogue)


def judge_searches(catalogue: Postgres) -> dg.AssetCheckResult:
    """Hold the searches of owners against exact search."""
    owners = owners_with_vectors(catalogue, at_most=OWNERS_ASKED)
    found = check_recall(catalogue, owners, sample=CLIPS_ASKED)
    lowest = min((each.recall for each in found), default=1.0)
    return dg.AssetCheckResult(
        passed=lowest >= LEAST_RECALL,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"the searches of {len(found)} owners find at least {lowest:.1%} of what an "
        "exact search finds",
        metadata={
            "owners": len(found),
            "lowest_recall": lowest,
            "recall": dg.MetadataValue.json({str(each.owner): each.recall for each in found}),
        },
    )
