"""Object stores by fsspec behave alike: an S3 on loopback, a folder, and one in memory."""

import logging
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from video_assets.settings import SettingsError
from video_assets.storage.fsspec_objects import FsspecObjects
from video_assets.storage.objects import NoObjectError, StoreError, Upload

KEY = "ab/c d/ü/0123-film.mp4"
NO_UPLOAD = Upload(None, print)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of an S3 on loopback, named as the environment of `aws` has it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "a test",
            "AWS_SECRET_ACCESS_KEY": "a test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="footage")
        yield "s3://footage/made from clips"
    server.stop()


@pytest.fixture(params=["s3", "file", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecObjects:
    urls = {"file": f"file://{tmp_path}/shelf", "memory": f"memory://{tmp_path.name}"}
    return FsspecObjects.of(urls.get(request.param) or request.getfixturevalue("s3"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than one request takes of S3."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(bytes(range(256)) * 1024 * 24)
    return path


def read(objects: FsspecObjects, key: str) -> bytes:
    return b"".join(objects.read(key))


def test_what_is_put_is_read_copied_and_removed(objects, film):
    objects.put(KEY, film, NO_UPLOAD)
    assert read(objects, KEY) == film.read_bytes()
    objects.copy(KEY, f"{KEY}.2")
    objects.remove([KEY, "never/there"])
    with pytest.raises(NoObjectError):
        read(objects, KEY)
    assert read(objects, f"{KEY}.2") == film.read_bytes()


def test_what_another_machine_removed_is_not_remembered(objects, film):
    objects.put(KEY, film, NO_UPLOAD)
    read(objects, KEY)
    type(objects)(objects.name).remove([KEY])
    with pytest.raises(NoObjectError):
        read(objects, KEY)


def test_an_address_of_s3_serves_anybody(s3, film):
    objects = FsspecObjects.of(s3)
    objects.put("a.mp4", film, NO_UPLOAD)
    address = objects.link("a.mp4", 60)
    assert "Expires" in address
    with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 - on loopback
        assert response.read() == film.read_bytes()


def test_a_bucket_that_is_not_there_says_which(s3, film):
    with pytest.raises(StoreError, match="s3://nobodys/x"):
        FsspecObjects.of("s3://nobodys/x").put("a.mp4", film, NO_UPLOAD)


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="the library is here")
def test_a_store_without_its_library_says_what_to_install():
    with pytest.raises(SettingsError, match=r"pip install -e '\.\[gcs\]'"):
        FsspecObjects.of("gs://footage/x")
