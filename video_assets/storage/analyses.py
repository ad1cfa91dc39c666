"""What models say of one owner's clips, one analysis for each analyzer, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID

from video_assets.storage.named_queries import load
from video_assets.storage.way_in import WayIn

Analyzer = Literal["gemini_analysis", "claude_analysis", "local_analysis"]
ANALYZERS: tuple[Analyzer, ...] = get_args(Analyzer)
"""Those of the program, in the order in which they are believed unless somebody says otherwise."""

queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Analysis:
    """What one analyzer says of one clip, and what that took.

    is_partial  the answer is still coming, and this is what has arrived
    is_chosen   its words stand for the clip in the catalogue
    file        the whole as JSON, relative to the artifact store
    calls, tokens, cost and seconds are None while it is partial
    """

    clip_id: UUID
    file_name: str
    file_checksum: str
    duration_s: float | None
    thumbnails: list[str] | None
    analyzer: str
    ai_model: str
    is_partial: bool
    is_chosen: bool
    summary: dict[str, Any] | None
    visual: dict[str, Any] | None
    audio: dict[str, Any] | None
    content: dict[str, Any] | None
    file: str | None
    prompt_version: str | None
    calls: int | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    warnings: list[str]
    cost_usd: float | None
    seconds: float | None
    created_at: datetime


def analyses(
    catalogue: WayIn, owner: UUID, checksums: Sequence[str] | None = None
) -> list[Analysis]:
    """Read what analyzers say of some of an owner's clips, or of all."""
    wanted = None if checksums is None else list(checksums)
    with catalogue.transaction(owner) as connection:
        return [Analysis(**row) for row in queries.analyses(connection, checksums=wanted)]
