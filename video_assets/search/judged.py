"""Questions with the clips that answer them, as a person wrote them into a YAML file.

queries:
  - text: harbour at dusk
    clips: [A001_C003.mov, 9f2c41d0]
  - text: the speech on the bridge
    clips:
      - {clip: A002_C001.mov, grade: 3}
      - {clip: A002_C002.mov, grade: 1}

A clip is called by its name, its id or its checksum, or by how one of those two begins.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from video_assets.storage.browse import Browser
from video_assets.storage.way_in import WayIn


class JudgedSetError(ValueError):
    """A set of judged questions that cannot be asked; the text says what to write."""


class JudgedClip(BaseModel):
    """A clip that answers a question, and how well: twice the grade counts twice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: str = Field(min_length=1)
    grade: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class JudgedQuery(BaseModel):
    """A question, and every clip that answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1)
    clips: tuple[JudgedClip, ...] = Field(min_length=1)

    @field_validator("clips", mode="before")
    @classmethod
    def _may_be_names_alone(cls, clips: Any) -> Any:
        if not isinstance(clips, list):
            return clips
        return [{"clip": each} if isinstance(each, str) else each for each in clips]


class JudgedSet(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queries: tuple[JudgedQuery, ...] = Field(min_length=1)


def load_judged(path: Path) -> tuple[JudgedQuery, ...]:
    """Read a file of judged questions.

    Raises JudgedSetError for what is none, and OSError for what cannot be read.
    """
    try:
        # Everything is text: a checksum that begins with 9e10 is no number.
        document = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506  makes only text
        return JudgedSet.model_validate(document).queries
    except ValidationError as faults:
        said = [f"{_where(each['loc'])}: {each['msg']}" for each in faults.errors()]
        raise JudgedSetError("\n".join(f"{path.name}: {each}" for each in said)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise JudgedSetError(f"{path.name} is no YAML: {' '.join(str(fault).split())}") from None


def resolve(
    catalogue: WayIn, owner: UUID, judged: Sequence[JudgedQuery]
) -> list[dict[UUID, float]]:
    """Find the clips of each question, with their grades.

    Raises JudgedSetError that names every clip that the owner does not have, or has twice.
    """
    browser = Browser(catalogue, owner)
    names = sorted({each.clip for query in judged for each in query.clips})
    found = {name: browser.find(name) for name in names}
    unclear = [
        f"{name!r} names {len(clips) or 'no'} clip{'s' if clips else ''}"
        for name, clips in found.items()
        if len(clips) != 1
    ]
    if unclear:
        raise JudgedSetError(f"{'; '.join(unclear)}: write how its checksum begins")
    return [{found[each.clip][0].id: each.grade for each in query.clips} for query in judged]


def _where(place: tuple[int | str, ...]) -> str:
    return ".".join(map(str, place)) or "the file"
