"""How a question finds its way to the model by which the clips were embedded.

The catalogue knows the model by name. Where it is asked, a preset says: of those that there are,
the first whose step `embeddings` names the model.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from video_assets.interfaces.cli.reading import leave, where_processed
from video_assets.interfaces.cli.wording import say
from video_assets.presets.model import load_preset, own_presets, preset_names
from video_assets.presets.step_settings import complete
from video_assets.presets.strict import PresetError
from video_assets.search import queries
from video_assets.search.queries import QueryVectors, VectorState, Visible
from video_assets.storage.way_in import WayIn

if TYPE_CHECKING:
    from video_assets.services.embedder import EmbedderSettings

STEP = "embeddings"


def question_vectors(catalogue: WayIn, owner: UUID, text: str) -> QueryVectors | None:
    """Turn a question into vectors, where there are vectors to compare them with.

    Where the model cannot be asked, say so and go on by words.
    """
    model = queries.model_in_use(catalogue, owner)
    if model is None or not text.strip():
        return None
    try:
        return _vectors_of(text, model)
    except MeaningError as error:
        say(f"searched by words alone: {error}", error=True)
        return None


def needed_vectors(model: str, text: str) -> QueryVectors:
    """Turn a question into vectors by a model, or end by saying why that cannot be."""
    try:
        return _vectors_of(text, model)
    except MeaningError as error:
        leave(str(error))


def no_vectors(seen: Visible) -> str:
    """Say why nothing is found by meaning, and what to do."""
    if not seen.clips:
        return f"there are no clips yet; {where_processed('ingest FOLDER')} takes them in"
    return (
        f"no vectors yet: {seen.clips:,} clips wait for `embeddings`; "
        f"{where_processed('ingest FOLDER --enable-ai')} makes them"
    )


def no_vector(clip: str, state: VectorState) -> str:
    """Say why a clip can be compared with no other, and what to do."""
    if state == "waits":
        return (
            f"{clip} has no vector yet, it waits for `embeddings`; "
            f"{where_processed('ingest FOLDER --enable-ai')} makes it"
        )
    if state == "blocked":
        return f"{clip} has no vector, because an earlier step failed; `failures` says why"
    if state == "of the next model":
        return f"{clip} has a vector by the next model alone, searched when all clips have one"
    if state == "failed":
        return f"{clip} has no vector, its `embeddings` failed; `failures` says why"
    return f"{clip} has no vector, because nothing is known of it in words"


class MeaningError(Exception):
    """A question cannot be turned into vectors; the text says why, and what to do."""


def vectors_of(texts: Sequence[str], model: str) -> list[list[float]]:
    """Turn what is known of clips into vectors, by a model on this machine.

    A command that only shows something pays nobody and sends nothing of a clip away.

    Raises MeaningError.
    """
    from video_assets.media.errors import MediaError
    from video_assets.services.embedder import load_embedder
    from video_assets.services.naming import is_here

    settings = _settings_of(model)
    if settings.engine == "openai_compatible" and not is_here(settings.base_url):
        raise MeaningError(
            f"{model} is asked at {settings.base_url}, and summaries are sent nowhere only to be "
            "compared; leave --meaning out"
        )
    try:
        return load_embedder(settings).embed(texts).vectors.tolist()
    except MediaError as error:
        raise MeaningError(str(error)) from None


def _vectors_of(question: str, model: str) -> QueryVectors:
    """Ask a model for the vectors of a question.

    Raises MeaningError.
    """
    from video_assets.media.errors import MediaError
    from video_assets.search.asking import embed_question

    try:
        return embed_question(question, _settings_of(model))
    except MediaError as error:
        raise MeaningError(str(error)) from None


def _settings_of(model: str) -> "EmbedderSettings":
    """Find where a model is asked. Raises MeaningError."""
    from video_assets.services.embedder import EmbedderSettings

    for where, params in _steps():
        try:
            settings = complete(EmbedderSettings, params, where=where)
        except PresetError:
            continue  # whoever runs it is told
        if settings.model_name == model:
            return settings
    raise MeaningError(
        f"the clips are embedded by {model}, and no preset says where that model is asked; name it "
        f"in the step {STEP} of one"
    )


def _steps() -> Iterator[tuple[str, dict[str, object]]]:
    """Give the settings of the step in each preset, the user's own first."""
    for name in (*own_presets(), *preset_names()):
        try:
            step = load_preset(name).step(STEP)
        except PresetError:
            continue
        if step is not None:
            yield f"preset {name}, step {STEP}", dict(step.params)
