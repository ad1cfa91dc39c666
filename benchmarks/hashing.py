"""Race hashing against the MD5 loop of 4 KB that it replaces, and against merely reading.

    python benchmarks/hashing.py [--megabytes 512]

The file lies in the page cache, so that this measures the machine's cores, not its drive.
"""

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from video_assets.media.hashing import BUFFER_BYTES, hash_file

ROUNDS = 3
WANTED = 4.0


def naive_md5(path: Path) -> None:
    """Hash as the original did."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        for block in iter(lambda: file.read(4096), b""):
            digest.update(block)


def read_only(path: Path) -> None:
    """Read and do nothing: the bound."""
    buffer = bytearray(BUFFER_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def best_s(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Give the best of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def main() -> None:
    """Print each way's speed and its ratio to the naive one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.bin"
        block = os.urandom(2**20)
        with path.open("wb") as file:
            for _ in range(megabytes):
                file.write(block)
        ways: dict[str, Callable[[], object]] = {
            "md5, 4 KB blocks": lambda: naive_md5(path),
            "hash_file md5": lambda: hash_file(path, "md5"),
            "hash_file blake3": lambda: hash_file(path, "blake3"),
            "read only": lambda: read_only(path),
        }
        wall = {name: best_s(way, time.perf_counter) for name, way in ways.items()}
        cpu = {name: best_s(way, time.process_time) for name, way in ways.items()}
    naive = "md5, 4 KB blocks"
    for name in ways:
        print(
            f"{name:18} {megabytes / 1024 / wall[name]:6.2f} GB/s  x{wall[naive] / wall[name]:6.2f}"
            f" | CPU {megabytes / 1024 / cpu[name]:6.2f} GB/s  x{cpu[naive] / cpu[name]:6.2f}"
        )
    ratio = wall[naive] / wall["hash_file blake3"]
    print(f"blake3 against the naive loop: x{ratio:.2f}, wanted x{WANTED}")


if __name__ == "__main__":
    main()
