"""What the technical ingest asks of a machine: both cores, and memory that does not grow.

    python benchmarks/ingest_load.py memory [--clips 500]
    python benchmarks/ingest_load.py large [--seconds 4]
    python benchmarks/ingest_load.py cores [--clips 20] [--seconds 60]

memory  one process runs every technical analyzer over many small clips
large   the same over one clip of 4K in 10 bits
cores   the command ingests a folder in a home of its own; Linux only. On a machine that does
        other work as well, its share is lower than the machine's: both are printed.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from technical_ingest import make_clip, technical_settings

from video_assets.settings import load_settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip
from video_assets_tests.clips import make_clip as make_small
from video_assets_tests.servers import remove_server
from video_assets_tests.truth.gathering import ask_all

WANTED_BUSY = 0.90
WANTED_BYTES = 1.5e9
WANTED_GROWTH = 0.05
WARM_SHARE = 0.2  # of the clips: caches and allocators fill first
LARGE, LARGE_MEGABITS = (3840, 2160), 60


def copies(pattern: Path, folder: Path, count: int) -> list[Path]:
    """Write as many files of one clip that differ in a box which players skip."""
    folder.mkdir()
    data, paths = pattern.read_bytes(), []
    for number in range(count):
        paths.append(folder / f"clip_{number:05d}.mp4")
        box = (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")
        paths[-1].write_bytes(data + box)
    return paths


def grow(folder: Path, count: int) -> None:
    """Print the memory of a worker after every tenth of its clips."""
    pattern = make_small(folder / "pattern.mp4", Clip(width=320, height=180, audio_tracks=1))
    settings, process = technical_settings(), psutil.Process()
    resident: list[int] = []
    for path in copies(pattern, folder / "clips", count):
        ask_all(path, folder / "artifacts", settings)
        resident.append(process.memory_info().rss)
    for number in range(0, count, max(1, count // 10)):
        print(f"after {number + 1:5} clips {resident[number] / 1e6:8.1f} MB")
    warm = resident[int(count * WARM_SHARE)]
    print(
        f"from clip {int(count * WARM_SHARE) + 1} to {count}: {resident[-1] / warm - 1:+.1%}, "
        f"wanted at most {WANTED_GROWTH:+.0%}"
    )


def peak_of_large(folder: Path, seconds: int) -> None:
    """Print the most memory that a process of its own needs for 4K in 10 bits."""
    path = folder / "large.mp4"
    make_clip(path, seconds, LARGE_MEGABITS, LARGE, "yuv420p10le")
    code = (
        "import sys; from pathlib import Path; from technical_ingest import technical_settings;"
        "from video_assets_tests.truth.gathering import ask_all;"
        "print(ask_all(Path(sys.argv[1]), Path(sys.argv[2]), technical_settings()).keys())"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    arguments = [sys.executable, "-c", code, str(path), str(folder / "artifacts")]
    most = 0
    with subprocess.Popen(arguments, env=environment) as worker:
        process = psutil.Process(worker.pid)
        while worker.poll() is None:
            try:
                most = max(most, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
    if worker.returncode:
        raise RuntimeError(f"the worker ended with {worker.returncode}")
    print(f"4K 10-bit: {most / 1e6:.0f} MB, wanted under {WANTED_BYTES / 1e6:.0f} MB")


def cpu_of_family(pid: int) -> dict[int, float]:
    """Give the CPU seconds so far of a process and all below it, by process."""
    spent: dict[int, float] = {}
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent[process.pid] = times.user + times.system
    return spent


def keep_busy(folder: Path, count: int, seconds: int) -> None:
    """Print which share of all cores an ingest used, and which was used at all."""
    pattern = folder / "pattern.mp4"
    make_clip(pattern, seconds, 17)
    copies(pattern, folder / "clips", count)
    os.environ["VIDEO_ASSETS_HOME"] = str(folder / "home")
    cores, spent = os.cpu_count() or 1, {}
    try:
        psutil.cpu_percent()
        start = time.perf_counter()
        command = [sys.executable, "-m", "video_assets", "ingest", str(folder / "clips")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as ingest:
            while ingest.poll() is None:
                spent |= cpu_of_family(ingest.pid)
                time.sleep(0.2)
            wall = time.perf_counter() - start
            machine = psutil.cpu_percent() / 100
        if ingest.returncode:
            raise RuntimeError(f"the ingest ended with {ingest.returncode}")
    finally:
        remove_server(EmbeddedServer(load_settings().home))
    own = sum(spent.values()) / wall / cores
    print(
        f"{count} clips of {seconds} s in {wall:.0f} s: the ingest {own:.0%}, "
        f"the machine {machine:.0%} of {cores} cores, wanted {WANTED_BUSY:.0%}"
    )


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("memory", "large", "cores"))
    parser.add_argument("--clips", type=int)
    parser.add_argument("--seconds", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if given.what == "memory":
            grow(folder, given.clips or 500)
        elif given.what == "large":
            peak_of_large(folder, given.seconds or 4)
        else:
            keep_busy(folder, given.clips or 20, given.seconds or 60)


if __name__ == "__main__":
    main()
