"""Mutated clips through MediaInfo: whatever bytes change, an answer or a MediaError."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from video_assets_tests.clips import PQ, Clip, make_clip

MUTATIONS = 40
CHILD = """
import json, random, sys
from pathlib import Path
from video_assets.assets.measure.color import describe_color
from video_assets.assets.measure.media_info import describe_media
from video_assets.assets.measure.probe import Probe
from video_assets.media.errors import MediaError
from video_assets.media.mediainfo import read_mediainfo
from video_assets.media.packet_facts import read_packet_facts
from video_assets.media.probe import probe_media
clip, mutations = Path(sys.argv[1]), int(sys.argv[2])
whole, outcomes = clip.read_bytes(), []
for seed in range(mutations):
    dice = random.Random(seed)
    data = bytearray(whole)
    for _ in range(dice.choice((1, 4, 40))):
        place = dice.randrange(len(data))
        if dice.random() < 0.3:
            data[place : place + 4] = dice.choice((b"\\xff" * 4, bytes(4), b"\\x7f" + b"\\xff" * 3))
        else:
            data[place] ^= 1 << dice.randrange(8)
    if seed % 4 == 0:
        del data[dice.randrange(len(data)):]
    clip.write_bytes(data)
    try:
        probe = Probe.model_validate(dict(probe_media(clip)))
        report, packets = read_mediainfo(clip), read_packet_facts(clip)
        for found in (describe_media(report, packets, probe), describe_color(report, probe)):
            document = json.dumps(found.model_dump(mode="json"), allow_nan=False)
            document.encode()
            assert "\\\\u0000" not in document
            assert clip.name not in document
        outcomes.append("told")
    except MediaError as error:
        assert clip.name not in str(error), error
        outcomes.append("refused")
print(len(outcomes), outcomes.count("told"))
"""
HDR = Clip(
    frames=8,
    codec="libx265",
    pixel_format="yuv420p10le",
    color=PQ,
    options={"x265-params": "max-cll=1000,400:repeat-headers=1:log-level=none"},
)
PROFESSIONAL = Clip(
    frames=8, codec="mpeg2video", width=128, height=64, rate=Fraction(25), audio_tracks=1
)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "clip"),
    [
        pytest.param("zq.mp4", HDR, id="mp4"),
        pytest.param("zq.mkv", Clip(frames=8, subtitles=("a",), audio_tracks=1), id="mkv"),
        pytest.param("zq.mxf", PROFESSIONAL, id="mxf"),
        pytest.param("zq.ts", Clip(frames=8, b_frames=2, audio_tracks=1), id="ts"),
    ],
)
def test_no_mutation_kills_the_process(tmp_path, name, clip):
    path = make_clip(tmp_path / name, clip)
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, str(path), str(MUTATIONS)],
        capture_output=True,
        text=True,
        timeout=110,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert child.stdout.split()[0] == str(MUTATIONS)
    assert int(child.stdout.split()[1]) > 0
