"""`video-assets db push` and `db pull`: what they say, refuse, and leave behind."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER, Settings
from video_assets.storage import descriptions
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets.storage.rest import RestCatalogue
from video_assets_tests.commands import at_home, run_here
from video_assets_tests.conftest import new_database
from video_assets_tests.lite.server import Lite, serve_lite
from video_assets_tests.storage.filled import Filled
from video_assets_tests.storage.ways import signed_in

ANN = uuid.UUID(int=7, version=4)


@pytest.fixture
def project(
    embedded_server: EmbeddedServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A database of Ann's that SUPABASE_DB_URL names, beside a home of our own."""
    with new_database(embedded_server) as name, at_home(settings.home):
        url = embedded_server.admin_url(name)
        with psycopg.connect(url) as connection:
            connection.execute(
                "INSERT INTO auth.users (id, email) VALUES (%s, 'ann@example.org')", (ANN,)
            )
        monkeypatch.setenv("SUPABASE_DB_URL", url)
        yield url


@pytest.fixture
def own_lite(embedded_server: EmbeddedServer, tmp_path: Path) -> Iterator[Lite]:
    """A project in which nobody has filled the room that there is for vectors of two models."""
    with serve_lite(embedded_server, tmp_path / "lite") as project:
        yield project


def test_a_catalogue_goes_to_a_project_and_comes_back(
    project: str, settings: Settings, tmp_path: Path
):
    assert "no catalogue yet" in run_here("db", "push", "--owner", str(ANN), code=2).stderr
    here = Filled(open_catalogue(settings), tmp_path / "files")
    here.fill(2)
    there = Filled(Postgres(project), tmp_path, ANN)
    push = ("db", "push", "--owner", "ann@example.org")

    told = run_here(*push, "--dry-run").stdout
    assert "of 2 clips with" in told
    assert "2 would be copied, 2 of them new there" in told
    assert there.rows("SELECT * FROM clips") == []

    told = run_here(*push).stdout
    assert "Equal: 2 clips with" in told
    assert "Dagster hears of the clips" in " ".join(told.split())
    assert there.ids() == here.ids()

    descriptions.edit(there.catalogue, ANN, min(there.ids().values()), {"summary": "Ann's"})
    found = json.loads(run_here(*push, "--json").stdout)
    assert (found["is_equal"], found["clips"], found["newer_at_target"]) == (True, 2, 1)
    tables = {each["table"]: each for each in found["tables"]}
    assert tables["results"]["digest"] == tables["results"]["digest_at_target"]
    assert tables["segments"]["newer_at_target"] == tables["segments"]["rows"]

    assert "Equal: 2 clips" in run_here("db", "pull", "--owner", str(ANN)).stdout
    words = "SELECT content_summary FROM clips WHERE content_summary = 'Ann''s'"
    assert len(here.rows(words)) == 1
    assert here.rows("SELECT DISTINCT user_id FROM clips") == [{"user_id": LOCAL_OWNER}]
    here.catalogue.close()
    there.catalogue.close()


def test_who_is_signed_in_finds_all_of_it_in_a_project(
    own_lite: Lite, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lite = own_lite
    owner = uuid.uuid4()
    with psycopg.connect(lite.admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (owner, f"{owner}@example.org")
        )
    here = Filled(open_catalogue(settings), tmp_path / "files")
    here.live(here.fill(5))
    with signed_in(lite, owner) as client, at_home(settings.home):
        monkeypatch.setenv("SUPABASE_DB_URL", lite.admin_url)
        monkeypatch.setenv("SUPABASE_URL", lite.url)
        monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", lite.publishable_key)
        token = client.options.headers["Authorization"].removeprefix("Bearer ")
        monkeypatch.setenv("VIDEO_ASSETS_ACCESS_TOKEN", token)
        assert "Equal: 4 clips" in run_here("db", "push").stdout
        project = RestCatalogue(lambda: client, owner, lite.url)
        assert here.answers(project, owner) == here.answers()
    here.catalogue.close()


def test_what_is_missing_is_named(
    project: str,
    settings: Settings,
    embedded_server: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
):
    assert "say whose the clips are" in run_here("db", "push", code=2).stderr
    told = run_here("db", "push", "--owner", "nobody@example.org", code=2).stderr
    assert "there is no owner nobody@example.org at 127.0.0.1" in told
    assert project not in told
    monkeypatch.setenv("SUPABASE_DB_URL", embedded_server.admin_url("postgres"))
    told = run_here("db", "push", "--owner", str(ANN), code=3).stderr
    assert "run `video-assets db migrate`" in told
    monkeypatch.delenv("SUPABASE_DB_URL")
    told = run_here("db", "pull", "--owner", str(ANN), code=2).stderr
    assert "SUPABASE_DB_URL is not set" in told
    assert not settings.home.exists()
