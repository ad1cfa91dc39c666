"""The summary of a clip that was described in parts, written by a model from theirs."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import ValidationError

from video_assets.services.analysis import AIAnalysisSummary
from video_assets.services.analysis_answers import InvalidAnswerError
from video_assets.services.analysis_prompt import PACKAGE, digest_of

FILE_NAME = "whole.md"


@cache
def instructions() -> str:
    """Read what a model is told first."""
    return files(PACKAGE).joinpath(FILE_NAME).read_text("utf-8")


def version() -> str:
    """Name the instructions by their content."""
    return digest_of(instructions())


def told_of(summaries: Sequence[AIAnalysisSummary], windows: Sequence[tuple[float, float]]) -> str:
    """Write the summaries of the parts."""
    return "\n".join(
        f"{begin:.0f}-{end:.0f} s: {summary.model_dump_json()}"
        for summary, (begin, end) in zip(summaries, windows, strict=True)
    )


def read(text: str) -> AIAnalysisSummary:
    """Read the summary of the whole. Raises InvalidAnswerError."""
    try:
        return AIAnalysisSummary.model_validate_json(text)
    except ValidationError as error:
        raise InvalidAnswerError(
            f"no summary: {error.errors(include_url=False)[0]['msg']}"
        ) from None
