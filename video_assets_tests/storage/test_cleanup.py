"""What is removed, what waits, and what nothing may touch."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import gone, ledger
from video_assets.storage.cleanup import remove_old_events
from video_assets.storage.counts import count
from video_assets.storage.deletions import Wish
from video_assets.storage.locations import mark_missing
from video_assets.storage.postgres import Postgres
from video_assets_tests.commands import ROOT
from video_assets_tests.storage.kept import WEEK_S, Cleaning, Kept

DAY_S = 86_400.0


@pytest.fixture
def kept(catalogue: Postgres, tmp_path: Path) -> Kept:
    """An empty catalogue with an empty store."""
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM clips")
        connection.execute("DELETE FROM results")
        connection.execute("DELETE FROM deletions")
        connection.execute("DELETE FROM forgotten")
    return Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")


def test_what_a_result_names_is_never_removed(kept: Kept):
    checksum = kept.clip("named")
    named = f"{checksum[:2]}/{checksum}/quiet/deep.txt"
    kept.save(checksum, "quiet", {"nested": [{"far": {"down": [named]}}]})
    kept.put(named, age_s=900 * DAY_S)
    for kind in ("orphans", "superseded"):
        assert kept.clean(kind).removed == 0
    assert kept.files(checksum) == ["loud/a.txt", "quiet/deep.txt"]


def test_a_file_that_no_result_names_is_marked_and_removed_when_it_has_waited(kept: Kept):
    checksum = kept.clip("orphan")
    name = kept.put(f"{checksum[:2]}/{checksum}/strange/x.bin", age_s=900 * DAY_S)
    first = kept.clean(wait_s=WEEK_S)
    assert (first.removed, first.waiting, first.waiting_bytes) == (0, 1, 9)
    kept.age_marks(WEEK_S - 60)
    assert kept.clean(wait_s=WEEK_S).removed == 0
    kept.age_marks(120)
    last = kept.clean(wait_s=WEEK_S)
    assert (last.removed, last.removed_bytes, last.names) == (1, 9, [name])
    assert kept.files(checksum) == ["loud/a.txt"]
    assert kept.removed() == [name]
    assert kept.clean(wait_s=WEEK_S).removed == 0


def test_what_an_older_result_left_is_superseded(kept: Kept):
    checksum = kept.clip("remade")
    kept.make(checksum, "loud", "a.txt", "b.txt", "c.txt")
    kept.make(checksum, "loud", "b.txt")  # killed before it swept
    assert kept.clean("orphans").removed == 0
    assert kept.clean("superseded").removed == 2
    assert kept.files(checksum) == ["loud/b.txt"]


def test_a_mark_is_withdrawn_when_a_result_names_the_file_after_all(kept: Kept):
    checksum = kept.clip("named later")
    name = kept.put(f"{checksum[:2]}/{checksum}/quiet/later.txt")
    kept.clean("superseded", wait_s=WEEK_S)
    kept.save(checksum, "quiet", {"file": name})
    kept.age_marks(2 * WEEK_S)
    assert kept.clean("superseded", wait_s=WEEK_S).removed == 0
    assert kept.count("deletions") == 0


def test_a_file_that_was_written_since_waits_anew(kept: Kept):
    checksum = kept.clip("written again")
    name = kept.put(f"{checksum[:2]}/{checksum}/loud/z.txt", age_s=DAY_S)
    kept.clean("superseded", wait_s=WEEK_S)
    kept.age_marks(2 * WEEK_S)
    kept.put(name)
    assert kept.clean("superseded", wait_s=WEEK_S).removed == 0
    assert (kept.root / name).exists()


def test_an_unfinished_clip_keeps_all_it_has(kept: Kept):
    checksum = kept.clip("unfinished", unfinished=True)
    kept.put(f"{checksum[:2]}/{checksum}/quiet/half.bin", age_s=900 * DAY_S)
    kept.put(f"{checksum[:2]}/{checksum}/loud/old.bin", age_s=900 * DAY_S)
    for kind in ("orphans", "superseded"):
        assert kept.clean(kind).removed == 0
    assert len(kept.files(checksum)) == 3


def test_a_half_written_file_goes_after_a_day_unless_its_cell_is_in_work(kept: Kept):
    checksum = kept.clip("killed", unfinished=True)
    old = kept.put(f"{checksum[:2]}/{checksum}/quiet/p.mp4.part", age_s=DAY_S + 60)
    new = kept.put(f"{checksum[:2]}/{checksum}/quiet/q.mp4.part", age_s=DAY_S - 60)
    with ledger.claims(kept.catalogue, "quiet", [checksum]):
        assert kept.clean(wait_s=WEEK_S).removed == 0
    assert kept.clean(wait_s=WEEK_S).names == [old]
    assert (kept.root / new).exists()


def test_a_file_of_a_cell_in_work_is_left_alone(kept: Kept):
    checksum = kept.clip("in work")
    kept.put(f"{checksum[:2]}/{checksum}/loud/new.txt")
    with ledger.claims(kept.catalogue, "loud", [checksum]):
        assert kept.clean("superseded").removed == 0
    assert kept.clean("superseded").removed == 1


def test_a_dry_run_changes_nothing(kept: Kept):
    checksum = kept.clip("dry")
    kept.put(f"{checksum[:2]}/{checksum}/strange/x.bin")
    kept.put("cd/" + "cd" * 32 + "/proxy/p.mp4")
    assert kept.clean(dry_run=True).removed == 2
    assert kept.clean(wait_s=WEEK_S, dry_run=True).waiting == 2
    assert kept.count("deletions") == 0
    assert kept.files("cd" * 32) == ["proxy/p.mp4"]


def test_files_of_a_content_that_nobody_knows_go_when_they_have_waited(kept: Kept):
    kept.put("cd/" + "cd" * 32 + "/proxy/p.mp4")
    kept.put("cd/" + "cd" * 32 + "/thumbnails/0.jpg")
    assert kept.clean(wait_s=WEEK_S).waiting == 2
    kept.age_marks(WEEK_S + 1)
    assert kept.clean(wait_s=WEEK_S).removed == 2
    assert not (kept.root / "cd" / ("cd" * 32)).exists()
    assert kept.gone == ["cd" * 32]
    assert kept.removed() == ["cd/" + "cd" * 32]


def test_results_and_files_go_once_the_last_owner_has_deleted_the_clip(kept: Kept):
    checksum, other = kept.clip("deleted"), kept.clip("not deleted")
    kept.rows("DELETE FROM clips WHERE file_checksum = %s", checksum)
    assert kept.clean(wait_s=WEEK_S).removed == 0
    kept.age_marks(WEEK_S + 1)
    assert kept.clean(wait_s=WEEK_S).removed == 1
    assert kept.files(checksum) == []
    left = {row["file_checksum"] for row in kept.rows("SELECT file_checksum FROM results")}
    assert left == {other}


def test_a_content_that_somebody_took_in_again_stays(kept: Kept):
    checksum = kept.clip("came back")
    kept.rows("DELETE FROM clips WHERE file_checksum = %s", checksum)
    kept.clean(wait_s=WEEK_S)
    kept.register("came back")
    kept.age_marks(2 * WEEK_S)
    kept.clean(wait_s=WEEK_S)
    assert (kept.gone, kept.retold) == ([], [])
    assert kept.count("deletions") == 0
    assert kept.files(checksum) == ["loud/a.txt"]


def test_a_registration_that_is_not_committed_yet_keeps_its_result(kept: Kept):
    checksum = kept.clip("at the same time")
    kept.rows("DELETE FROM clips WHERE file_checksum = %s", checksum)
    with kept.catalogue.transaction() as connection:
        connection.execute(
            """INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                                  file_size_bytes) VALUES (%s, 'x', 'x', 'x', %s, 1)""",
            (LOCAL_OWNER, checksum),
        )
        connection.execute("SELECT FROM results WHERE file_checksum = %s FOR UPDATE", (checksum,))
        with kept.catalogue.session() as watch, Cleaning(kept) as cleaning:
            cleaning.wait_for_lock(watch)
            connection.commit()
    assert kept.gone == []
    assert kept.count("results WHERE file_checksum = %s", checksum) == 3


def test_what_is_not_ours_is_left_alone(kept: Kept, tmp_path: Path):
    checksum = kept.clip("beside strangers")
    strangers = ["README.txt", "lost+found/x", "ab/notes.txt", "zz/" + "ab" * 32 + "/x/y"]
    for name in strangers:
        kept.put(name, age_s=900 * DAY_S)
    (kept.root / checksum[:2] / checksum / "proxy").symlink_to(tmp_path)
    (tmp_path / "elsewhere.mp4").write_bytes(b"moved to a larger disk")
    assert kept.clean().removed == 0
    assert all((kept.root / name).exists() for name in strangers)
    assert (kept.root / checksum[:2] / checksum / "proxy" / "elsewhere.mp4").exists()


def test_a_source_that_lies_in_the_store_is_left_alone(kept: Kept):
    checksum = kept.clip("odd place")
    kept.footage = kept.root / checksum[:2] / checksum
    inside = kept.clip("inside")
    kept.footage = kept.root / "cd" / ("cd" * 32)
    kept.clip("inside a folder of nobody")
    for kind in ("orphans", "superseded"):
        assert kept.clean(kind).removed == 0
    assert len(kept.files(checksum)) == 2
    assert len(kept.files("cd" * 32)) == 1
    assert kept.files(inside) == ["loud/a.txt"]


@pytest.mark.parametrize("name", ["/etc/hostname", "../../x", "ab/../../x"])
def test_a_mark_that_names_a_place_outside_removes_nothing(kept: Kept, name: str):
    kept.rows(
        """INSERT INTO deletions (kind, target, marked_by, marked_at, seen_at)
           VALUES ('superseded', %s, 'nobody', '2020-01-01', '2020-01-01')""",
        name,
    )
    outside = kept.root.parent / "x"
    outside.write_bytes(b"not ours")
    assert kept.clean("superseded").removed == 0
    assert outside.exists()
    assert kept.removed() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from video_assets.storage.cleanup import ArtifactCleaner
from video_assets.storage.deletions import Wish
from video_assets.storage.folder import Folder
from video_assets.storage.postgres import Postgres

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

dsn, root, moment = sys.argv[1:]
remove = Folder.remove
if moment == "marked":
    Folder.remove = kill
else:
    Folder.remove = lambda self, name: (remove(self, name), kill())
ArtifactCleaner(Postgres(dsn), Path(root), Wish("killed", 0.0)).clean(["superseded"])
"""


