"""The thumbnails asset: files in the store, the contact sheet in the UI, honest complaints."""

import base64
import json
from fractions import Fraction

import cv2
import numpy as np
import pytest

from video_assets.assets.derive.thumbnails import (
    Thumbnails,
    ThumbnailSettings,
    find_gap,
    make_thumbnails,
    preview,
    summarize,
)
from video_assets.assets.measure.probe import Probe
from video_assets.clip_worker import Measured, Task, perform
from video_assets.media.contact_sheet import lay_out
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.media.thumbnails import encode_jpeg
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.locations import Found
from video_assets_tests.clips import Clip, flat, make_clip

CHECKSUM = "c" * 64
SLOW = [Fraction(time) for time in (0, 20, 21)]


@pytest.fixture
def artifacts(tmp_path):
    return ArtifactFolder.of(tmp_path / "artifacts", CHECKSUM, "thumbnails")


@pytest.fixture
def make(tmp_path, artifacts):
    def thumbnails(clip=None, **settings) -> Thumbnails:
        path = make_clip(tmp_path / "clip.mp4", clip)
        probe = Probe.model_validate(dict(probe_media(path)))
        return make_thumbnails(
            Source(CHECKSUM, path), probe, ThumbnailSettings(**settings), artifacts
        )

    return thumbnails


def test_every_still_is_a_file_of_the_size_it_says(make, artifacts):
    result = make(count=3, width=32)
    assert [still.name.rpartition("/")[2] for still in result.thumbnails] == [
        "thumb_000.jpg",
        "thumb_001.jpg",
        "thumb_002.jpg",
    ]
    for still in result.thumbnails:
        data = artifacts.path_of(still.name).read_bytes()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape[:2] == (still.height, still.width) == (18, 32)
        assert len(data) == still.size_bytes
    assert artifacts.path_of(result.contact_sheet).is_file()


def test_quality_is_used(make):
    noise = np.random.default_rng(1).integers(0, 255, (72, 128, 3), np.uint8)
    clip = Clip(width=128, height=72, frames=4, picture=lambda *_: noise)
    low, high = make(clip, count=1, quality=10), make(clip, count=1, quality=95)
    assert low.thumbnails[0].size_bytes * 2 < high.thumbnails[0].size_bytes


def test_a_worker_gives_a_document_that_reads_back(tmp_path, artifacts):
    path = make_clip(tmp_path / "a.mp4")
    task = Task(
        module="video_assets.assets.derive.thumbnails",
        name="thumbnails",
        checksum=CHECKSUM,
        source=Found(path, path.stat().st_size, path.stat().st_mtime_ns),
        inputs={"probe": probe_media(path).model_dump(mode="json")},
        settings=ThumbnailSettings(count=2).model_dump(),
        artifacts=artifacts.path,
    )
    answer = perform(task, Progress())
    assert isinstance(answer, Measured), answer
    result = Thumbnails.model_validate(json.loads(json.dumps(answer.document)))
    assert len(result.thumbnails) == 2
    assert answer.problems == {}
    assert str(tmp_path) not in json.dumps(answer.document)


def test_the_ui_shows_a_small_contact_sheet(make, artifacts):
    shown = summarize(make(), artifacts)
    assert shown["thumbnails"] == 5
    markdown = shown["contact_sheet"].value
    assert markdown.startswith("![contact sheet](data:image/jpeg;base64,")
    assert len(markdown) <= 8192


def test_even_a_busy_preview_stays_small():
    noise = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
    markdown = preview(encode_jpeg(lay_out([noise] * 20), 80))
    assert len(markdown) <= 8192
    data = base64.b64decode(markdown.partition("base64,")[2].rstrip(")"))
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None


@pytest.mark.parametrize(
    ("clip", "complaint"),
    [
        pytest.param(Clip(), None, id="whole"),
        pytest.param(Clip(frames=2), None, id="shorter than asked for"),
        pytest.param(Clip(picture=flat(0, 0, 0)), "all 5 stills are black", id="black"),
    ],
)
def test_complaints_are_honest(make, clip, complaint):
    found = find_gap(make(clip))
    assert found is None if complaint is None else complaint in str(found)


@pytest.mark.parametrize(
    "clip", [Clip(frames=4), Clip(frames=3, times_s=SLOW)], ids=["short", "slow"]
)
def test_a_picture_can_serve_several_positions(tmp_path, artifacts, clip):
    path = make_clip(tmp_path / "clip.mkv", clip)  # whose header has no number of frames
    probe = Probe.model_validate(dict(probe_media(path)))
    result = make_thumbnails(Source(CHECKSUM, path), probe, ThumbnailSettings(), artifacts)
    assert (len(result.thumbnails) < 5, result.served) == (True, 5)
    assert find_gap(result) is None


def test_missing_stills_are_counted(make):
    result = make()
    fewer = result.model_copy(update={"thumbnails": result.thumbnails[:3], "served": 3})
    assert str(find_gap(fewer)).startswith("2 of 5 positions")
