"""Files in the bucket of a Supabase project, as the service and as two owners see them."""

import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from supabase import Client, ClientOptions, create_client

from video_assets.artifact_place import Artifacts
from video_assets.settings import Settings, load_settings
from video_assets.storage import deletions, erasure
from video_assets.storage.artifact_cache import Cache, DamagedError
from video_assets.storage.artifact_move import Move
from video_assets.storage.artifact_store import open_cache, share
from video_assets.storage.objects import NoObjectError, StoreError, Upload
from video_assets.storage.postgres import Postgres
from video_assets.storage.rest import RestCatalogue
from video_assets.storage.supabase_objects import SupabaseObjects
from video_assets_tests.lite.project import new_address
from video_assets_tests.lite.server import Project
from video_assets_tests.lite.test_lite import asked
from video_assets_tests.storage.kept import Kept
from video_assets_tests.storage.stored import Stored

NO_UPLOAD = Upload(None, print)


@pytest.fixture(scope="module")
def service(supabase: Project) -> SupabaseObjects:
    key = SecretStr(supabase.secret_key)
    return SupabaseObjects(supabase.url, "artifacts", key)


@pytest.fixture(scope="module")
def project(supabase: Project) -> Iterator[Postgres]:
    """The project's database, as workers see it."""
    database = Postgres(supabase.admin_url)
    with database.transaction() as connection:
        connection.execute("SELECT private.use_checksum_algorithm('blake3')")
    yield database
    database.close()


class Person:
    """Somebody with an account."""

    def __init__(self, supabase: Project) -> None:
        account = {"email": new_address(), "password": "Passw0rd!"}
        session = asked(supabase, "/auth/v1/signup", account)
        self.id = uuid.UUID(session["user"]["id"])
        self.connections = httpx.Client()
        self.supabase, self.token = supabase, SecretStr(session["access_token"])
        key = SecretStr(supabase.publishable_key)
        self.objects = SupabaseObjects(supabase.url, "artifacts", key, lambda: self.token)

    @property
    def catalogue(self) -> RestCatalogue:
        """What their own machine knows of the project."""
        return RestCatalogue(self.client, self.id, self.supabase.url)

    def client(self) -> Client:
        """A client that sends the token along that they have now."""
        options = ClientOptions(auto_refresh_token=False, httpx_client=self.connections)
        options.headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        return create_client(self.supabase.url, self.supabase.publishable_key, options)

    def key_in(self, stored: Stored, checksum: str) -> str:
        """Where their copy of the one file of a clip lies."""
        (key,) = (k for k in stored.there() if k.startswith(f"{self.id}/") and checksum in k)
        return key


@pytest.fixture(scope="module")
def ann(supabase: Project) -> Iterator[Person]:
    person = Person(supabase)
    yield person
    person.connections.close()


@pytest.fixture(scope="module")
def ben(supabase: Project) -> Iterator[Person]:
    person = Person(supabase)
    yield person
    person.connections.close()


@pytest.fixture
def here(project: Postgres, service: SupabaseObjects, tmp_path: Path) -> Stored:
    return Stored(Kept(project, tmp_path / "here", tmp_path / "footage"), service)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a picture")
    return path


def read(objects: SupabaseObjects, key: str) -> bytes:
    return b"".join(objects.read(key))


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 - on loopback
        return response.read()


def test_the_service_puts_reads_and_removes(service, picture):
    key = f"{uuid.uuid4()}/ab/x/a.jpg"
    service.put(key, picture, NO_UPLOAD)
    service.put(key, picture, NO_UPLOAD)  # of an upload that was killed before it was noted
    assert read(service, key) == b"a picture"
    service.remove([key, "never/there"])
    with pytest.raises(NoObjectError):
        read(service, key)


def test_nobody_learns_from_an_error_whose_file_it_was(service, ann):
    for objects in (service, ann.objects):
        with pytest.raises(StoreError) as caught:
            read(objects, f"{uuid.UUID(int=7)}/ab/x/a.jpg")
        assert str(uuid.UUID(int=7)) not in str(caught.value)


