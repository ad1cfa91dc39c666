"""Ingest of clips that are all known: it should cost what the command itself costs to start.

    python benchmarks/second_ingest.py [--clips 1000]

The first ingest processes every clip, which takes minutes. Linux only: it reads /proc.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from video_assets.settings import load_settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import make_clip
from video_assets_tests.servers import remove_server

WANTED_S = 2.0
ROUNDS = 5
PADDING_BYTES = 200_000  # makes reading the clips stand out from reading the program


def make_clips(folder: Path, count: int) -> int:
    """Make as many different clips of one second, and give their size in bytes."""
    folder.mkdir()
    pattern = make_clip(folder / "pattern.mp4").read_bytes()
    (folder / "pattern.mp4").unlink()
    for number in range(count):
        padding = number.to_bytes(8, "big") + bytes(PADDING_BYTES)
        box = (len(padding) + 8).to_bytes(4, "big") + b"free" + padding  # players skip it
        (folder / f"clip_{number:05d}.mp4").write_bytes(pattern + box)
    return count * (len(pattern) + len(box))


def run(*arguments: str) -> tuple[float, int]:
    """Run the command; give its wall time and the bytes that it read."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "video_assets", *arguments], stdout=subprocess.DEVNULL
    ) as process:
        read = 0
        while process.poll() is None:
            read = max(read, bytes_read(process.pid))
            time.sleep(0.005)
    return time.perf_counter() - start, read


def bytes_read(pid: int) -> int:
    """Everything that a process asked its files for so far, the page cache included."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


def main() -> None:
    """Print the time and the bytes of a second ingest beyond those of starting the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1000)
    count = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "clips"
        os.environ["VIDEO_ASSETS_HOME"] = str(Path(temporary) / "home")
        media_bytes = make_clips(folder, count)
        try:
            first_s, _ = run("ingest", str(folder))
            started = [run("--version") for _ in range(ROUNDS)]
            again = [run("ingest", str(folder)) for _ in range(ROUNDS)]
        finally:
            remove_server(EmbeddedServer(load_settings().home))
    start_s = statistics.median(seconds for seconds, _ in started)
    again_s = statistics.median(seconds for seconds, _ in again)
    beyond = min(read for _, read in again) - min(read for _, read in started)
    print(f"first ingest of {count} clips   {first_s:8.1f} s")
    print(f"starting the command        {start_s:8.2f} s")
    print(f"second ingest               {again_s:8.2f} s, {first_s / again_s:.0f} times faster")
    print(f"bytes read beyond starting  {beyond:8,d} of {media_bytes:,d} bytes of media")
    is_fast = again_s - start_s <= WANTED_S
    print(
        f"{'ok' if is_fast else 'TOO SLOW'}: {again_s - start_s:.2f} s beyond start-up, "
        f"at most {WANTED_S:.0f} s were wanted"
    )


if __name__ == "__main__":
    main()
