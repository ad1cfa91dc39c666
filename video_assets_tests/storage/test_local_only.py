"""Clips of folders that are local only, however a path leads there."""

import os
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from video_assets.media.discovery import discover
from video_assets.media.volume import is_lasting, name_volume
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.local_only import find_local_only
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar


def register(catalogue: Postgres, path: Path, text: str, owner: UUID = LOCAL_OWNER) -> str:
    """Write a clip and register it as found at a path; give its checksum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    registrar = Registrar(catalogue, owner, "blake3")
    (found,) = registrar.register(discover([path]).candidates)
    assert found.checksum is not None
    return found.checksum


@pytest.fixture
def text() -> str:
    return str(uuid4())


def volume_of(folder: Path) -> str:
    volume = name_volume(folder, folder.stat().st_dev)
    if not is_lasting(volume):
        pytest.skip("this file system has another name after each mount")
    return volume


def is_kept(catalogue: Postgres, checksum: str, *folders: Path) -> bool:
    found = find_local_only(catalogue, [checksum], folders)
    assert found <= {checksum}
    return bool(found)


def test_a_clip_in_the_folder_stays_and_one_beside_it_may_go(
    catalogue: Postgres, tmp_path: Path, text: str
):
    mine = register(catalogue, tmp_path / "private" / "deep" / "a.mp4", text)
    other = register(catalogue, tmp_path / "private too" / "b.mp4", text + "b")
    found = find_local_only(catalogue, [mine, other], [tmp_path / "private"])
    assert found == {mine}
    assert find_local_only(catalogue, [mine, other], []) == frozenset()


def test_a_copy_of_another_owner_in_the_folder_is_enough(
    catalogue: Postgres, admin_url: str, tmp_path: Path, text: str
):
    other = uuid4()
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("INSERT INTO auth.users (id, email) VALUES (%s, %s)", (other, "o@e.org"))
    mine = register(catalogue, tmp_path / "open" / "a.mp4", text)
    assert not is_kept(catalogue, mine, tmp_path / "private")
    assert register(catalogue, tmp_path / "private" / "b.mp4", text, other) == mine
    assert is_kept(catalogue, mine, tmp_path / "private")


def test_a_link_leads_into_the_folder_from_either_side(
    catalogue: Postgres, tmp_path: Path, text: str
):
    (tmp_path / "private").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "private")
    through_link = register(catalogue, tmp_path / "link" / "a.mp4", text)
    assert is_kept(catalogue, through_link, tmp_path / "private")
    plain = register(catalogue, tmp_path / "private" / "b.mp4", text + "b")
    assert is_kept(catalogue, plain, tmp_path / "link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_folder_is_known_where_it_is_mounted_too(
    catalogue: Postgres, tmp_path: Path, text: str
):
    (tmp_path / "private").mkdir()
    (tmp_path / "mounted").mkdir()
    if os.system(f"mount --bind {tmp_path}/private {tmp_path}/mounted 2>/dev/null"):  # noqa: S605
        pytest.skip("nothing can be mounted here")
    try:
        found = register(catalogue, tmp_path / "mounted" / "a.mp4", text)
        assert is_kept(catalogue, found, tmp_path / "private")
    finally:
        os.system(f"umount {tmp_path}/mounted")  # noqa: S605


def test_names_are_compared_in_any_case_when_nothing_is_there(
    catalogue: Postgres, tmp_path: Path, text: str
):
    found = register(catalogue, tmp_path / "Privé" / "a.mp4", text)
    (tmp_path / "Privé" / "a.mp4").unlink()
    (tmp_path / "Privé").rmdir()
    (tmp_path / "seen").mkdir()
    assert is_kept(catalogue, found, tmp_path / "PRIVE\u0301")


def test_a_clip_that_cannot_be_looked_at_stays_in_doubt(
    catalogue: Postgres, admin_url: str, tmp_path: Path, text: str
):
    found = register(catalogue, tmp_path / "old mount" / "a.mp4", text)
    (tmp_path / "private").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "old mount").rename(tmp_path / "private" / "moved")
    assert is_kept(catalogue, found, tmp_path / "no such drive")
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE clip_locations SET volume = 'uuid-of-another' WHERE path LIKE %s",
            (f"{tmp_path}%",),
        )
    assert not is_kept(catalogue, found, tmp_path / "private")


def test_a_clip_that_nobody_knows_stays(catalogue: Postgres, tmp_path: Path):
    assert is_kept(catalogue, "e" * 64, tmp_path)


def test_a_place_on_another_machine_is_compared_by_name_and_drive(
    catalogue: Postgres, admin_url: str, tmp_path: Path, text: str
):
    found = register(catalogue, tmp_path / "footage" / "a.mp4", text)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE clip_locations SET host = 'elsewhere', volume = 'fsid-1' WHERE path LIKE %s",
            (f"{tmp_path}%",),
        )
    assert is_kept(catalogue, found, tmp_path / "footage")
    assert not is_kept(catalogue, found, tmp_path / "private")