def test_an_address_serves_anybody_for_a_while_and_then_nobody(ann, service, picture):
    key = f"{ann.id}/ab/x/{uuid.uuid4()}.jpg"
    service.put(key, picture, NO_UPLOAD)
    assert fetch(ann.objects.link(key, 60)) == b"a picture"
    short = ann.objects.link(key, 1)
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError):
        fetch(short)


def test_a_forged_address_is_refused(ann, service, picture):
    keys = [f"{owner}/ab/x/{uuid.uuid4()}.jpg" for owner in (ann.id, uuid.uuid4())]
    for key in keys:
        service.put(key, picture, NO_UPLOAD)
    address = ann.objects.link(keys[0], 60)
    body, _, signature = address.rpartition(".")
    changed = "A" if signature[0] != "A" else "B"
    for forged in (
        f"{body}.{changed}{signature[1:]}",
        address.replace(keys[0], keys[1]),
        address.partition("?")[0],
    ):
        with pytest.raises(urllib.error.HTTPError):
            fetch(forged)


def test_an_owner_reads_their_files_and_nobody_elses(ann, ben, service, picture):
    key = f"{ann.id}/ab/x/{uuid.uuid4()}.jpg"
    service.put(key, picture, NO_UPLOAD)
    assert read(ann.objects, key) == b"a picture"
    with pytest.raises(NoObjectError):
        read(ben.objects, key)
    with pytest.raises(NoObjectError):
        ben.objects.link(key, 60)


def test_an_owner_writes_nothing(ann, ben, service, picture):
    key = f"{ann.id}/ab/x/{uuid.uuid4()}.jpg"
    with pytest.raises(StoreError):
        ann.objects.put(key, picture, NO_UPLOAD)
    service.put(key, picture, NO_UPLOAD)
    for person in (ann, ben):
        with pytest.raises(StoreError):
            person.objects.copy(key, f"{person.id}/ab/x/{uuid.uuid4()}.jpg")
        person.objects.remove([key])
    assert read(service, key) == b"a picture"


def test_every_owner_of_a_content_has_a_copy_of_their_own(here, ann, ben, tmp_path):
    checksum = here.kept.clip(uuid.uuid4().hex, ann.id)
    here.kept.clip(text_of(here, checksum), ben.id)
    (name,) = here.make(checksum, "cut", film=b"moving pictures")
    for person, other in ((ann, ben), (ben, ann)):
        key = person.key_in(here, checksum)
        assert read(person.objects, key) == b"moving pictures"
        with pytest.raises(NoObjectError):
            read(other.objects, key)
    assert here.elsewhere(tmp_path / "there").cache.bring(name).exists()


def test_who_comes_to_a_content_later_gets_a_copy_of_their_own(here, ann, ben, supabase):
    checksum = here.kept.clip(uuid.uuid4().hex, ann.id)
    here.make(checksum, "cut", film=b"moving pictures")
    time.sleep(0.1)
    registered = time.time()
    here.kept.clip(text_of(here, checksum), ben.id)
    key = SecretStr(supabase.secret_key)
    place = Artifacts(url="supabase://artifacts")
    for url in ("http://127.0.0.1:9", supabase.url):  # where nobody answers, nobody is kept waiting
        settings = Settings(supabase_url=url, supabase_secret_key=key, artifacts=place)
        share(settings, here.kept.catalogue, [checksum])
    assert here.store.copies.share() == 0
    key = ben.key_in(here, checksum)
    assert read(ben.objects, key) == b"moving pictures"
    query = "SELECT extract(epoch FROM created_at) FROM storage.objects WHERE name = %s"
    with psycopg.connect(supabase.admin_url) as connection:
        (made,) = connection.execute(query, (key,)).fetchone() or (0,)
    assert made > registered, "its date does not tell that somebody had it before"


