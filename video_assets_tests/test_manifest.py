"""Real files of many cameras and editors, against what ffprobe and exiftool say of them.

The folder is `shared/media` beside the repository, or VIDEO_ASSETS_MEDIA; without it the tests
are skipped. Run with `-s` to see the table.
"""

import csv
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from video_assets.media.errors import MediaError
from video_assets.media.probe import MediaFacts, probe_media
from video_assets.media.thumbnails import take_thumbnails

REPOSITORY = Path(__file__).parents[1]
MEDIA = Path(os.environ.get("VIDEO_ASSETS_MEDIA", REPOSITORY.parent / "shared" / "media"))
DURATION_S = 0.1

# Where our number is another one on purpose.
EXPLAINED = {
    ("nasa_2video_2audio_2subs.mp4", "duration"): "ours leaves out subtitles, which show nothing",
    (
        "delayed_start.mp4",
        "duration",
    ): "ours is the length, theirs the end: it starts late",
    ("broken/duration_claims_24min_has_30s.mkv", "duration"): "ours is what the file holds",
    ("broken/no_duration.webm", "duration"): "the header has none; ours is measured",
}


def read_rows() -> list[dict[str, str]]:
    if not (MEDIA / "MANIFEST.tsv").is_file():
        return []
    with (MEDIA / "MANIFEST.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def is_playable(row: dict[str, str]) -> bool:
    """Tell the rows of clips that show at least one frame."""
    is_stub = "metadata-only stub" in row["notable"]
    has_no_frame = "decoded=0" in row["broken_full_decode"]
    is_still = row["container"] in ("image2", "jpeg_pipe", "")
    return row["n_video"] not in ("", "0") and not (is_stub or has_no_frame or is_still)


ROWS = read_rows()
PLAYABLE = [row for row in ROWS if is_playable(row)]
OTHERS = [row for row in ROWS if not is_playable(row)]
missing = pytest.mark.skipif(not ROWS, reason=f"no {MEDIA}/MANIFEST.tsv")


@dataclass(frozen=True)
class Compared:
    field: str
    theirs: object
    ours: object

    @property
    def agrees(self) -> bool:
        if self.field == "duration":
            theirs, ours = float(str(self.theirs) or 0), float(str(self.ours))
            return abs(theirs - ours) <= DURATION_S
        return self.theirs == self.ours


def compare(row: dict[str, str], facts: MediaFacts) -> list[Compared]:
    """Put each fact of the manifest beside ours, in the manifest's notation."""
    video = facts.video
    turned = int(float(row["rotation"] or 0))
    return [
        Compared("size", int(row["size"]), facts.size_bytes),
        Compared("container", row["container"], facts.format_name),
        Compared("codec", row["vcodec"], video.codec),
        Compared("pix_fmt", row["pix_fmt"], video.pixel_format),
        Compared("width", int(row["width"]), video.width),
        Compared("height", int(row["height"]), video.height),
        Compared("aspect", row["sar"] or "1:1", video.sample_aspect_ratio),
        Compared("rotation", -turned % 360, video.rotation),
        Compared("rate", Fraction(row["avg_fps"]), Fraction(video.average_frame_rate or 0)),
        Compared("duration", row["duration"], facts.duration_s),
        Compared("transfer", row["color_transfer"] or None, video.color_transfer),
        Compared("primaries", row["color_primaries"] or None, video.color_primaries),
        Compared("timecode", row["timecode"] or None, facts.timecode),
        Compared("audio", _sounds(row), [_sound(track) for track in facts.audio_tracks]),
        Compared("subtitles", _subtitles(row), [t.codec for t in facts.subtitle_tracks]),
        Compared("chapters", int(row["n_chapters"]), facts.chapter_count),
    ]


def _sounds(row: dict[str, str]) -> list[str]:
    return [part.strip() for part in row["audio"].split(";") if part.strip()]


def _sound(track) -> str:
    return f"{track.codec}/{track.channels or 0}ch/{track.sample_rate or 0}"


def _subtitles(row: dict[str, str]) -> list[str]:
    return [part.strip().split("/")[0] for part in row["subtitles"].split(";") if part.strip()]


@missing
@pytest.mark.parametrize("row", PLAYABLE, ids=lambda row: row["file"])
def test_every_fact_agrees_or_has_a_reason(row):
    facts = probe_media(MEDIA / row["file"])
    compared = compare(row, facts)
    video = facts.video
    print(
        f"\n{row['file']:42} {video.codec:10} {video.display_width}x{video.display_height} "
        f"{video.rotation:3} {video.frame_rate:>14} {facts.duration_s:9.3f} s "
        f"{len(facts.audio_tracks)}a {len(facts.subtitle_tracks)}s {facts.timecode or ''}",
        end="",
    )
    differing = [fact for fact in compared if not fact.agrees]
    unexplained = [fact for fact in differing if (row["file"], fact.field) not in EXPLAINED]
    assert unexplained == []


@missing
@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row["file"])
def test_what_does_not_play_says_why(row):
    with pytest.raises(MediaError) as caught:
        probe_media(MEDIA / row["file"])
    assert Path(row["file"]).name not in str(caught.value)
    assert len(str(caught.value)) > 20


@missing
@pytest.mark.parametrize("row", PLAYABLE, ids=lambda row: row["file"])
def test_every_playable_clip_gives_stills(row):
    facts = probe_media(MEDIA / row["file"])
    stills = take_thumbnails(MEDIA / row["file"], facts, count=2, width=320, method="keyframe")
    assert stills
    limit = min(320, facts.video.display_width)
    assert all(still.image.shape[1] <= limit for still in stills)
