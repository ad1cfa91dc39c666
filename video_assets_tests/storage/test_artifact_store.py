"""Files of results in an object store: there before the result, the right bytes, and cached."""

import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from video_assets.media.errors import UnreachableError
from video_assets.storage import ledger
from video_assets.storage.artifact_cache import RECENT_S, DamagedError
from video_assets.storage.fsspec_objects import FsspecObjects
from video_assets.storage.objects import StoreError
from video_assets.storage.postgres import Postgres
from video_assets_tests.commands import ROOT
from video_assets_tests.storage.kept import WEEK_S, Kept
from video_assets_tests.storage.stored import Stored


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def here(catalogue: Postgres, tmp_path: Path, shelf: Path) -> Stored:
    """A machine, and an object store in a folder."""
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM clips")
        connection.execute("DELETE FROM results")
        connection.execute("DELETE FROM deletions")
        connection.execute("DELETE FROM private.artifact_copies")
    kept = Kept(catalogue, tmp_path / "here", tmp_path / "footage")
    return Stored(kept, FsspecObjects.of(f"file://{shelf}"))


@pytest.fixture
def there(here: Stored, tmp_path: Path) -> Stored:
    """Another machine with the same catalogue."""
    return here.elsewhere(tmp_path / "there")


@pytest.fixture
def checksum(here: Stored) -> str:
    return here.kept.clip(uuid.uuid4().hex)


def objects_in(shelf: Path) -> list[Path]:
    return sorted(path for path in shelf.rglob("*") if path.is_file())