def test_a_move_gives_every_owner_their_files(here, ann, ben):
    checksum = here.kept.clip(uuid.uuid4().hex, ann.id)
    here.kept.clip(text_of(here, checksum), ben.id)
    here.kept.make(checksum, "cut", "film.bin")
    here.kept.rows("DELETE FROM results WHERE file_checksum <> %s", checksum)
    here.kept.rows("DELETE FROM results WHERE asset <> 'cut'")
    move = Move(here.kept.catalogue, Cache(here.kept.root), here.store.copies, 1_000_000)
    assert move.run(print).files == 1
    assert move.left().files == 0
    for person in (ann, ben):
        assert read(person.objects, person.key_in(here, checksum)) == b"film.bin"
    here.clean()  # what these results were of


def test_what_one_owner_gives_up_goes_and_the_other_keeps_theirs(here, ann, ben):
    checksum = here.kept.clip(uuid.uuid4().hex, ann.id)
    here.kept.clip(text_of(here, checksum), ben.id)
    here.make(checksum, "cut", film=b"moving pictures")
    (clip_id,) = here.kept.rows(
        "SELECT id FROM clips WHERE file_checksum = %s AND user_id = %s", checksum, ann.id
    )
    erasure.forget_clip(here.kept.catalogue, ann.id, clip_id["id"])
    assert here.cleaner().finish().removed == 1
    here.kept.contents().finish(deletions.Outcome("orphans"))
    (key,) = (each for each in here.there() if checksum in each)
    assert key == ben.key_in(here, checksum)
    assert read(ben.objects, key) == b"moving pictures"
    here.kept.rows("DELETE FROM clips WHERE file_checksum = %s", checksum)
    assert here.clean().removed == 1
    with pytest.raises(NoObjectError):
        read(here.objects, key)


def test_an_owner_fetches_and_checks_their_files_and_nobody_elses(
    here, ann, ben, supabase, tmp_path
):
    checksum = here.kept.clip(uuid.uuid4().hex, ann.id)
    (name,) = here.make(checksum, "cut", film=b"moving pictures")
    settings = load_settings(tmp_path / "laptop")
    hers, his = (open_cache(settings, each.catalogue) for each in (ann, ben))
    his.bring_all([name])
    assert not his.bring(name).exists()
    assert hers.bring(name).read_bytes() == b"moving pictures"
    hers.bring(name).write_bytes(b"changed, since")
    query = "UPDATE private.artifact_digests SET blake3 = left(blake3, 32) || repeat('0', 32)"
    here.kept.rows(query)
    with pytest.raises(DamagedError):
        hers.bring(name)


def test_files_are_fetched_with_the_token_that_holds_now(here, supabase, tmp_path):
    person = Person(supabase)
    checksum = here.kept.clip(uuid.uuid4().hex, person.id)
    (name,) = here.make(checksum, "cut", film=b"moving pictures")
    good, person.token = person.token, SecretStr("a.token.that-ended")
    cache = open_cache(load_settings(tmp_path / "laptop"), person.catalogue)
    person.token = good
    assert cache.bring(name).read_bytes() == b"moving pictures"
    person.connections.close()


def test_a_store_that_does_not_answer_says_which(picture):
    key = SecretStr("sb_secret_x")
    gone = SupabaseObjects("http://127.0.0.1:9", "artifacts", key)
    for ask in (lambda: read(gone, "a"), lambda: gone.put("a", picture, NO_UPLOAD)):
        with pytest.raises(StoreError, match=r"supabase://127.0.0.1:9/artifacts does not answer"):
            ask()


def text_of(here: Stored, checksum: str) -> str:
    """The text of which a clip was made, for another owner to have."""
    rows = here.kept.rows("SELECT file_name FROM clips WHERE file_checksum = %s", checksum)
    return rows[0]["file_name"].removesuffix(".mp4")
