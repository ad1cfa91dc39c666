"""The document of a clip: made from what exists, with the names that other programs read."""

import json
from fractions import Fraction
from pathlib import Path

from video_assets.assets.derive.thumbnails import Thumbnails, ThumbnailSettings, make_thumbnails
from video_assets.assets.index.video_document import compose
from video_assets.assets.ingest.checksum import FileInfo
from video_assets.assets.measure.probe import Probe
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.clips import Clip, make_clip

INFO = FileInfo(file_checksum="0" * 64, checksum_algorithm="blake3", file_size_bytes=10)


def probe_of(path: Path) -> Probe:
    """What a clip is."""
    return Probe.model_validate(dict(probe_media(path)))


def stills_of(path: Path, probe: Probe) -> Thumbnails:
    """Two stills of a clip."""
    folder = ArtifactFolder.of(path.parent / "store", INFO.file_checksum, "thumbnails")
    source = Source(INFO.file_checksum, path)
    return make_thumbnails(source, probe, ThumbnailSettings(count=2), folder)


def test_the_document_says_what_was_found(tmp_path: Path) -> None:
    clip = Clip(rate=Fraction(30000, 1001), rotation=90, audio_tracks=1, timecode="01:00:00;00")
    path = make_clip(tmp_path / "clip.mov", clip)
    probe = probe_of(path)
    document = json.loads(compose(INFO, probe, stills_of(path, probe)).model_dump_json())

    assert document["file_info"]["file_checksum"] == "0" * 64
    assert document["video"]["codec"]["name"] == "h264"
    assert document["video"]["resolution"] == {"width": 64, "height": 36, "aspect_ratio": "9:16"}
    assert document["video"]["rotation"] == 90
    assert round(document["video"]["frame_rate"], 3) == 29.97
    assert document["video"]["start_timecode"] == "01:00:00;00"
    assert len(document["audio_tracks"]) == 1
    assert len(document["thumbnails"]) == 2


def test_a_clip_without_stills_has_a_document_too(tmp_path: Path) -> None:
    document = compose(INFO, probe_of(make_clip(tmp_path / "clip.mp4")), None)
    assert document.thumbnails == ()
    assert document.video.duration_seconds == 2.0


def test_what_was_not_looked_for_is_absent_and_not_false(tmp_path: Path) -> None:
    document = compose(INFO, probe_of(make_clip(tmp_path / "clip.mp4")), None)
    assert document.camera is None
    assert document.video.color.hdr is None
    assert document.user_id is None
    assert str(tmp_path) not in document.model_dump_json()
