"""A tick of the watch sensor over a folder of files that are all known: none may be read.

    python benchmarks/watch.py [--files 100000] [--new 5000]

The files are of one byte, and the catalogue is told of them directly. CPU is that of the sensor's
process, without the database's; memory is what a tick adds to it. Linux only: it reads /proc.
"""

import argparse
import gc
import os
import tempfile
import time
from pathlib import Path

import dagster as dg
from psycopg import Connection

from video_assets.automation import watch_folders
from video_assets.media.discovery import discover
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import locations
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets_tests.servers import remove_server

FILES_PER_FOLDER = 500
ROUNDS = 3
WANTED_S = 5.0  # of CPU at 100,000 files: a look every two minutes would be 5 % of a core


def make_files(folder: Path, count: int) -> None:
    """Make as many small files in folders of a day each."""
    for number in range(count):
        day = folder / f"day_{number // FILES_PER_FOLDER:04d}"
        if number % FILES_PER_FOLDER == 0:
            day.mkdir(parents=True)
        (day / f"A001_C{number:06d}.mov").write_bytes(b"x")


def make_known(url: str, folder: Path) -> None:
    """Tell the catalogue of every file, as if each had been read."""
    with Connection.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE seen (checksum text, path text, path_bytes bytea, volume text,"
            " inode numeric, size_bytes bigint, mtime_ns bigint)"
        )
        with cursor.copy("COPY seen FROM STDIN") as copy:
            for number, file in enumerate(discover([folder]).candidates):
                path = os.fspath(file.path)
                traits = (file.volume, file.inode, file.size_bytes, file.mtime_ns)
                copy.write_row((f"{number:064x}", path, path.encode(), *traits))
        cursor.execute(
            "INSERT INTO clips (user_id, file_checksum, file_path, local_path, file_name,"
            " file_size_bytes) SELECT %s, checksum, path, path, path, size_bytes FROM seen",
            (LOCAL_OWNER,),
        )
        cursor.execute(
            "INSERT INTO clip_locations (clip_id, user_id, host, volume, inode, path_bytes, path,"
            " size_bytes, mtime_ns) SELECT c.id, c.user_id, %s, s.volume, s.inode, s.path_bytes,"
            " s.path, s.size_bytes, s.mtime_ns FROM seen s JOIN clips c ON c.file_checksum ="
            " s.checksum",
            (locations.HOST,),
        )
    with Connection.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE clip_locations")


def memory_mb(name: str) -> float:
    """Give the memory of this process: VmRSS is what it has, VmHWM the most it had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def forget_peak() -> float:
    """Begin to look for the most memory anew, and give what there is."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory_mb("VmRSS")


def look_once(catalogue: Postgres, cursor: str) -> tuple[float, float, str, str]:
    """Look at the folder until it has been seen whole; give CPU, wall time, cursor and words."""
    cpu_s = wall_s = 0.0
    while True:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, resources={"catalogue": catalogue}
            )
            gc.collect()
            began, began_cpu = time.perf_counter(), time.process_time()
            tick = watch_folders.watch_folders.evaluate_tick(context)
            cpu_s += time.process_time() - began_cpu
            wall_s += time.perf_counter() - began
        cursor = tick.cursor or ""
        memories = watch_folders.MEMORIES.validate_json(cursor)
        if not any(memory.after for memory in memories.values()):
            paused = {name: each.model_copy(update={"due": 0}) for name, each in memories.items()}
            kept = watch_folders.MEMORIES.dump_json(paused, exclude_defaults=True).decode()
            said = tick.skip_message or f"{len(tick.run_requests or [])} runs requested"
            return cpu_s, wall_s, kept, said


def main() -> None:
    """Print what a look at known files costs, and one at a burst of new ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=5_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, home = Path(temporary) / "footage", Path(temporary) / "home"
        home.mkdir()
        (home / "settings.toml").write_text(f'[[watch]]\npath = "{folder}"\n')
        os.environ["VIDEO_ASSETS_HOME"] = os.fspath(home)
        make_files(folder, given.files)
        server = EmbeddedServer(load_settings().home)
        try:
            catalogue = open_catalogue(load_settings())
            make_known(server.admin_url(), folder)
            cursor = ""
            for _ in range(ROUNDS):
                before_mb = forget_peak()
                cpu_s, wall_s, cursor, said = look_once(catalogue, cursor)
                more_mb = memory_mb("VmHWM") - before_mb
                print(
                    f"{given.files:,} known files  {cpu_s:6.2f} s CPU  {wall_s:6.2f} s  "
                    f"{more_mb:5.0f} MB  cursor {len(cursor):,d} bytes  {said}"
                )
            make_files(folder / "burst", given.new)
            cpu_s, wall_s, cursor, said = look_once(catalogue, cursor)
            print(
                f"{given.new:,} new beside them  {cpu_s:5.2f} s CPU  {wall_s:6.2f} s  "
                f"cursor {len(cursor):,d} bytes  {said}"
            )
            catalogue.close()
        finally:
            remove_server(server)
    wanted_s = WANTED_S * max(1.0, given.files / 100_000)
    print(f"{'ok' if cpu_s <= wanted_s else 'TOO SLOW'}: at most {wanted_s:.1f} s were wanted")


if __name__ == "__main__":
    main()
