"""Cuts and fields of real files against PySceneDetect's stored references and FFmpeg's measures.

Every difference is listed with what is to be seen in the pictures there.
"""

import json
from pathlib import Path

import pytest

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.exposure import Exposure
from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.derive.proxy import ProxySettings
from video_assets.assets.measure.probe import Probe
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.test_manifest import MEDIA, ROWS, missing

STORED = {
    "testvideo_cuts_fades.mp4": ("testvideo", 30000 / 1001),
    "vfr_drop3_cuts.mp4": ("goldeneye-vfr-drop3", 24000 / 1001),
    "rot90_goldeneye_cut.mp4": ("goldeneye", 24000 / 1001),
    "counter_nocuts.mp4": ("counter", 10.0),
    "fades_only.mp4": ("fades", 25.0),
}
"""File, name of its references, and the rate at which these count frames."""
DETECTORS = ("ContentDetector", "AdaptiveDetector", "ThresholdDetector")

CLOCKS_S = {"interlaced_mpeg2_bb_ts_named_mp4.mp4": 0.053878}
"""How much later ours counts: from the sound's start, FFmpeg from the picture's declared one."""

FADE_IN = "the picture fades out of black there; ours divides in the middle of the black, at 12.613"
LEADING = "black from the start to a cut at 1.001: the first scene is the black"
SAME_GIRL = "one drawn girl turns her head, drawn anew every second frame: no other shot"
SMASHED = "blocks of a smashed picture: it breaks and mends while the camera goes on"
SHORT = "one at 1 s intervals, less than PySceneDetect's least length of 15 frames, 1.5 s here"

THEIRS_ALONE = {
    ("testvideo_cuts_fades.mp4", 13.146): FADE_IN,
    ("testvideo_cuts_fades.mp4", 23.056): "the last picture fades to black, and black is the end",
    ("testvideo_cuts_fades.mp4", 0.501): LEADING,
    ("testvideo_cuts_fades.mp4", 6.607): "a cut to black at 6.006, black until it fades in at 7.1",
    ("interlaced_mpeg2_bb_ts_named_mp4.mp4", 11.76): "four frames jump up and back, 0.16 s after",
    ("broken/duration_claims_24min_has_30s.mkv", 29.193): SAME_GIRL,
    ("broken/made_flipped_pub.mp4", 3.67033): SMASHED,
    ("broken/made_flipped_pub.mp4", 5.33867): SMASHED,
}
OURS_ALONE = {
    ("counter_nocuts.mp4", 1.0): f"a grey card becomes a red one; {SHORT}",
    ("counter_nocuts.mp4", 2.0): f"a red card becomes a green one; {SHORT}",
}
"""File and seconds of what only one side has, and what is to be seen there."""

FIELDS = {
    "sony_a7m3_interlaced.mts": "tff",
    "interlaced_tt_h264.mp4": "progressive",
    "interlaced_mpeg2_bb_ts_named_mp4.mp4": "progressive",
}
"""Declared interlaced. The last two are whole pictures coded as fields: no edge of what moves
is combed in them, and most single frames that FFmpeg's idet can tell are progressive or split."""

REFERENCED = [
    row["file"]
    for row in ROWS
    if row["file"] in STORED or row["measured_ffmpeg_scdet_t8_cuts_s"].strip()
]


@pytest.fixture(scope="module")
def analyze(tmp_path_factory):
    answers: dict[str, tuple[Scenes, Exposure]] = {}

    def run(name: str) -> tuple[Scenes, Exposure]:
        if name not in answers:
            answers[name] = _analyze(MEDIA / name, tmp_path_factory.mktemp("artifacts"))
        return answers[name]

    return run


def _analyze(path: Path, store: Path) -> tuple[Scenes, Exposure]:
    names = ("proxy", "scenes", "exposure")
    folders = {asset: ArtifactFolder.of(store, "d" * 64, asset) for asset in names}
    make = {asset: ANALYZERS[asset].function for asset in names}
    probe = Probe.model_validate(dict(probe_media(path)))
    source = Source("d" * 64, path)
    proxy = make["proxy"](source, probe, ProxySettings(), folders["proxy"], Progress())
    scenes = make["scenes"](proxy, folders["scenes"])
    exposure = make["exposure"](probe, None, proxy, scenes, folders["exposure"])
    assert isinstance(scenes, Scenes)
    assert isinstance(exposure, Exposure)
    return scenes, exposure


def references(name: str) -> list[float]:
    """Give every reference's cuts of a file in seconds, on our clock."""
    row = next(row for row in ROWS if row["file"] == name)
    cuts = [float(text) for text in row["measured_ffmpeg_scdet_t8_cuts_s"].split()]
    if name in STORED:
        stem, rate = STORED[name]
        for detector in DETECTORS:
            path = MEDIA / f"groundtruth/pyscenedetect.{stem}.mp4.{detector}.default.json"
            if path.is_file():
                length_s = float(row["duration"])
                frames = json.loads(path.read_text())["cuts"]
                cuts += [frame / rate for frame in frames if frame / rate < length_s]
    return sorted(cuts)


def test_every_reference_is_read():
    if ROWS:
        assert set(STORED) < set(REFERENCED)


@missing
@pytest.mark.parametrize("name", REFERENCED)
def test_cuts_are_those_of_the_references_within_a_frame(analyze, name):
    scenes, _ = analyze(name)
    frame_s = scenes.scenes[-1].end_s / scenes.scenes[-1].end_frame
    theirs = references(name)
    ours = [cut - CLOCKS_S.get(name, 0.0) for cut in scenes.scene_changes]
    apart = frame_s * 1.01
    missed = [cut for cut in theirs if _distance(cut, ours) > apart]
    added = [cut for cut in ours if _distance(cut, theirs) > apart]
    assert [cut for cut in missed if not _is_explained(name, cut, THEIRS_ALONE)] == []
    assert [cut for cut in added if not _is_explained(name, cut, OURS_ALONE)] == []
    needed = [key for key in THEIRS_ALONE if key[0] == name]
    assert all(_distance(cut, missed) < 0.001 for _, cut in needed)
    assert all(_distance(cut, added) < 0.001 for file, cut in OURS_ALONE if file == name)


@missing
@pytest.mark.parametrize("name", FIELDS)
def test_fields_lie_as_the_picture_shows(analyze, name):
    _, exposure = analyze(name)
    assert exposure.interlacing.found == FIELDS[name]


def _distance(cut: float, others: list[float]) -> float:
    return min((abs(cut - other) for other in others), default=float("inf"))


def _is_explained(name: str, cut: float, reasons: dict[tuple[str, float], str]) -> bool:
    return _distance(cut, [at for file, at in reasons if file == name]) < 0.001
