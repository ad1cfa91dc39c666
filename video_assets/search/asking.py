"""A question in words, as vectors: written as the texts of the clips are, by their model."""

from video_assets.search.queries import QueryVectors
from video_assets.services.embedder import EmbedderSettings, load_embedder


def texts_of(question: str) -> tuple[str, str]:
    """Give what stands for a question beside the clips' summaries, and beside their keywords."""
    return f"Video content about: {question}", question


def embed_question(question: str, settings: EmbedderSettings) -> QueryVectors:
    """Give the two vectors of a question, in one request.

    Raises MediaError, UnreachableError or ToolMissingError when the model cannot be asked.
    """
    summary, keyword = load_embedder(settings).embed(texts_of(question)).vectors
    return QueryVectors(summary.tolist(), keyword.tolist())