@pytest.mark.parametrize(("moment", "left"), [("marked", 3), ("removed", 2)])
def test_a_clean_up_that_is_killed_is_finished_by_the_next(kept: Kept, moment: str, left: int):
    checksum = kept.clip("killed while cleaning")
    names = [kept.put(f"{checksum[:2]}/{checksum}/loud/{n}.bin") for n in range(2)]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, kept.catalogue.dsn, str(kept.root), moment],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    kept.wait_for_the_dead()
    assert len(kept.files(checksum)) == left
    kept.clean("superseded")
    assert kept.files(checksum) == ["loud/a.txt"]
    assert kept.removed() == names, "each is recorded as removed, once"
    assert kept.clean("superseded").removed == 0


def test_old_events_go_and_newer_ones_stay(kept: Kept):
    kept.clip("eventful")
    kept.rows("UPDATE processing_events SET timestamp = now() - interval '91 days'")
    kept.clip("lately")
    total = kept.count("processing_events")
    old = remove_old_events(kept.catalogue, Wish("test", 90 * DAY_S, dry_run=True)).removed
    assert 0 < old < total
    assert remove_old_events(kept.catalogue, Wish("test", 90 * DAY_S)).removed == old
    assert kept.count("processing_events") == total - old


def state(kept: Kept, checksum: str) -> str:
    query = """SELECT s.state FROM clip_states s JOIN clips c ON c.id = s.clip_id
                WHERE c.file_checksum = %s"""
    return kept.rows(query, checksum)[0]["state"]


