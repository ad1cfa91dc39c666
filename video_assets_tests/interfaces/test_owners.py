"""Two people with accounts of one project, who process on machines that reach its database."""

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import Result

from video_assets.interfaces.cli.faults import ACCOUNT, USAGE
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import at_home, run_here
from video_assets_tests.lite.server import Lite
from video_assets_tests.security.project import Account, sign_up

# Of a resource without fields, Dagster asks Pydantic in an old way.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PRESET = """
name: cheap
steps:
  - {category: measure, name: probe, queue: metadata}
worker_config: {metadata: 1}
"""


@dataclass
class Desk:
    """Somebody's machine: a home with a preset, and footage."""

    home: Path
    footage: Path
    account: Account | None

    def run(self, *arguments: str | Path, code: int = 0) -> Result:
        """Run a command here."""
        with at_home(self.home), pytest.MonkeyPatch.context() as patch:
            patch.setenv("VIDEO_ASSETS_DAGSTER_URL", os.environ["DAGSTER_OF_TEST"])
            if self.account is not None:
                patch.setenv("VIDEO_ASSETS_ACCESS_TOKEN", self.account.token)
            return run_here(*arguments, code=code)

    def json(self, *arguments: str | Path) -> Any:
        """Run a command here, and give the document that it answers."""
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def desk(
    lite: Lite,
    embedded_server: EmbeddedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Desk]:
    monkeypatch.setenv("SUPABASE_URL", lite.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", lite.publishable_key)
    monkeypatch.setenv("SUPABASE_DB_URL", lite.admin_url)
    monkeypatch.setenv("DAGSTER_OF_TEST", embedded_server.dagster_url())

    def make(name: str, *, signed_in: bool = True) -> Desk:
        account = sign_up(lite, f"{name}.{uuid.uuid4().hex[:8]}") if signed_in else None
        home, footage = tmp_path / name / "home", tmp_path / name / "footage"
        (home / "presets").mkdir(parents=True)
        (home / "presets" / "cheap.yaml").write_text(PRESET)
        footage.mkdir()
        return Desk(home, footage, account)

    return make


def asked(lite: Lite, query: str, *values: Any) -> list[tuple]:
    with psycopg.connect(lite.admin_url) as connection:
        cursor = connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


def test_a_second_owner_of_a_file_shares_the_work_and_learns_nothing(desk, lite: Lite):
    zelda, ben = desk("zelda"), desk("ben")
    make_clip(zelda.footage / "secret-of-zelda.mov", Clip(frames=31))
    (ben.footage / "mine.mov").write_bytes((zelda.footage / "secret-of-zelda.mov").read_bytes())

    said = zelda.run("ingest", "--config", "cheap", "--name", "secret run of zelda", zelda.footage)
    assert f"Authenticated as: {zelda.account.email}" in said.stdout
    zelda.run("edit", "secret-of-zelda.mov", "--summary", "words of zelda")
    work = """SELECT * FROM results WHERE asset = 'probe' AND file_checksum IN (
                  SELECT file_checksum FROM clips WHERE file_name = 'secret-of-zelda.mov')"""
    made = asked(lite, work)
    assert len(made) == 1

    done = ben.json("ingest", "--config", "cheap", ben.footage)
    assert (done["exit_code"], done["new"]) == (0, 1)
    assert asked(lite, work) == made, "nothing was computed again"
    (clip,) = ben.json("list")["clips"]
    assert (clip["file_name"], clip["progress"]) == ("mine.mov", 100)
    assert '"width": 64' in ben.run("info", "mine.mov", "--json").stdout
    for command in TOLD:
        told = ben.run(*command).stdout
        for secret in ("zelda", str(zelda.account.id)):
            assert secret not in told, (command, secret)
    rows = asked(lite, OWNERS, str(zelda.account.id), str(ben.account.id))
    assert sorted(rows) == sorted([(zelda.account.id,), (ben.account.id,)])


TOLD = (
    ("list", "--json"),
    ("info", "mine.mov", "--json"),
    ("status", "--json"),
    ("runs", "list", "--json"),
    ("runs", "show", "--json"),
    ("costs", "--by", "clip", "--json"),
    ("costs", "--by", "owner", "--json"),
    ("failures", "--json"),
    ("stale", "--json"),
    ("promote", "--show", "--json"),
    ("backfill", "--dry-run", "--json"),
    ("forget", "mine.mov", "--dry-run", "--json"),
)
OWNERS = "SELECT DISTINCT user_id FROM runs WHERE user_id::text IN (%s, %s)"


def test_whoever_is_not_signed_in_is_told_how_to(desk):
    nobody = desk("nobody", signed_in=False)
    make_clip(nobody.footage / "a.mov")
    editing = ("edit", "a.mov", "--clear")
    for command in (("ingest", nobody.footage), ("backfill",), ("list",), editing):
        said = nobody.run(*command, code=ACCOUNT).stderr
        assert "video-assets auth login" in said, command


def test_processing_needs_the_database(desk, monkeypatch):
    ada = desk("ada")
    monkeypatch.delenv("SUPABASE_DB_URL")
    make_clip(ada.footage / "a.mov")
    for command in (("ingest", ada.footage), ("backfill",), ("erase", "local", "--dry-run")):
        said = " ".join(ada.run(*command, code=USAGE).stderr.split())
        assert "set SUPABASE_DB_URL" in said, command
    assert not (ada.home / "postgres").exists()


def test_a_key_of_the_bucket_that_is_missing_is_told_before_anything_is_read(desk, monkeypatch):
    ada = desk("ada")
    make_clip(ada.footage / "clip.mkv", Clip(frames=2))
    monkeypatch.setenv("VIDEO_ASSETS_ARTIFACTS__URL", "supabase://artifacts")
    said = ada.run("ingest", ada.footage, "--config", "cheap", code=USAGE).stderr
    assert "SUPABASE_SECRET_KEY" in said
    assert ada.json("list")["total"] == 0
    for command in ("backfill", "worker", "dev"):
        assert "SUPABASE_SECRET_KEY" in ada.run(command, code=USAGE).stderr
    assert ada.json("runs", "list")["total"] == 0
    (store,) = (each for each in doctor(ada, code=1) if each["name"] == "Object store")
    assert (store["state"], "SUPABASE_SECRET_KEY" in store["found"]) == ("missing", True)
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_x")
    assert "Object store" not in [each["name"] for each in doctor(ada) if each["state"] != "good"]


def doctor(who: Desk, code: int = 0) -> Any:
    return json.loads(who.run("doctor", "--json", code=code).stdout)


def test_a_watched_folder_is_of_who_is_signed_in(desk, lite: Lite):
    ada = desk("ada")
    ada.run("watch", "add", ada.footage)
    (watched,) = ada.json("watch", "list")["watch"]
    assert (watched["owner"], watched["state"]) == (str(ada.account.id), "there")
    ada.run("watch", "remove", ada.footage)
    ben = desk("ben").account
    ada.run("watch", "add", ada.footage, "--owner", ben.email)
    (watched,) = ada.json("watch", "list")["watch"]
    assert watched["owner"] == str(ben.id)
    ada.run("watch", "remove", ada.footage)
    said = ada.run("watch", "add", ada.footage, "--owner", "no@example.org", code=USAGE).stderr
    assert "there is no owner no@example.org" in " ".join(said.split())
    nobodys = str(uuid.uuid4())
    said = ada.run("watch", "add", ada.footage, "--owner", nobodys, code=USAGE).stderr
    assert f"owner {nobodys} has no account" in " ".join(said.split())
    said = ada.run("watch", "add", ada.footage, "--owner", "local", code=USAGE).stderr
    assert "`local` is none of them" in " ".join(said.split())
    (ada.home / "settings.toml").write_text(
        f'[[watch]]\npath = "{ada.footage}"\nowner = "{nobodys}"\n'
    )
    (watched,) = ada.json("watch", "list")["watch"]
    assert watched["state"] == "its owner has no account"


def test_admins_see_all_owners_and_nobody_else_does(desk, lite: Lite):
    ada, ben = desk("ada"), desk("ben")
    for command in (("admin", "users"), ("admin", "clips"), ("admin", "clips", ben.account.email)):
        assert "only an admin may ask this" in ada.run(*command, code=USAGE).stderr
    asked(
        lite,
        "UPDATE user_profiles SET profile_type = 'admin' WHERE id = %s",
        ada.account.id,
    )
    asked(
        lite,
        """INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                              file_size_bytes)
           VALUES (%s, '/x', '/x', 'of-ben.mov', repeat('b', 64), 7)""",
        ben.account.id,
    )
    users = ada.json("admin", "users", "--limit", "1000")["users"]
    about = {user["email"]: user for user in users}
    assert about[ada.account.email]["profile_type"] == "admin"
    assert (about[ben.account.email]["clips"], about[ben.account.email]["size_bytes"]) == (1, 7)
    assert LOCAL_OWNER not in {user["id"] for user in users}
    (clip,) = ada.json("admin", "clips", ben.account.email)["clips"]
    assert clip["file_name"] == "of-ben.mov"
    assert "of-ben.mov" in ada.run("admin", "clips").stdout
    assert ben.account.email in ada.run("admin", "users", "--limit", "1000").stdout
    assert "there is no owner nobody" in ada.run("admin", "clips", "nobody", code=USAGE).stderr
