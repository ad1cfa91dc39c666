"""Registration: content is identity, a path is only a place."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from video_assets.media import hashing
from video_assets.media.discovery import discover
from video_assets.settings import LOCAL_OWNER, Settings
from video_assets.storage import ledger, locations
from video_assets.storage.catalogue import CatalogueError, open_catalogue
from video_assets.storage.postgres import Postgres
from video_assets.storage.projection import project_clip
from video_assets.storage.registration import Registered, Registrar


def register(catalogue: Postgres, folder: Path, owner: UUID = LOCAL_OWNER) -> dict[str, Registered]:
    """Register a folder, and give what became of each file by its name."""
    registrar = Registrar(catalogue, owner, "blake3")
    found = registrar.register(discover([folder]).candidates)
    return {file.path.name: file for file in found}


def states(found: dict[str, Registered]) -> dict[str, str]:
    """The state of each file."""
    return {name: file.state for name, file in found.items()}


def places(catalogue: Postgres, checksum: str, owner: UUID = LOCAL_OWNER) -> dict[str, bool]:
    """The places of a clip as its owner sees them, and whether each is missing."""
    with catalogue.transaction(owner) as connection:
        rows = connection.execute(
            "SELECT l.path, l.missing_at IS NOT NULL AS gone FROM clip_locations l"
            "  JOIN clips c ON c.id = l.clip_id WHERE c.file_checksum = %s",
            (checksum,),
        )
        return {Path(row["path"]).name: row["gone"] for row in rows}


@pytest.fixture
def owner(catalogue: Postgres, admin_url: str) -> Iterator[UUID]:
    """A second owner."""
    made = uuid.uuid4()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (made, f"{made}@example.org")
        )
    yield made
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("DELETE FROM auth.users WHERE id = %s", (made,))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were opened for hashing."""
    opened: list[Path] = []
    real = hashing.open_regular

    def counted(path: Path):
        opened.append(path)
        return real(path)

    monkeypatch.setattr(hashing, "open_regular", counted)
    return opened


def test_an_unchanged_file_is_not_read_again(
    catalogue: Postgres, tmp_path: Path, reads: list[Path]
) -> None:
    (tmp_path / "a.mp4").write_text("unchanged a")
    assert states(register(catalogue, tmp_path)) == {"a.mp4": "new"}
    assert len(reads) == 1
    assert states(register(catalogue, tmp_path)) == {"a.mp4": "known"}
    assert len(reads) == 1


def test_a_renamed_file_is_recognised_without_reading_it(
    catalogue: Postgres, tmp_path: Path, reads: list[Path]
) -> None:
    (tmp_path / "before.mp4").write_text("renamed")
    checksum = register(catalogue, tmp_path)["before.mp4"].checksum
    (tmp_path / "before.mp4").rename(tmp_path / "after.mp4")
    found = register(catalogue, tmp_path)["after.mp4"]

    assert (found.state, found.checksum) == ("moved", checksum)
    assert len(reads) == 1
    assert places(catalogue, checksum or "") == {"after.mp4": False}
    with catalogue.transaction(LOCAL_OWNER) as connection:
        row = connection.execute(
            "SELECT file_name FROM clips WHERE file_checksum = %s", (checksum,)
        ).fetchone()
    assert row == {"file_name": "after.mp4"}


def test_a_rename_in_case_alone_leaves_one_place_where_case_makes_no_difference(
    catalogue: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "Day").mkdir()
    (tmp_path / "Day" / "one.mp4").write_text("renamed in case")
    checksum = register(catalogue, tmp_path / "Day")["one.mp4"].checksum
    (tmp_path / "Day").rename(tmp_path / "day")
    (tmp_path / "Day").symlink_to("day")  # the old spelling still leads to the file, as on a Mac
    assert register(catalogue, tmp_path / "day")["one.mp4"].state == "moved"
    with catalogue.transaction(LOCAL_OWNER) as connection:
        rows = connection.execute(
            "SELECT l.path FROM clip_locations l JOIN clips c ON c.id = l.clip_id"
            " WHERE c.file_checksum = %s",
            (checksum,),
        ).fetchall()
    assert [row["path"] for row in rows] == [str(tmp_path / "day" / "one.mp4")]


