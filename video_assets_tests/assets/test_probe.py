"""The probe asset: what a worker makes of one clip, what the UI shows, and when it complains."""

import json
from fractions import Fraction

import pytest

from video_assets.assets.measure.probe import Probe, find_contradiction, summarize
from video_assets.clip_worker import Failed, Measured, Task, perform
from video_assets.media.probe import probe_media
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.locations import Found
from video_assets_tests.clips import Clip, make_clip


def run(path, tmp_path):
    task = Task(
        module="video_assets.assets.measure.probe",
        name="probe",
        checksum="c" * 64,
        source=Found(path, path.stat().st_size, path.stat().st_mtime_ns),
        inputs={},
        settings={},
        artifacts=tmp_path / "artifacts",
    )
    return perform(task, Progress())


def test_a_worker_gives_a_document_that_reads_back(tmp_path):
    path = make_clip(tmp_path / "a.mov", Clip(audio_tracks=1, rate=Fraction(30000, 1001)))
    answer = run(path, tmp_path)
    assert isinstance(answer, Measured)
    probe = Probe.model_validate(json.loads(json.dumps(answer.document)))
    assert probe.video.frame_rate == "30000/1001"
    assert len(probe.audio_tracks) == 1
    assert answer.problems == {}
    assert "a.mov" not in json.dumps(answer.document)


def test_a_bad_file_fails_with_a_sentence(tmp_path):
    (tmp_path / "a.mp4").write_text("no clip at all")
    answer = run(tmp_path / "a.mp4", tmp_path)
    assert isinstance(answer, Failed)
    assert (answer.error_class, answer.fault) == ("NotAVideoError", "file")
    assert answer.message == "expected a video, found text"


def test_the_ui_plots_numbers_and_shows_words(tmp_path):
    probe = Probe.model_validate(
        dict(probe_media(make_clip(tmp_path / "a.mp4", Clip(rotation=90))))
    )
    shown = summarize(probe, ArtifactFolder(tmp_path))
    assert shown["width"] == 36
    assert shown["frame_rate"] == pytest.approx(24)
    assert shown["codec"] == "h264"
    assert None not in shown.values()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({}, None, id="sound"),
        pytest.param({"duration_s": None}, "nothing in it says how long", id="no length"),
        pytest.param({"duration_s": 0.0}, "lasts 0.0 s", id="no time"),
        pytest.param({"warnings": ("the header lies",)}, "the header lies", id="contradiction"),
    ],
)
def test_what_is_not_plausible_is_said(tmp_path, change, complaint):
    facts = probe_media(make_clip(tmp_path / "a.mp4", Clip(frames=4)))
    found = find_contradiction(Probe.model_validate(dict(facts)).model_copy(update=change))
    assert found is None if complaint is None else complaint in str(found)
