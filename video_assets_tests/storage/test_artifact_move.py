"""The artifact store moves: all of it, checked, and on from wherever it was broken off."""

import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from video_assets.storage import ledger
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.artifact_leaving import Leaving
from video_assets.storage.artifact_move import Move, Moved
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.fsspec_objects import FsspecObjects
from video_assets.storage.objects import StoreError
from video_assets.storage.postgres import Postgres
from video_assets_tests.commands import ROOT
from video_assets_tests.storage.kept import Kept

GB = 1_000_000_000


@dataclass
class Home:
    """A catalogue with files in a folder, and two object stores."""

    kept: Kept
    first: Copies
    second: Copies

    def cache(self, behind: Copies | None, root: Path | None = None) -> Cache:
        return Cache(root or self.kept.root, behind.objects if behind else None, behind)

    def move(self, source: Copies | None, goal: Copies | None) -> Move:
        return Move(self.kept.catalogue, self.cache(source), goal, GB)

    def leave(self, goal: Copies | None) -> Leaving:
        return Leaving(self.kept.catalogue, self.cache(goal), goal, by="test")


@pytest.fixture
def home(catalogue: Postgres, tmp_path: Path) -> Home:
    """Three clips with a file or two each."""
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM clips")
        connection.execute("DELETE FROM results")
        connection.execute("DELETE FROM private.artifact_copies")
    kept = Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")
    first, second = (
        Copies(catalogue, FsspecObjects.of(f"file://{tmp_path}/{name}"))
        for name in ("first", "second")
    )
    for _ in range(3):
        kept.make(kept.clip(uuid.uuid4().hex), "cut", "b.txt", "c.txt")
    return Home(kept, first, second)


def run(move: Move) -> Moved:
    sizes: list[int] = []
    moved = move.run(sizes.append)
    assert sum(sizes) == moved.size_bytes
    return moved


def files_below(copies: Copies) -> list[Path]:
    folder = Path(copies.objects.name.removeprefix("file://"))
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_everything_that_results_name_is_copied_and_the_old_files_stay(home, tmp_path):
    home.kept.put("ab/" + "ab" * 32 + "/cut/nobodys.bin")
    assert home.move(None, home.first).left().files == 9
    moved = run(home.move(None, home.first))
    assert (moved.files, moved.absent, moved.busy) == (9, {}, 0)
    assert home.move(None, home.first).left().files == 0
    assert len(files_below(home.first)) == 9
    names = [name for part in home.move(None, None).names() for name in part]
    elsewhere = home.cache(home.first, tmp_path / "elsewhere")
    elsewhere.bring_all(names)
    for name in names:
        assert (elsewhere.root / name).read_bytes() == (home.kept.root / name).read_bytes()


def test_from_store_to_store_and_home_again_and_nothing_is_left_behind(home):
    run(home.move(None, home.first))
    assert home.leave(home.first).empty_folder() > 0
    assert list(home.kept.root.rglob("*.txt")) == []
    assert run(home.move(home.first, home.second)).files == 9
    leaving = home.leave(home.second)
    assert leaving.other_stores() == [home.first.objects.name]
    assert leaving.forget(home.first.objects).removed == 9
    assert files_below(home.first) == []
    assert leaving.other_stores() == []
    assert run(home.move(home.second, None)).files == 9
    assert home.leave(None).forget(home.second.objects).removed == 9
    assert len(list(home.kept.root.rglob("*.txt"))) == 9
    assert home.kept.count("private.artifact_copies") == 0


def test_files_of_clips_that_stay_on_this_machine_go_nowhere(home, tmp_path):
    family = tmp_path / "family"
    family.mkdir()
    mine = replace(home.kept, footage=family)
    stays = mine.clip(uuid.uuid4().hex)
    mine.make(stays, "cut", "b.txt", "c.txt")
    name = ArtifactFolder.of(mine.root, stays, "cut").name_of("b.txt")
    goal = replace(home.first, local_only=(family,))
    assert run(home.move(None, goal)).files == 9
    assert not [path for path in files_below(goal) if stays in path.parts]
    assert home.leave(goal).empty_folder() > 0
    assert (home.kept.root / name).is_file()
    goal.publish(home.kept.root, stays, "cut", [name])
    assert len(files_below(goal)) == 9
    replace(goal, local_only=()).publish(home.kept.root, stays, "cut", [name])
    assert len(files_below(goal)) == 10


