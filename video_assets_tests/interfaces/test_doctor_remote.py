"""`video-assets doctor` on a catalogue elsewhere: each fault is found, and its remedy mends it."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from video_assets.interfaces.cli.doctor_remote import examine
from video_assets.interfaces.cli.finding import Finding
from video_assets.settings import Settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import migrate, sql_folder
from video_assets_tests.commands import at_home, run_here
from video_assets_tests.conftest import run_sql
from video_assets_tests.lite.server import Lite
from video_assets_tests.pooler import MISSING, PGBOUNCER, pooler
from video_assets_tests.servers import quiet_port


def look(url: str | None = None, **given: object) -> dict[str, Finding]:
    settings = Settings(home=Path("/nowhere"), db_url=url, **given)  # pyright: ignore[reportArgumentType]
    return {finding.name: finding for finding in examine(settings)}


@pytest.fixture
def url(catalogue_name: str, embedded_server: EmbeddedServer) -> str:
    """The catalogue as its owner."""
    return embedded_server.admin_url(catalogue_name)


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_catalogue_in_order(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIDEO_ASSETS_DAGSTER_URL", "postgresql+psycopg2://u:hunter2@host/dagster")
    found = look(url)
    assert {name for name, each in found.items() if each.state != "good"} <= {"Bucket"}
    assert found["Database"].found.startswith(f"answers at 127.0.0.1:{urlsplit(url).port} as ")
    assert found["Postgres"].found == "18.4"
    assert found["Dagster's database"].found == "host:5432/dagster"
    assert "hunter2" not in str(found)
    assert str(urlsplit(url).password) not in str(found)


def told(code: int = 0) -> dict[str, dict[str, str]]:
    return {
        each["name"]: each for each in json.loads(run_here("doctor", "--json", code=code).stdout)
    }


def test_the_command_tells_it_to_people_and_programs(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUPABASE_DB_URL", url)
    with at_home(tmp_path):
        assert told()["Rights"]["state"] == "good"
        assert "Rights" in run_here("doctor").stdout
        execute(url, "GRANT SELECT ON clips TO anon")
        found = told(code=1)["Rights"]["found"]
        assert found == "has besides GRANT SELECT ON TABLE public.clips TO anon;"
        remedy = "REVOKE SELECT ON TABLE public.clips FROM anon;"
        assert run_here("db", "rights").stdout.strip() == remedy
        assert run_here("db", "rights", "--repair").stdout.strip() == remedy
        assert "as the migrations say" in run_here("db", "rights").stdout
    assert look(url)["Rights"].state == "good"


def test_a_database_that_does_not_answer_is_told_without_its_password():
    found = look(f"postgresql://postgres:hunter2@127.0.0.1:{quiet_port()}/postgres")
    assert found["Database"].state == "missing"
    assert "refused" in found["Database"].found
    assert "hunter2" not in str(found)


@pytest.fixture
def fresh(embedded_server: EmbeddedServer) -> Iterator[str]:
    """A database that looks like a project to which nothing was applied."""
    name = f"fresh_{uuid.uuid4().hex[:8]}"
    admin = embedded_server.admin_url("postgres")
    run_sql(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = embedded_server.admin_url(name)
    execute(url, (sql_folder() / "embedded" / "10_supabase.sql").read_text("utf-8"))
    yield url
    run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_what_is_not_there_yet_is_made_by_the_commands_that_it_names(fresh: str):
    execute(fresh, "DROP EXTENSION vector")
    found = look(fresh)
    assert found["pgvector"].state == found["Schema"].state == "missing"
    assert found["Schema"].cost == "run `video-assets db migrate`"
    execute(fresh, found["pgvector"].cost.partition("run: ")[2])
    migrate(fresh, embedded=False)
    found = look(fresh)
    assert found["pgvector"].state == found["Schema"].state == found["Rights"].state == "good"


def test_rights_are_not_looked_at_before_there_is_a_schema(
    fresh: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUPABASE_DB_URL", fresh)
    with at_home(tmp_path):
        for options in ([], ["--repair"]):
            refused = run_here("db", "rights", *options, code=2)
            assert "run `video-assets db migrate` first" in refused.stderr
            assert refused.stdout == ""
        run_here("db", "migrate")
        assert "as the migrations say" in run_here("db", "rights").stdout


def test_a_newer_catalogue_asks_for_a_newer_program(fresh: str):
    migrate(fresh, embedded=False)
    insert = "INSERT INTO supabase_migrations.schema_migrations (version) VALUES "
    execute(fresh, f"{insert} ('20200101000000')")
    assert look(fresh)["Schema"].found == "up to date, and 1 migrations of others"
    execute(fresh, f"{insert} ('29990101000000')")
    assert look(fresh)["Schema"].found == "has migrations we lack: 29990101000000"


def test_a_role_that_may_not_act_for_others_is_told_what_it_lacks(url: str):
    execute(url, "CREATE ROLE worker LOGIN PASSWORD 'wrench'; GRANT USAGE ON SCHEMA "
                 "supabase_migrations TO worker; GRANT SELECT ON ALL TABLES IN SCHEMA "
                 "supabase_migrations TO worker")  # fmt: skip
    address = urlsplit(url)
    theirs = address._replace(netloc=f"worker:wrench@{address.hostname}:{address.port}").geturl()
    try:
        found = look(theirs)["Roles"]
        assert (found.state, found.found) == (
            "missing",
            "worker may not become authenticated, service_role",
        )
        execute(url, found.cost.partition("run: ")[2])
        assert look(theirs)["Roles"].state == "good"
    finally:
        execute(url, "DROP OWNED BY worker; DROP ROLE worker")


@pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)
def test_a_transaction_pooler_needs_a_way_past_it(url: str):
    with pooler(url) as [address]:
        found = look(address)["Locks"]
        assert found.state == "missing"
        assert "set SUPABASE_SESSION_DB_URL to" in found.found
        past = look(address, session_db_url=url)["Locks"]
        assert (past.state, past.found) == (
            "good",
            f"held past the pooler, at 127.0.0.1:{urlsplit(url).port}",
        )


def test_a_role_that_sees_too_little_is_told_whose_place_it_takes(url: str):
    execute(url, "CREATE ROLE guest LOGIN PASSWORD 'wrench'")
    address = urlsplit(url)
    theirs = address._replace(netloc=f"guest:wrench@{address.hostname}:{address.port}").geturl()
    try:
        assert "the owner of the tables" in look(theirs)["Database"].found
    finally:
        execute(url, "DROP ROLE guest")


def test_a_server_that_is_nearly_full_is_noticed(url: str):
    assert look(url, db_connections=200)["Connections"].state == "note"


def test_dagster_s_database_is_the_embedded_one_where_none_is_named(url: str):
    assert look(url)["Dagster's database"] == Finding(
        "Dagster's database",
        "good",
        "in the embedded Postgres, which was never made; it starts when it is needed",
    )


def test_dagster_is_not_sent_through_a_transaction_pooler(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIDEO_ASSETS_DAGSTER_URL", "postgresql+psycopg2://u:p@host:6543/dagster")
    assert look(url)["Dagster's database"].state == "missing"


def test_the_data_api_is_asked_as_a_stranger(lite: Lite):
    given = {"supabase_url": lite.url, "supabase_publishable_key": SecretStr(lite.publishable_key)}
    found = look(None, **given)
    assert found["Data API"] == Finding(
        "Data API", "good", f"answers at {lite.url}, and shows strangers nothing"
    )
    assert found["Database"].state == "note"
    execute(lite.admin_url, "GRANT SELECT ON clips TO anon")
    try:
        assert look(None, **given)["Data API"].found == "shows clips to strangers"
    finally:
        execute(lite.admin_url, "REVOKE SELECT ON clips FROM anon")
    wrong = {**given, "supabase_publishable_key": SecretStr("sb_publishable_" + "0" * 32)}
    assert look(None, **wrong)["Data API"].found == "refuses the publishable key"
    nobody = {**given, "supabase_url": f"http://127.0.0.1:{quiet_port()}"}
    assert look(None, **nobody)["Data API"].found.startswith("does not answer")
    assert look(None, supabase_url=lite.url)["Data API"].cost.startswith("set SUPABASE_PUBLISH")
