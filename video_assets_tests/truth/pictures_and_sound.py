"""What FFmpeg's filters, PySceneDetect and the files' makers say of pictures and sound."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from video_assets_tests.truth import ffmpeg_says
from video_assets_tests.truth.comparing import Fact, Results, look_up

LOUDNESS_LU = 0.5
QUIETEST_LUFS = -70.0
"""What ebur128 gives when nothing passes its absolute gate; ours is then unknown."""
EDGE_S = 0.5

Row = Mapping[str, str]

CUT_FRAMES = {
    "testvideo_cuts_fades.mp4": (30, 180, 394),
    "vfr_drop3_cuts.mp4": (90, 210),
    "rot90_goldeneye_cut.mp4": (90, 210),
    "counter_nocuts.mp4": (),
}
"""Stored by PySceneDetect's tests (ContentDetector), counted at the nominal rate."""
CUT_RATES = {
    "testvideo_cuts_fades.mp4": 30000 / 1001,
    "vfr_drop3_cuts.mp4": 24000 / 1001,
    "rot90_goldeneye_cut.mp4": 24000 / 1001,
}
WORDS = {
    "srt_subs.mkv": "This is the first subtitle.",
}


def facts_of(row: Row, path: Path, results: Results) -> Iterator[Fact]:
    """Compare whatever has a result."""
    if "proxy" in results:
        yield from loudness_facts(row, path, results)
    if "scenes" in results and row["file"] in CUT_FRAMES:
        yield from cut_facts(row, results)
    if "exposure" in results:
        yield from range_facts(row, path, results)
    if "transcript" in results:
        yield from word_facts(row, results)


def loudness_facts(row: Row, path: Path, results: Results) -> Iterator[Fact]:
    """Compare integrated loudness with FFmpeg's ebur128."""
    theirs = ffmpeg_says.loudness(path)
    ours = look_up(results["proxy"], "sound.integrated_lufs")
    if theirs is not None and theirs <= QUIETEST_LUFS:
        theirs = None
    yield Fact(row["file"], "proxy", "sound.integrated_lufs", theirs, ours, within=LOUDNESS_LU)


def cut_facts(row: Row, results: Results) -> Iterator[Fact]:
    """Compare each stored cut with ours, within one frame of the source."""
    rate = CUT_RATES.get(row["file"], 1.0)
    ours = look_up(results["scenes"], "scene_changes")
    for frame in CUT_FRAMES[row["file"]]:
        theirs = frame / rate
        nearest = min(ours, key=lambda cut, at=theirs: abs(cut - at), default=None)
        yield Fact(row["file"], "scenes", f"cut {frame}", theirs, nearest, within=1 / rate)


def range_facts(row: Row, path: Path, results: Results) -> Iterator[Fact]:
    """Compare black, frozen and silent ranges with FFmpeg's detectors."""
    said = {
        "black_ranges": ffmpeg_says.blacks(path),
        "silent_ranges": ffmpeg_says.silences(path),
        "frozen_ranges": ffmpeg_says.freezes(path),
    }
    for field, theirs in said.items():
        ours = results["exposure"][field]
        yield Fact(row["file"], "exposure", f"{field}, count", len(theirs), len(ours))
        for number, (left, right) in enumerate(zip(theirs, ours, strict=False)):
            name = f"{field}.{number}"
            yield Fact(
                row["file"], "exposure", f"{name}.start_s", left[0], right["start_s"], EDGE_S
            )
            yield Fact(row["file"], "exposure", f"{name}.end_s", left[1], right["end_s"], EDGE_S)


def word_facts(row: Row, results: Results) -> Iterator[Fact]:
    """Compare with the subtitles that the files' makers stored, and with what is to be heard."""
    transcript = results["transcript"]
    if row["file"] in WORDS:
        yield Fact(row["file"], "transcript", "text", WORDS[row["file"]], transcript["full_text"])
        yield Fact(row["file"], "transcript", "language", "en", transcript["language"])
    if row["measured_audio_level"].startswith("mean_volume: -91"):
        yield Fact(row["file"], "transcript", "text", "", transcript["full_text"])
        yield Fact(row["file"], "transcript", "has_speech", False, transcript["has_speech"])
    if row["ground_truth"].startswith("And so, my fellow Americans"):
        yield Fact(row["file"], "transcript", "has_speech", True, transcript["has_speech"])