def test_what_was_made_before_there_was_a_store_is_brought_there(home, tmp_path):
    assert run(home.move(home.first, home.first)).files == 9
    (part,) = home.move(None, None).names()
    elsewhere = home.cache(home.first, tmp_path / "elsewhere")
    assert all(elsewhere.bring(name).is_file() for name in part)


KILLED = """
import os, signal, sys
from pathlib import Path
from video_assets.storage import artifact_move
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.fsspec_objects import FsspecObjects
from video_assets.storage.postgres import Postgres

dsn, root, url, count = sys.argv[1:]
artifact_move.WORKERS = 1
catalogue, done = Postgres(dsn), []

def note(size):
    done.append(size)
    if len(done) == int(count):
        os.kill(os.getpid(), signal.SIGKILL)

goal = Copies(catalogue, FsspecObjects(url))
artifact_move.Move(catalogue, Cache(Path(root)), goal, 10**9).run(note)
"""


def test_a_move_that_is_killed_goes_on_and_copies_nothing_twice(home):
    ended = subprocess.run(
        [
            *(sys.executable, "-c", KILLED, home.kept.catalogue.dsn, str(home.kept.root)),
            *(home.first.objects.name, "2"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    home.kept.wait_for_the_dead()
    before = {path: path.stat().st_mtime_ns for path in files_below(home.first)}
    left = home.move(None, home.first).left().files
    assert 0 < left < 9
    assert len(before) == 9 - left
    assert run(home.move(None, home.first)).files == left
    after = {path: path.stat().st_mtime_ns for path in files_below(home.first)}
    assert len(after) == 9
    assert before.items() <= after.items()


def test_what_was_copied_wrong_is_found_and_never_forgotten(home, monkeypatch):
    put = FsspecObjects.put

    def put_badly(objects, key, path, upload):
        put(objects, key, path, upload)
        place = Path(objects.name.removeprefix("file://")) / key
        place.write_bytes(place.read_bytes()[:-1] + b"?")

    with monkeypatch.context() as patch:
        patch.setattr(FsspecObjects, "put", put_badly)
        with pytest.raises(StoreError, match="did not keep"):
            run(home.move(None, home.first))
        assert home.move(None, home.first).left().files == 9
        assert home.leave(home.first).empty_folder() == 0
    assert len(list(home.kept.root.rglob("*.txt"))) == 9
    assert run(home.move(None, home.first)).files == 9
    for path in files_below(home.first):
        assert path.read_text() == path.name.partition("-")[2]


def test_a_file_that_is_gone_or_damaged_is_named_and_the_others_are_copied(home):
    checksum = home.kept.clip(uuid.uuid4().hex)
    home.kept.make(checksum, "cut", "b.txt", "c.txt", "d.txt")
    gone, damaged = (f"{checksum[:2]}/{checksum}/cut/{name}" for name in ("b.txt", "c.txt"))
    (home.kept.root / gone).unlink()
    home.kept.rows(
        """INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path, blake3)
           SELECT id, user_id, 'cut', 'cut', %s, repeat('0', 64) FROM clips
            WHERE file_checksum = %s""",
        damaged,
        checksum,
    )
    moved = run(home.move(None, home.first))
    assert moved.absent.keys() == {gone, damaged}
    assert moved.files == 9 + 2
    assert home.move(None, home.first).left().files == 2


def test_what_is_being_made_anew_waits(home):
    (checksum,) = (each for each in home.kept.rows("SELECT file_checksum FROM clips LIMIT 1"))
    with ledger.claims(home.kept.catalogue, "cut", [checksum["file_checksum"]]):
        moved = run(home.move(None, home.first))
    assert (moved.busy, moved.files) == (1, 7)
    assert run(home.move(None, home.first)).files == 2


def test_a_store_that_is_left_keeps_what_the_new_one_lacks(home):
    run(home.move(None, home.first))
    run(home.move(home.first, home.second))
    files_below(home.second)[0].unlink()
    home.kept.rows("UPDATE private.artifact_copies SET verified_at = NULL")
    with pytest.raises(StoreError):
        home.leave(home.second).forget(home.first.objects)
    assert len(files_below(home.first)) == 9