def lose(kept: Kept, text: str, days: int) -> None:
    kept.place(text).unlink()
    mark_missing(kept.catalogue, LOCAL_OWNER, [kept.place(text)])
    kept.rows(
        "UPDATE clip_locations SET missing_at = now() - make_interval(days => %s) WHERE path = %s",
        days,
        str(kept.place(text)),
    )
    kept.rows("UPDATE clips SET created_at = now() - interval '1 year'")


def test_a_clip_whose_files_are_gone_is_missing_after_a_while_and_keeps_everything(kept: Kept):
    month = Wish("test", 30 * DAY_S)
    lost, lately, here = kept.clip("lost"), kept.clip("lost lately"), kept.clip("here")
    lose(kept, "lost", days=31)
    lose(kept, "lost lately", days=29)
    assert gone.mark_gone(kept.catalogue, Wish("test", 30 * DAY_S, dry_run=True)).removed == 1
    assert state(kept, lost) == "complete"
    assert gone.mark_gone(kept.catalogue, month).removed == 1
    assert [state(kept, each) for each in (lost, lately, here)] == [
        *("missing", "complete", "complete")
    ]
    with kept.catalogue.transaction(LOCAL_OWNER) as connection:
        counts = count(connection).clips
    assert (counts["missing"], counts["complete"]) == (1, 2)
    assert gone.mark_gone(kept.catalogue, month).removed == 0
    for kind in ("orphans", "superseded"):
        assert kept.clean(kind).removed == 0
    assert kept.files(lost) == ["loud/a.txt"]
    kept.register("lost")  # the drive is back
    assert state(kept, lost) == "complete"
    gone.mark_gone(kept.catalogue, month)
    assert kept.count("clips WHERE missing_since IS NOT NULL") == 0


def test_a_file_that_is_there_after_all_is_no_missing_one(kept: Kept):
    checksum = kept.clip("still there")
    lose(kept, "still there", days=40)
    kept.rows(
        "UPDATE clip_locations SET mtime_ns = %s", make_again(kept.place("still there")).st_mtime_ns
    )
    assert gone.mark_gone(kept.catalogue, Wish("test", 30 * DAY_S)).removed == 0
    assert state(kept, checksum) == "complete"
    assert kept.count("clip_locations WHERE missing_at IS NOT NULL") == 0


def make_again(path: Path) -> os.stat_result:
    path.write_text(path.stem)
    return path.stat()
