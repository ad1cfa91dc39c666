"""A large file goes to Supabase in parts, and whatever breaks it off, it goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from video_assets.storage import resumable_upload
from video_assets.storage.objects import StoreError, Upload
from video_assets.storage.supabase_objects import SupabaseObjects
from video_assets_tests.commands import ROOT
from video_assets_tests.storage.loopback_tus import PART_BYTES, Tus, serve_tus

KEY = "0/ab/proxy/film.mp4"
LAST = 1000
SECRET = SecretStr("sb_secret_of_a_test")


@pytest.fixture
def tus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tus]:
    monkeypatch.setattr(resumable_upload, "WAIT_S", 0.0)
    with serve_tus() as server:
        yield server


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of two parts and a bit, no two of them alike."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(b"".join(bytes([n]) * PART_BYTES for n in (1, 2)) + b"3" * LAST)
    return path


def put(tus: Tus, film: Path, begun: str | None = None) -> list[str]:
    addresses: list[str] = []
    SupabaseObjects(tus.url, "artifacts", SECRET).put(KEY, film, Upload(begun, addresses.append))
    return addresses


def test_a_large_file_arrives_whole_in_parts_of_one_size(tus, film):
    (address,) = put(tus, film)
    assert address.startswith(tus.url)
    assert tus.whole == {KEY: film.read_bytes()}
    assert tus.parts == [(0, PART_BYTES), (PART_BYTES, PART_BYTES), (2 * PART_BYTES, LAST)]
    (about,) = tus.about.values()
    assert about == {"bucketName": "artifacts", "objectName": KEY, "contentType": "video/mp4"}
    assert tus.keys == {(SECRET.get_secret_value(), f"Bearer {SECRET.get_secret_value()}")}


@pytest.mark.parametrize(
    ("breaks", "deaf", "offsets"),
    [
        pytest.param(set(), {1}, [0, PART_BYTES, 2 * PART_BYTES], id="an answer is lost"),
        pytest.param({1}, set(), [0, PART_BYTES // 2, PART_BYTES * 3 // 2], id="half a part"),
    ],
)
def test_a_line_that_breaks_goes_on_from_what_has_arrived(tus, film, breaks, deaf, offsets):
    tus.breaks, tus.deaf = breaks, deaf
    put(tus, film)
    assert tus.whole == {KEY: film.read_bytes()}
    assert [offset for offset, _ in tus.parts] == offsets


KILLED = """
import os, signal, sys
from pathlib import Path
from pydantic import SecretStr
from video_assets.storage import resumable_upload
from video_assets.storage.objects import Upload
from video_assets.storage.supabase_objects import SupabaseObjects

url, film, key, secret = sys.argv[1:]
send, sent = resumable_upload._send, []

def send_one(*args):
    if sent:
        os.kill(os.getpid(), signal.SIGKILL)
    sent.append(send(*args))
    return sent[0]

resumable_upload._send = send_one
objects = SupabaseObjects(url, "artifacts", SecretStr(secret))
objects.put(key, Path(film), Upload(None, lambda address: print(address, flush=True)))
"""


def test_a_process_that_is_killed_leaves_an_upload_that_goes_on(tus, film):
    arguments = [tus.url, str(film), KEY, SECRET.get_secret_value()]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert tus.whole == {}
    assert put(tus, film, ended.stdout.strip()) == [], "no other upload was begun"
    assert tus.whole == {KEY: film.read_bytes()}
    assert [offset for offset, _ in tus.parts] == [0, PART_BYTES, 2 * PART_BYTES]


@pytest.mark.parametrize("begun", ["/storage/v1/upload/resumable/gone", "elsewhere"])
def test_an_upload_that_is_known_no_more_begins_anew(tus, film, begun):
    begun = "http://127.0.0.1:9/upload" if begun == "elsewhere" else tus.url + begun
    assert len(put(tus, film, begun)) == 1
    assert tus.whole == {KEY: film.read_bytes()}


@pytest.mark.parametrize("status", [413, 503])
def test_what_is_refused_ends_with_what_was_answered(tus, film, status):
    tus.refused = status
    with pytest.raises(StoreError, match=r"413|keeps breaking") as caught:
        put(tus, film)
    assert SECRET.get_secret_value() not in str(caught.value)
    assert len(tus.parts) < 10


def test_the_keys_never_go_to_another_host(tus, film):
    with serve_tus() as stranger:
        tus.location = f"{stranger.url}/storage/v1/upload/resumable/0"
        with pytest.raises(StoreError, match="another host"):
            put(tus, film)
        assert stranger.keys == set()
