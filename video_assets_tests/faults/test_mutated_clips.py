"""A thousand damaged files through every analyzer: each ends, and says in one line what it found.

Flipped bits, cut ends and lying length fields in small clips of many containers, with a fixed seed.
"""

import os
import random
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from video_assets.clip_worker import Failed
from video_assets.lanes import Crash, Lanes
from video_assets.presets.model import load_preset
from video_assets.progress import Progress
from video_assets_tests.clips import HLG, Clip, make_clip, make_sound
from video_assets_tests.truth.gathering import ask_all

COUNT = 1000
SEED = 20261124
LONGEST_S = 60.0
CLIPS = {
    "plain.mp4": Clip(frames=12, audio_tracks=2, b_frames=2),
    "turned.mov": Clip(frames=12, rotation=90, timecode="01:00:00:00", audio_tracks=1),
    "subtitles.mkv": Clip(frames=12, audio_tracks=1, subtitles=("first",)),
    "motion.avi": Clip(frames=12, codec="mjpeg", pixel_format="yuvj420p", audio_tracks=1),
    "broadcast.ts": Clip(frames=12, codec="mpeg2video", audio_tracks=1),
    "studio.mxf": Clip(
        frames=12, codec="mpeg2video", width=720, height=576, rate=Fraction(25), audio_tracks=1
    ),
    "web.webm": Clip(frames=12, codec="libvpx-vp9", options={"cpu-used": "8"}),
    "hdr.mp4": Clip(frames=6, codec="libx265", pixel_format="yuv420p10le", color=HLG),
    "covered.mp4": Clip(frames=12, cover_art=True, sample_aspect=Fraction(4, 3)),
}


@dataclass(frozen=True)
class Damaged:
    """One mutated file, and where its analyzers may write."""

    path: Path
    store: Path


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Damage a file in one of three ways, most of the time near its structure."""
    damaged = bytearray(data)
    way = dice.choice(("bits", "cut", "length"))
    if way == "bits":
        for _ in range(dice.choice((1, 4, 32, 256))):
            at = dice.randrange(len(damaged))
            damaged[at] ^= 1 << dice.randrange(8)
    elif way == "cut":
        del damaged[dice.randrange(1, len(damaged)) :]
    else:
        for _ in range(dice.choice((1, 3))):
            at = dice.randrange(max(1, len(damaged) - 4))
            wrong = dice.choice((0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF, dice.getrandbits(32)))
            damaged[at : at + 4] = struct.pack(">I", wrong)
    return bytes(damaged)


def analyze(task: Damaged, progress: Progress) -> dict[str, Failed | None]:
    """Ask every analyzer about one file, in a worker."""
    settings = {step.name: step.params for step in load_preset("default").enabled_steps()}
    answers = ask_all(task.path, task.store, settings)
    return {name: each if isinstance(each, Failed) else None for name, each in answers.items()}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    folder = tmp_path_factory.mktemp("seeds")
    paths = [make_clip(folder / name, clip) for name, clip in CLIPS.items()]
    paths.append(make_sound(folder / "sound.mp4", cover_art=True))
    return [(path.name, path.read_bytes()) for path in paths]


@pytest.fixture
def lanes(tmp_path: Path) -> Iterator[Lanes]:
    lanes = Lanes({"default": 2}, tmp_path / "lanes", preload=["video_assets.definitions"])
    yield lanes
    lanes.close()


@pytest.mark.timeout(900)
def test_a_damaged_file_harms_only_itself(seeds, lanes: Lanes, tmp_path: Path):
    dice = random.Random(SEED)  # noqa: S311  no secret is made of it
    before = set(psutil.Process().children(recursive=True))

    def tasks() -> Iterator[tuple[str, Damaged]]:
        for number in range(COUNT):
            name, data = seeds[number % len(seeds)]
            path = tmp_path / f"{number:04d}_{name}"
            path.write_bytes(mutate(data, dice))
            yield path.name, Damaged(path, tmp_path / "artifacts")

    ended: dict[str, object] = {}
    for answer in lanes.run("default", analyze, tasks(), timeout_s=LONGEST_S):
        if answer is not None:
            ended[answer[0]] = answer[1]
            (tmp_path / answer[0]).unlink()

    assert len(ended) == COUNT
    crashes = {name: each for name, each in ended.items() if isinstance(each, Crash)}
    assert crashes == {}
    counts: Counter[str] = Counter()
    wrong = []
    for name, answers in ended.items():
        assert isinstance(answers, dict)
        for asset, failed in answers.items():
            counts[f"{asset} {'failed' if failed else 'done'}"] += 1
            if failed is not None and not is_clear(failed, name):
                wrong.append((name, asset, failed))
    print("\n", dict(sorted(counts.items())))
    assert wrong == []
    assert counts["probe done"] > COUNT / 4
    assert counts["probe failed"] > COUNT / 10
    assert not list((tmp_path / "artifacts").rglob("*.part"))

    workers = set(psutil.Process().children(recursive=True)) - before
    assert len(workers) > 2  # two workers and their exiftools
    lanes.close()
    _, alive = psutil.wait_procs(workers - keepers(workers), timeout=60)
    assert alive == []


def keepers(processes: set[psutil.Process]) -> set[psutil.Process]:
    """Tell the processes that Python keeps for all later workers."""
    names = ("forkserver", "resource_tracker")
    found = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            words = " ".join(process.cmdline())
            if any(name in words for name in names) and process.ppid() == os.getpid():
                found.add(process)
    return found


def is_clear(failed: Failed, name: str) -> bool:
    """Tell whether an error blames the file, in one line, and names no place."""
    says_something = len(failed.message) > 15 and "\n" not in failed.message
    return failed.fault in ("file", "unreachable") and says_something and name not in failed.message
