"""A question in words, as vectors: written as the texts of the clips are, by their model."""

from video_assets.search.queries import QueryVectors
from video_assets.search.unwanted import without_unwanted
from video_assets.services.embedder import EmbedderSettings, load_embedder


def texts_of(question: str) -> tuple[str, str]:
    """Give what stands for a question beside the clips' summaries, and beside their keywords.

    To a model, a word that must not be there is one more that is asked for: it is left out.
    """
    wanted = " ".join(without_unwanted(question).split()) or question
    return f"Video content about: {wanted}", wanted


def embed_question(question: str, settings: EmbedderSettings) -> QueryVectors:
    """Give the two vectors of a question, in one request.

    Raises MediaError, UnreachableError or ToolMissingError when the model cannot be asked.
    """
    summary, keyword = load_embedder(settings).embed(texts_of(question)).vectors
    return QueryVectors(summary.tolist(), keyword.tolist())