def test_a_copy_on_a_drive_that_is_not_connected_is_not_called_missing(
    catalogue: Postgres, tmp_path: Path
) -> None:
    for place in ("drive", "backup"):
        (tmp_path / place).mkdir()
        (tmp_path / place / f"{place}.mp4").write_text("on two drives")
    checksum = register(catalogue, tmp_path / "drive")["drive.mp4"].checksum or ""
    with catalogue.transaction() as connection:
        connection.execute(
            "UPDATE clip_locations SET volume = 'fsid-77', inode = 1 WHERE path LIKE %s",
            (f"{tmp_path}/%",),
        )
    shutil.rmtree(tmp_path / "drive")  # as an unplugged one looks: its volume is nowhere
    assert register(catalogue, tmp_path / "backup")["backup.mp4"].state == "moved"
    assert places(catalogue, checksum) == {"drive.mp4": False, "backup.mp4": False}


def test_a_network_mount_with_another_number_is_not_read_again(
    catalogue: Postgres, tmp_path: Path, reads: list[Path]
) -> None:
    (tmp_path / "far.mp4").write_text("on a mount that has another number each time")
    checksum = register(catalogue, tmp_path)["far.mp4"].checksum or ""
    with catalogue.transaction() as connection:
        connection.execute(
            "UPDATE clip_locations SET volume = 'dev-2a' WHERE path LIKE %s", (f"{tmp_path}/%",)
        )
    assert states(register(catalogue, tmp_path)) == {"far.mp4": "known"}
    assert len(reads) == 1
    with catalogue.transaction() as connection:
        row = connection.execute(
            "SELECT volume FROM clip_locations WHERE path LIKE %s", (f"{tmp_path}/%",)
        ).fetchone()
    assert row is not None
    assert row["volume"] != "dev-2a"
    assert places(catalogue, checksum) == {"far.mp4": False}


def test_a_file_moved_to_another_disk_is_recognised_by_its_content(
    catalogue: Postgres, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "far.mp4").write_text("moved far")
    checksum = register(catalogue, old)["far.mp4"].checksum
    shutil.copytree(old, new)
    shutil.rmtree(old)
    found = register(catalogue, new)["far.mp4"]
    assert (found.state, found.checksum) == ("moved", checksum)


def test_a_second_copy_is_another_place_of_the_same_clip(
    catalogue: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "first.mp4").write_text("twice")
    checksum = register(catalogue, tmp_path)["first.mp4"].checksum
    (tmp_path / "second.mp4").write_text("twice")
    found = register(catalogue, tmp_path)["second.mp4"]

    assert (found.state, found.checksum) == ("duplicate", checksum)
    assert places(catalogue, checksum or "") == {"first.mp4": False, "second.mp4": False}


