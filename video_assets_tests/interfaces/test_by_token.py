"""Commands of a person who has a token for a project, and no password of its database."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from video_assets.storage.postgres import Postgres
from video_assets_tests.commands import at_home, run_here
from video_assets_tests.lite.server import Lite
from video_assets_tests.search.shelves import Shelves, Told
from video_assets_tests.security.owners import Owner, make_owner
from video_assets_tests.storage.ways import token_of


@pytest.fixture(scope="module")
def cleo(lite: Lite) -> Iterator[Owner]:
    """Somebody with clips in a project."""
    postgres = Postgres(lite.admin_url)
    with postgres.transaction() as connection:
        connection.execute("SELECT private.use_checksum_algorithm('blake3')")
    cleo = make_owner(postgres, lite.admin_url, f"Cleo{uuid.uuid4().hex[:4]}")
    make_owner(postgres, lite.admin_url, f"Ben{uuid.uuid4().hex[:4]}")
    Shelves(postgres, lite.admin_url).add(
        cleo.id,
        Told("harbour.mp4", summary="Boats at dusk", said=["We sail at seven."]),
    )
    with postgres.transaction() as connection:
        connection.execute(
            """UPDATE analysis SET analysis_summary = '{"overall": "A bridge."}', calls = 1,
                      input_tokens = 9, cached_tokens = 0, output_tokens = 9, cost_usd = 0.1,
                      seconds = 2"""
        )
    yield cleo
    postgres.close()


@pytest.fixture
def signed_in(
    lite: Lite, cleo: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("SUPABASE_URL", lite.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", lite.publishable_key)
    monkeypatch.setenv("VIDEO_ASSETS_ACCESS_TOKEN", token_of(lite, cleo.id))
    with at_home(tmp_path / "home"):
        yield
    assert not (tmp_path / "home" / "postgres").exists()


def told(*arguments: str) -> Any:
    return json.loads(run_here(*arguments, "--json").stdout)


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "info harbour.mp4",
        "monitor",
        "monitor --video harbour.mp4",
        "status",
        "stale",
        "failures",
        "search query harbour",
        "search query harbour --explain",
        "search moments sail",
        "search similar harbour.mp4",
        "search stats",
        "search info harbour.mp4",
        "runs list",
        "runs show",
        "costs",
        "costs --by clip",
        "costs --answers harbour.mp4",
        "compare",
        "export",
        "export --table transcripts --format json",
        "promote --show",
    ],
)
def test_a_command_shows_what_is_theirs(signed_in: None, cleo: Owner, command: str):
    said = run_here(*command.split()).stdout
    assert "Ben" not in said
    if command in ("list", "info harbour.mp4", "search query harbour", "export"):
        assert "harbour.mp4" in said
    if not command.startswith(("export", "runs show")):
        assert "Ben" not in json.dumps(told(*command.split()))


def test_what_they_say_of_a_clip_stays(signed_in: None, cleo: Owner):
    edited = told("edit", "harbour.mp4", "--summary", "Boats, late", "--tags", "boats, dusk")
    assert (edited["summary"], edited["edited"]) == ("Boats, late", ["summary", "tags"])
    assert told("info", "harbour.mp4")["content_tags"] == ["boats", "dusk"]
    assert told("edit", "harbour.mp4", "--clear")["edited"] == []
    told("promote", "local_analysis", "--clip", "harbour.mp4")
    assert told("promote", "--rollback", "--clip", "harbour.mp4")["taken_back"]


def test_a_clip_is_forgotten(lite: Lite, signed_in: None, cleo: Owner):
    with closing(Postgres(lite.admin_url)) as postgres:
        Shelves(postgres, lite.admin_url).add(cleo.id, Told("unwanted.mp4"))
    assert told("forget", "unwanted.mp4", "--dry-run")["file_path"] == "/footage/unwanted.mp4"
    assert (
        "unwanted.mp4 (/footage/unwanted.mp4)"
        in run_here("forget", "unwanted.mp4", "--dry-run").stdout
    )
    run_here("forget", "unwanted.mp4", "--yes")
    assert "unwanted.mp4" not in run_here("list").stdout


def test_what_needs_the_database_says_so(signed_in: None, tmp_path: Path):
    (tmp_path / "new.mp4").write_bytes(b"x")
    for command in (["ingest", str(tmp_path)], ["runs", "prune"], ["backfill"]):
        assert "SUPABASE_DB_URL" in run_here(*command, code=2).stderr


@pytest.mark.parametrize(
    "command",
    ["list", "runs list", "runs show", "compare", "search query harbour", "search moments sail"],
)
def test_whoever_has_no_clip_is_told_where_they_are_processed(
    lite: Lite, signed_in: None, monkeypatch: pytest.MonkeyPatch, command: str
):
    newcomer = uuid.uuid4()
    with psycopg.connect(lite.admin_url) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (newcomer,))
    monkeypatch.setenv("VIDEO_ASSETS_ACCESS_TOKEN", token_of(lite, newcomer))
    said = run_here(*command.split(), code=2 if command == "runs show" else 0)
    assert "` on a machine that has SUPABASE_DB_URL" in " ".join(said.output.split())