def use_long_ago(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_another_machine_fetches_what_a_result_names(here, there, checksum):
    (name,) = here.make(checksum, "cut", film=b"moving pictures")
    path = there.cache.bring(name)
    assert path == there.kept.root / name
    assert path.read_bytes() == b"moving pictures"


def test_what_is_not_saved_yet_is_there_already(here, checksum, shelf):
    here.make(checksum, "cut", saved=False, film=b"moving pictures")
    (stored,) = objects_in(shelf)
    assert stored.read_bytes() == b"moving pictures"
    assert here.there() == [str(stored.relative_to(shelf))]


def test_a_store_that_cannot_be_written_keeps_the_result_from_being_saved(here, checksum, shelf):
    shelf.write_bytes(b"no folder")
    with pytest.raises(StoreError, match="file://"):
        here.make(checksum, "cut", film=b"moving pictures")
    assert here.there() == []


@pytest.mark.parametrize(
    ("bytes_there", "said"),
    [
        pytest.param(b"moving pictureS", "other bytes", id="other bytes"),
        pytest.param(b"moving", "6 of 15 bytes", id="cut"),
        pytest.param(b"moving pictures and more", "24 of 15 bytes", id="more"),
    ],
)
def test_bytes_that_are_not_the_right_ones_are_refused_and_made_again(
    here, there, checksum, shelf, bytes_there, said
):
    (name,) = here.make(checksum, "cut", film=b"moving pictures")
    objects_in(shelf)[0].write_bytes(bytes_there)
    with pytest.raises(DamagedError, match=said):
        there.cache.bring(name)
    assert there.kept.files(checksum) == []
    here.make(checksum, "cut", film=b"moving pictures")
    assert there.cache.bring(name).read_bytes() == b"moving pictures"


def test_what_the_store_lost_says_what_to_make_again(here, there, checksum, shelf):
    (name,) = here.make(checksum, "cut", film=b"moving pictures")
    objects_in(shelf)[0].unlink()
    with pytest.raises(UnreachableError, match="materialize cut"):
        there.cache.bring(name)
    here.make(checksum, "cut", film=b"moving pictures")
    assert there.cache.bring(name).exists()


def test_a_file_that_was_made_anew_elsewhere_is_fetched_again(here, there, checksum):
    (name,) = here.make(checksum, "cut", film=b"the first cut")
    there.cache.bring(name)
    here.make(checksum, "cut", film=b"final cut, v2")  # of the same size
    assert there.cache.bring(name).read_bytes() == b"final cut, v2"


def test_a_result_that_is_made_anew_leaves_the_old_files_until_it_is_saved(here, there, checksum):
    (name,) = here.make(checksum, "cut", film=b"the first cut")
    here.make(checksum, "cut", saved=False, film=b"final cut, v2")
    assert there.cache.bring(name).read_bytes() == b"the first cut"


def test_what_is_being_made_here_is_not_replaced_by_what_was(here, checksum):
    (name,) = here.make(checksum, "cut", film=b"the first cut")
    (here.kept.root / name).write_bytes(b"half of the second")
    with ledger.claims(here.kept.catalogue, "cut", [checksum]):
        with pytest.raises(UnreachableError, match="made anew"):
            here.cache.bring(name)
        assert (here.kept.root / name).read_bytes() == b"half of the second"
    assert here.cache.bring(name).read_bytes() == b"the first cut"


@pytest.mark.parametrize("name", ["../x", "ab/../../x", "/etc/passwd", "a/b/c/..", "a/b/c\\d/e"])
def test_no_name_leads_out_of_the_folder(here, name):
    with pytest.raises(ValueError, match="no name of an artifact"):
        here.cache.bring(name)


KILLED = """
import os, signal, sys
from pathlib import Path
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.fsspec_objects import FsspecObjects
from video_assets.storage.postgres import Postgres

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

dsn, root, url, checksum, name, moment = sys.argv[1:]
put = FsspecObjects.put
if moment == "before":
    FsspecObjects.put = kill
elif moment == "uploaded":
    FsspecObjects.put = lambda *args: (put(*args), kill())
Copies(Postgres(dsn), FsspecObjects(url)).publish(Path(root), checksum, "cut", [name])
kill()
"""


@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("uploaded", 1), ("published", 1)])
def test_whoever_is_killed_before_the_result_is_saved_leaves_what_a_clean_up_finds(
    here, checksum, shelf, moment, left
):
    name = here.kept.put(f"{checksum[:2]}/{checksum}/cut/film.bin")
    ended = subprocess.run(
        [
            *(sys.executable, "-c", KILLED, here.kept.catalogue.dsn),
            *(str(here.kept.root), here.objects.name, checksum, name, moment),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert len(objects_in(shelf)) == left
    assert here.clean(WEEK_S).waiting == 1
    assert len(objects_in(shelf)) == left
    here.kept.age_marks(WEEK_S + 1)
    assert here.clean(WEEK_S).removed == 1
    assert objects_in(shelf) == []
    assert here.kept.count("private.artifact_copies") == 0
    assert here.clean().removed == 0


def test_a_clean_up_of_the_store_leaves_what_results_name(here, checksum, shelf):
    here.make(checksum, "cut", film=b"the first cut", measures=b"the same")
    here.make(checksum, "cut", film=b"final cut, v2", measures=b"the same")
    assert here.clean(dry_run=True).removed == 1
    assert len(objects_in(shelf)) == 3
    assert here.clean().removed == 1
    assert sorted(path.read_bytes() for path in objects_in(shelf)) == [
        b"final cut, v2",
        b"the same",
    ]


def test_a_clean_up_leaves_what_a_run_has_in_hand(here, checksum, shelf):
    here.make(checksum, "cut", saved=False, film=b"on its way")
    with ledger.claims(here.kept.catalogue, "cut", [checksum]):
        assert here.clean().removed == 0
    assert len(objects_in(shelf)) == 1
    assert here.clean().removed == 1


def test_a_mark_is_withdrawn_when_a_result_names_the_file_after_all(here, checksum):
    here.make(checksum, "cut", saved=False, film=b"on its way")
    assert here.clean(WEEK_S).waiting == 1
    here.make(checksum, "cut", film=b"on its way")
    here.kept.age_marks(2 * WEEK_S)
    assert here.clean(WEEK_S).removed == 0
    assert here.kept.count("deletions") == 0


def test_a_full_cache_loses_what_was_not_used_for_longest(here, checksum):
    names = here.make(checksum, "cut", **{letter: letter.encode() * 400 for letter in "abc"})
    for hours, name in zip((1, 3, 2), names, strict=True):
        use_long_ago(here.kept.root / name, hours)
    here.cache.bring(names[2])  # now the one that was used last
    use_long_ago(here.kept.root / names[2], 0.5)
    assert here.cache.trim(1000) == 400
    assert here.kept.files(checksum) == ["cut/a.bin", "cut/c.bin", "loud/a.txt"]
    assert here.cache.bring(names[1]).read_bytes() == b"b" * 400


def test_who_fetches_much_makes_room_for_it(here, checksum, tmp_path):
    first = here.make(checksum, "cut", **{letter: letter.encode() * 400 for letter in "abc"})
    there = Stored(replace(here.kept, root=tmp_path / "there"), here.objects, limit_bytes=1000)
    there.cache.bring_all(first)
    for name in first:
        use_long_ago(there.kept.root / name, 1)
    second = here.make(here.kept.clip("another"), "cut", d=b"d" * 400)
    (there.kept.root / ".trimmed").unlink()
    there.cache.bring_all(second)
    assert sum(path.stat().st_size for path in there.kept.root.rglob("*.bin")) <= 1000
    assert there.cache.place(second[0]).exists()


def test_a_full_cache_keeps_what_cannot_be_had_again(here, checksum):
    (lost,) = here.make(checksum, "cut", saved=False, film=b"x" * 400)
    for path in (here.kept.root / lost, here.kept.root / here.kept.put(f"{lost}.more")):
        use_long_ago(path, 9)
    assert here.cache.trim(1) == 0


def test_a_full_cache_keeps_what_a_run_has_in_hand(here, checksum):
    (name,) = here.make(checksum, "cut", film=b"x" * 400)
    use_long_ago(here.kept.root / name, 9)
    with ledger.claims(here.kept.catalogue, "quiet", [checksum]):
        assert here.cache.trim(1) == 0
    assert here.cache.trim(1) == 400


def test_a_full_cache_keeps_what_was_just_asked_for(here, checksum):
    (name,) = here.make(checksum, "cut", film=b"x" * 400)
    use_long_ago(here.kept.root / name, 9)
    here.cache.bring(name)
    assert here.cache.trim(1) == 0
    use_long_ago(here.kept.root / name, (RECENT_S + 60) / 3600)
    assert here.cache.trim(1) == 400