def test_changed_content_at_the_same_path_is_another_clip(
    catalogue: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").write_text("content one")
    before = register(catalogue, tmp_path)["a.mp4"].checksum
    (tmp_path / "a.mp4").write_text("content two!")
    found = register(catalogue, tmp_path)["a.mp4"]

    assert found.state == "new"
    assert found.checksum != before
    assert places(catalogue, before or "") == {}


def test_a_deleted_copy_is_marked_and_its_clip_stays(catalogue: Postgres, tmp_path: Path) -> None:
    (tmp_path / "kept.mp4").write_text("kept and deleted")
    (tmp_path / "deleted.mp4").write_text("kept and deleted")
    checksum = register(catalogue, tmp_path)["kept.mp4"].checksum
    (tmp_path / "third.mp4").write_text("kept and deleted")  # first: a free inode is used again
    (tmp_path / "deleted.mp4").unlink()
    register(catalogue, tmp_path)
    assert places(catalogue, checksum or "") == {
        "kept.mp4": False,
        "deleted.mp4": True,
        "third.mp4": False,
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"new\nline.mp4", id="newline"),
        pytest.param(b"-dash.mp4", id="leading dash"),
        pytest.param(b"caf\xe9 \xff.mp4", id="not UTF-8"),
        pytest.param("naïve 视频 🎬 'q\" %s.mp4".encode(), id="any letters"),
    ],
)
def test_any_name_can_be_registered_and_found_again(
    catalogue: Postgres, tmp_path: Path, name: bytes
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(b"name " + name)
    (found,) = register(catalogue, tmp_path).values()
    assert found.state == "new"
    assert states(register(catalogue, tmp_path)) == {path.name: "known"}
    sources = locations.find_sources(catalogue, [found.checksum or ""])
    source = sources[found.checksum or ""]
    assert isinstance(source, locations.Found)
    assert source.path == path
    assert locations.display(path).isprintable()


def test_a_file_written_again_as_it_was_has_not_moved(catalogue: Postgres, tmp_path: Path) -> None:
    path = tmp_path / "touched.mp4"
    path.write_bytes(b"touched")
    register(catalogue, tmp_path)
    os.utime(path, ns=(0, 10**9))
    assert states(register(catalogue, tmp_path)) == {"touched.mp4": "known"}


def test_a_path_too_long_for_the_database_is_refused_alone(
    catalogue: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "short.mp4").write_bytes(b"beside a long path")
    deep = tmp_path.joinpath(*(os.urandom(100).hex() for _ in range(15)))
    deep.mkdir(parents=True)
    (deep / "deep.mp4").write_bytes(b"at the end of a long path")

    listing = discover([tmp_path])
    (reject,) = listing.rejects
    assert "a path of" in reject.reason
    registrar = Registrar(catalogue, LOCAL_OWNER, "blake3")
    assert registrar.refuse(reject.path, reject.reason).state == "unreadable"
    assert states(register(catalogue, tmp_path)) == {"short.mp4": "new"}


def test_a_time_that_no_database_takes_is_no_obstacle(catalogue: Postgres, tmp_path: Path) -> None:
    path = tmp_path / "from the far future.mp4"
    path.write_bytes(b"far future")
    os.utime(path, ns=(0, 2**63 + 10**9))
    if path.stat().st_mtime_ns < 2**63:
        pytest.skip("this file system keeps no such time")
    assert states(register(catalogue, tmp_path)) == {path.name: "new"}
    assert states(register(catalogue, tmp_path)) == {path.name: "known"}


def test_a_file_that_grows_while_it_is_read_is_refused_with_a_reason(
    catalogue: Postgres, tmp_path: Path
) -> None:
    path = tmp_path / "growing.mp4"
    path.write_bytes(os.urandom(4096))
    more = [b"x", b"y"]

    def grow(_: int) -> None:
        """Write after a part was read: whoever writes beside it may come too late."""
        if more:
            with path.open("ab") as file:
                file.write(more.pop())

    candidates = discover([tmp_path]).candidates
    registrar = Registrar(catalogue, LOCAL_OWNER, "blake3")
    (found,) = registrar.register(candidates, on_bytes=grow)
    assert found.state == "unreadable"
    assert "changed while it was read" in (found.reason or "")
    assert states(register(catalogue, tmp_path)) == {"growing.mp4": "new"}
    with catalogue.transaction(LOCAL_OWNER) as connection:
        left = connection.execute("SELECT count(*) AS n FROM unreadable_files").fetchone()
    assert left == {"n": 0}, "a file that can be read now is no longer listed"


def test_a_file_deleted_before_it_is_read_is_refused_with_a_reason(
    catalogue: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "gone.mp4").write_text("gone")
    (tmp_path / "stays.mp4").write_text("stays")
    candidates = discover([tmp_path]).candidates
    (tmp_path / "gone.mp4").unlink()
    found = {
        f.path.name: f for f in Registrar(catalogue, LOCAL_OWNER, "blake3").register(candidates)
    }
    assert states(found) == {"gone.mp4": "unreadable", "stays.mp4": "new"}
    assert "gone" in (found["gone.mp4"].reason or "")


def test_progress_counts_every_byte_that_is_read(catalogue: Postgres, tmp_path: Path) -> None:
    sizes = [10_000, 25_000_000]
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.mp4").write_bytes(os.urandom(size))
    counted: list[int] = []
    registrar = Registrar(catalogue, LOCAL_OWNER, "blake3")
    list(registrar.register(discover([tmp_path]).candidates, on_bytes=counted.append))
    assert sum(counted) == sum(sizes)


def test_owners_of_the_same_file_share_the_work_and_know_nothing_of_each_other(
    catalogue: Postgres, tmp_path: Path, owner: UUID
) -> None:
    (tmp_path / "shared.mp4").write_text("shared")
    checksum = register(catalogue, tmp_path)["shared.mp4"].checksum or ""
    ledger.save_done(
        catalogue,
        asset="probe",
        checksum=checksum,
        made=ledger.Made("1", "s", "i"),
        document=probe_document(width=640, height=360),
        problems={},
        seconds=0.1,
        cpu_seconds=0.1,
        run_id="run",
    )
    found = register(catalogue, tmp_path, owner)
    assert states(found) == {"shared.mp4": "new"}, "not a duplicate: that would tell of the other"
    with catalogue.transaction(owner) as connection:
        rows = connection.execute("SELECT user_id, width, height FROM clips").fetchall()
    assert rows == [{"user_id": owner, "width": 640, "height": 360}]
    assert places(catalogue, checksum, owner) == {"shared.mp4": False}


def test_projections_can_be_made_again_from_the_ledger(catalogue: Postgres, tmp_path: Path) -> None:
    (tmp_path / "again.mp4").write_text("again")
    checksum = register(catalogue, tmp_path)["again.mp4"].checksum or ""
    ledger.save_done(
        catalogue,
        asset="probe",
        checksum=checksum,
        made=ledger.Made("1", "s", "i"),
        document=probe_document(width=320, height=180),
        problems={},
        seconds=0.1,
        cpu_seconds=0.1,
        run_id="run",
    )
    query = """SELECT width, height, frame_rate, codec, has_audio, processing_status
                 FROM clips WHERE file_checksum = %s"""
    with catalogue.transaction() as connection:
        before = connection.execute(query, (checksum,)).fetchone()
        connection.execute(
            "UPDATE clips SET width = NULL, codec = 'wrong', processing_status = '{}'"
            " WHERE file_checksum = %s",
            (checksum,),
        )
        project_clip(connection, checksum)
        assert connection.execute(query, (checksum,)).fetchone() == before


def probe_document(*, width: int, height: int) -> dict[str, object]:
    """The part of a probe that is projected."""
    return {
        "container": "mp4",
        "duration_s": 2.0,
        "bit_rate_bps": 1000,
        "timecode": None,
        "audio_tracks": [],
        "subtitle_tracks": [],
        "warnings": [],
        "video": {
            "codec": "h264",
            "width": width,
            "height": height,
            "display_width": width,
            "display_height": height,
            "rotation": 0,
            "frame_rate": "30000/1001",
            "is_variable_frame_rate": False,
        },
    }


def test_a_catalogue_can_identify_clips_by_md5(settings: Settings, tmp_path: Path) -> None:
    catalogue = open_catalogue(settings.model_copy(update={"checksum_algorithm": "md5"}))
    (tmp_path / "md5.mp4").write_text("md5")
    (found,) = Registrar(catalogue, LOCAL_OWNER, "md5").register(discover([tmp_path]).candidates)
    assert found.checksum == hashlib.md5(b"md5", usedforsecurity=False).hexdigest()
    catalogue.close()
    with pytest.raises(CatalogueError, match="identifies clips by md5"):
        open_catalogue(settings)
