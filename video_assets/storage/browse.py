"""One owner's catalogue, as its owner sees it: what there is, how far it has come, what was found.

Every query runs as `authenticated` under row level security; nothing here sees another owner's row.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from video_assets.storage import analyses, descriptions, locations
from video_assets.storage.analyses import Analysis
from video_assets.storage.counts import State
from video_assets.storage.named_queries import load, together
from video_assets.storage.way_in import WayIn

StepState = Literal["done", "failed", "running", "waiting", "blocked"]
SHORTEST_PREFIX = 4
_ID_SIGNS = frozenset("0123456789abcdef-")

_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class ClipName:
    """What tells one clip from another."""

    id: UUID
    file_name: str
    file_path: str
    file_checksum: str
    created_at: datetime


@dataclass(frozen=True)
class ListedClip(ClipName):
    """A clip in a list."""

    file_size_bytes: int
    duration_seconds: Decimal | None
    width: int | None
    height: int | None
    display_width: int | None
    display_height: int | None
    frame_rate: Decimal | None
    is_vfr: bool | None
    codec: str | None
    container: str | None
    progress: int
    state: State
    failed_steps: list[str]


@dataclass(frozen=True)
class ListedClips:
    """One page of clips, and how many there are in all."""

    total: int
    clips: list[ListedClip]


@dataclass(frozen=True)
class UnreadableFile:
    """A file that could not become a clip."""

    path: str
    reason: str
    seen_at: datetime


@dataclass(frozen=True)
class Place:
    """Where a copy of a clip lies, or lay until it was missed."""

    path: str
    host: str
    size_bytes: int
    first_seen_at: datetime
    seen_at: datetime
    missing_at: datetime | None

    @property
    def is_here(self) -> bool:
        """Whether it is a place of this machine."""
        return self.host == locations.HOST


@dataclass(frozen=True)
class Step:
    """What one asset found in a clip, or why it found nothing."""

    name: str
    state: StepState
    seconds: float | None = None
    code_version: str | None = None
    error_class: str | None = None
    error: str | None = None
    fault: str | None = None
    attempts: int = 0
    measured_at: datetime | None = None
    problems: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class Artifact:
    """A file made from a clip; its name is relative to the artifact store."""

    step: str
    kind: str
    name: str
    size_bytes: int | None
    created_at: datetime


@dataclass(frozen=True)
class Scene:
    """What lies between two cuts; its still is relative to the artifact store."""

    number: int
    start_s: float
    end_s: float
    begins_with: str | None
    representative_frame: str | None
    description: str | None
    objects: list[str] | None
    activities: list[str] | None


@dataclass(frozen=True)
class Clip(ListedClip):
    """Everything that the catalogue says of a clip itself."""

    user_id: UUID
    checksum_algorithm: str
    searchable_content: str
    rotation: int | None
    bitrate: int | None
    start_timecode: str | None
    has_audio: bool | None
    audio_tracks: list[dict[str, Any]] | None
    subtitle_tracks: list[dict[str, Any]] | None
    camera_make: str | None
    camera_model: str | None
    technical_metadata: dict[str, Any] | None
    camera_details: dict[str, Any] | None
    content_category: str | None
    content_summary: str | None
    content_tags: list[str] | None
    content_language: str | None
    content_analyzer: str | None
    content_model: str | None
    transcript_preview: str | None
    full_transcript: str | None
    transcript_word_count: int
    transcript_language: str | None
    captured_at: datetime | None
    captured_at_local: datetime | None
    capture_utc_offset_minutes: int | None
    gps_latitude: float | None
    gps_longitude: float | None
    gps_altitude: float | None
    location_name: str | None
    lens_model: str | None
    focal_length_mm: float | None
    focal_length_category: str | None
    is_hdr: bool | None
    hdr_format: str | None
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    exposure_quality: str | None
    exposure_stops: float | None
    exposure_warning: bool | None
    scene_count: int
    thumbnails: list[str] | None
    updated_at: datetime
    processed_at: datetime | None
    preset: str
    planned_steps: list[str]
    current_step: str | None


@dataclass(frozen=True)
class ClipDetails:
    """A clip with its places, scenes, steps, files, and what analyzers and people say of it."""

    clip: Clip
    places: list[Place]
    scenes: list[Scene]
    steps: list[Step]
    artifacts: list[Artifact]
    analyses: list[Analysis]
    edited: list[str]
    quiet_s: float


@dataclass(frozen=True)
class ActiveClip:
    """A clip in work, or changed within the hour."""

    id: UUID
    file_name: str
    progress: int
    current_step: str | None
    status: str
    seconds_since_update: float
    failed_steps: list[str]
    running_steps: list[str]


@dataclass(frozen=True)
class ActiveClips:
    """The latest of them, and how many there are in all."""

    total: int
    clips: list[ActiveClip]


@dataclass(frozen=True)
class Browser:
    """Reads the catalogue of one owner."""

    catalogue: WayIn
    owner: UUID

    def list_clips(
        self, *, state: State | None = None, sort: str = "newest", at_most: int = 20
    ) -> ListedClips:
        """List clips; `sort` is newest, oldest, name, duration, size or progress."""
        with self.catalogue.transaction(self.owner) as connection:
            rows = list(_queries.list_clips(connection, state=state, sort=sort, at_most=at_most))
        total = rows[0]["total"] if rows else 0
        return ListedClips(total, [ListedClip(**_without(row, "total")) for row in rows])

    def find(self, name: str) -> list[ClipName]:
        """Find clips by id, checksum, file name or path, else by how an id or checksum begins."""
        with self.catalogue.transaction(self.owner) as connection:
            rows = list(_queries.find_exact(connection, **_file(name)))
            prefix = name.lower()
            if not rows and len(name) >= SHORTEST_PREFIX and _ID_SIGNS.issuperset(prefix):
                rows = list(_queries.find_prefix(connection, prefix=prefix))
            return [ClipName(**row) for row in rows]

    def find_unreadable(self, name: str) -> list[UnreadableFile]:
        """Find files by name or path that could not become clips."""
        with self.catalogue.transaction(self.owner) as connection:
            rows = _queries.find_unreadable(connection, **_file(name))
            return [UnreadableFile(**row) for row in rows]

    def details(self, clip_id: UUID) -> ClipDetails | None:
        """Read everything about one clip; None when it is gone."""
        with self.catalogue.transaction(self.owner) as connection:
            row = _queries.clip(connection, clip_id=clip_id)
            if row is None:
                return None
            clip = Clip(**row)
            one = {"clip_id": clip_id}
            places, scenes, running, results, artifacts, said, edited, quiet_s = together(
                connection,
                partial(_queries.places, **one),
                partial(_queries.scenes, **one),
                partial(_queries.running, **one),
                partial(_queries.results, checksum=clip.file_checksum),
                partial(_queries.artifacts, **one),
                partial(analyses.queries.analyses, checksums=[clip.file_checksum]),
                partial(descriptions.queries.edited, **one),
                partial(_queries.quiet_s, **one),
            )
        return ClipDetails(
            clip,
            places=[Place(**each) for each in places],
            scenes=[Scene(**each) for each in scenes],
            steps=_steps(clip, results, {each["step"]: each["seconds"] for each in running}),
            artifacts=[Artifact(**each) for each in artifacts],
            analyses=[Analysis(**each) for each in said],
            edited=[each["field"] for each in edited],
            quiet_s=quiet_s,
        )

    def active(self, *, at_most: int) -> ActiveClips:
        """List the clips in work, the latest changed first."""
        with self.catalogue.transaction(self.owner) as connection:
            rows = list(_queries.active(connection, at_most=at_most))
        total = rows[0]["total"] if rows else 0
        return ActiveClips(total, [ActiveClip(**_without(row, "total")) for row in rows])


def _steps(clip: Clip, results: list[dict[str, Any]], running: dict[str, float]) -> list[Step]:
    """Order what is known of each step: the plan's first, then those planned no more."""
    found = {row["asset"]: row for row in results}
    order = [*clip.planned_steps, *sorted(found.keys() - set(clip.planned_steps))]
    not_begun: StepState = "blocked" if clip.state == "failed" else "waiting"
    steps = (_step(name, found.get(name), running.get(name)) for name in order)
    return [step or Step(name, not_begun) for name, step in zip(order, steps, strict=True)]


def _step(name: str, row: dict[str, Any] | None, running_s: float | None) -> Step | None:
    if running_s is not None:
        return Step(name, "running", running_s)
    if row is None:
        return None
    return Step(name, row["status"], **_without(row, "asset", "status"))


def _file(name: str) -> dict[str, Any]:
    """A name as the catalogue has it, and the paths it may stand for from here."""
    paths = [os.path.abspath(name), os.path.realpath(name)]  # noqa: PTH100  Path would resolve
    return {
        "file_name": locations.display(Path(name)) if name else "",
        "paths": [os.fsencode(path) for path in paths],
    }


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
