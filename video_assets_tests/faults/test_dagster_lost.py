"""What Dagster keeps is lost or held by the dead: the next ingest goes on all the same."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import run
from video_assets_tests.servers import remove_server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A catalogue of one clip."""
    home = tmp_path_factory.mktemp("lost")
    footage = home / "footage"
    footage.mkdir()
    make_clip(footage / "first.mp4", Clip(frames=6))
    done = run(home, "ingest", footage)
    assert done.returncode == 0, done.stderr
    yield home
    remove_server(EmbeddedServer(home))


def test_a_slot_that_a_dead_daemon_holds_does_not_stop_an_ingest(home: Path) -> None:
    make_clip(home / "footage" / "second.mp4", Clip(frames=7))
    hold = """
        INSERT INTO concurrency_limits (concurrency_key, "limit", using_default_limit)
        VALUES (%(lane)s, 1, true) ON CONFLICT DO NOTHING;
        INSERT INTO concurrency_slots (concurrency_key, run_id, step_key, deleted)
        VALUES (%(lane)s, 'of a dead process', 'probe', false)"""
    with psycopg.connect(EmbeddedServer(home).admin_url("dagster")) as dagster:
        for statement in hold.split(";"):
            dagster.execute(statement, {"lane": "metadata"})
    done = run(home, "ingest", home / "footage")
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_dagster_s_storage_is_made_again_from_the_ledger(home: Path) -> None:
    with psycopg.connect(EmbeddedServer(home).admin_url("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE dagster WITH (FORCE)")
    make_clip(home / "footage" / "third.mp4", Clip(frames=8))
    done = run(home, "ingest", home / "footage")
    assert done.returncode == 0, (done.stdout, done.stderr)

    with psycopg.connect(EmbeddedServer(home).admin_url("dagster")) as dagster:
        told = dagster.execute(
            """SELECT count(DISTINCT partition) FROM event_logs
                WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key = '["checksum"]'"""
        ).fetchone()
        assert dagster.execute("SELECT count(*) FROM dynamic_partitions").fetchone() == (3,)
    assert told == (3,)
