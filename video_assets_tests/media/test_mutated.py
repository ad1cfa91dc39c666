"""Mutated clips: whatever bytes change, an answer or a MediaError, never a dead process."""

import subprocess
import sys
from pathlib import Path

import pytest

from video_assets_tests.clips import Clip, make_clip

MUTATIONS = 40
CHILD = """
import random, sys
from pathlib import Path
from video_assets.media.errors import MediaError
from video_assets.media.probe import probe_media
from video_assets.media.thumbnails import take_thumbnails
clip, mutations = Path(sys.argv[1]), int(sys.argv[2])
whole, outcomes = clip.read_bytes(), []
for seed in range(mutations):
    dice = random.Random(seed)
    data = bytearray(whole)
    for _ in range(dice.choice((1, 4, 40))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    if seed % 4 == 0:
        del data[dice.randrange(len(data)):]
    clip.write_bytes(data)
    try:
        facts = probe_media(clip)
        take_thumbnails(clip, facts, count=3, width=64, method=("keyframe", "exact")[seed % 2])
        outcomes.append("taken")
    except MediaError as error:
        assert clip.name not in str(error), error
        outcomes.append("refused")
print(len(outcomes), outcomes.count("taken"))
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "clip"),
    [
        pytest.param("x.mp4", Clip(frames=24, audio_tracks=1, timecode="01:00:00:00"), id="mp4"),
        pytest.param("x.mkv", Clip(frames=24, subtitles=("a",)), id="mkv"),
        pytest.param("x.ts", Clip(frames=24, b_frames=2), id="ts"),
        pytest.param("x.avi", Clip(frames=24, codec="mjpeg", pixel_format="yuvj420p"), id="avi"),
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
    assert "libav" not in child.stderr
