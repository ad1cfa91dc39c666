"""A clip or an owner goes with everything, and what somebody else has too is as it was."""

import uuid
from pathlib import Path

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import erasure, owners, run_traces
from video_assets.storage.deletions import Outcome
from video_assets.storage.folder import Folder
from video_assets.storage.postgres import Postgres
from video_assets_tests.storage.kept import WEEK_S, Kept

SEEN = """
    SELECT (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id) FROM clips c) AS clips,
           (SELECT jsonb_agg(to_jsonb(l) ORDER BY l.id) FROM clip_locations l) AS places,
           (SELECT jsonb_agg(to_jsonb(e) ORDER BY e.id) FROM processing_events e) AS events,
           (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.asset, s.*) FROM clip_steps() s) AS steps
"""


@pytest.fixture
def kept(catalogue: Postgres, tmp_path: Path) -> Kept:
    return Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")


@pytest.fixture
def neighbour(admin_url: str) -> uuid.UUID:
    """Another owner."""
    owner = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (owner, f"{owner.hex}@x.org")
        )
    return owner


def seen_by(kept: Kept, owner: uuid.UUID) -> dict:
    """Everything that an owner can see of their catalogue."""
    with kept.catalogue.transaction(owner) as connection:
        row = connection.execute(SEEN).fetchone()
    assert row is not None
    return row


def clip_id(kept: Kept, checksum: str, owner: uuid.UUID = LOCAL_OWNER) -> uuid.UUID:
    query = "SELECT id FROM clips WHERE file_checksum = %s AND user_id = %s"
    return kept.rows(query, checksum, owner)[0]["id"]


def forget(kept: Kept, checksum: str, owner: uuid.UUID = LOCAL_OWNER) -> None:
    erasure.forget_clip(kept.catalogue, owner, clip_id(kept, checksum, owner))
    kept.contents().finish(Outcome("orphans"))


def test_a_forgotten_clip_leaves_nothing_and_its_source_stays(kept: Kept):
    checksum = kept.clip("forget me")
    forget(kept, checksum)
    for table in ("clips", "results"):
        assert kept.count(f"{table} WHERE file_checksum = %s", checksum) == 0
    assert kept.files(checksum) == []
    assert kept.gone == [checksum]
    assert kept.place("forget me").read_text() == "forget me"


def test_the_plan_counts_what_goes(kept: Kept, neighbour: uuid.UUID):
    checksum = kept.clip("counted")
    plan = erasure.plan(kept.catalogue, Folder(kept.root), LOCAL_OWNER, clip_id(kept, checksum))
    assert plan.rows["clips"] == 1
    assert plan.rows["clip_locations"] == 1
    assert (plan.only_here, plan.shared) == ((checksum,), 0)
    assert (plan.results, plan.files, plan.size_bytes) == (3, 1, 5)
    kept.register("counted", neighbour)
    plan = erasure.plan(kept.catalogue, Folder(kept.root), LOCAL_OWNER, clip_id(kept, checksum))
    assert (plan.only_here, plan.shared, plan.results, plan.files) == ((), 1, 0, 0)


def test_the_other_owner_of_a_content_notices_nothing(kept: Kept, neighbour: uuid.UUID):
    checksum = kept.clip("shared")
    kept.register("shared", neighbour)
    before, files = seen_by(kept, neighbour), kept.files(checksum)
    forget(kept, checksum)
    assert seen_by(kept, neighbour) == before
    assert kept.files(checksum) == files
    assert kept.gone == []
    assert kept.retold == [checksum], "Dagster is told anew, without the file name of who left"
    assert kept.count("clips WHERE file_checksum = %s", checksum) == 1
    forget(kept, checksum, neighbour)
    assert kept.gone == [checksum], "and goes with the last one"


def test_a_watched_folder_does_not_bring_a_forgotten_clip_back_but_an_ingest_does(kept: Kept):
    checksum = kept.clip("stay away")
    forget(kept, checksum)
    assert kept.register("stay away") == [], "not even read"
    kept.place("stay away").rename(kept.place("renamed"))
    assert kept.register("renamed") == []
    kept.place("copy").write_text("stay away")
    (copied,) = kept.register("copy")
    assert (copied.state, copied.checksum) == ("forgotten", None), "read once"
    assert kept.register("copy") == []
    (back,) = kept.register("copy", lifts=True)
    assert (back.state, back.checksum) == ("new", checksum)
    assert [file.state for file in kept.register("renamed")] == ["duplicate"], "all is lifted"


def test_who_forgot_a_clip_does_not_decide_for_another(kept: Kept, neighbour: uuid.UUID):
    checksum = kept.clip("mine to forget")
    forget(kept, checksum)
    assert [file.state for file in kept.register("mine to forget", neighbour)] == ["new"]


def take_down(kept: Kept, run_id: str, checksum: str, owner: uuid.UUID = LOCAL_OWNER) -> Path:
    """Make a run of one clip, with its files and one that somebody added."""
    kept.rows(
        """INSERT INTO runs (run_id, user_id, kind, preset, preset_document, host, status, ended_at)
           VALUES (%s, %s, 'ingest', 'default', '{}', 'host', 'completed', now())""",
        *(run_id, owner),
    )
    kept.rows(
        """INSERT INTO run_clips (run_id, clip_id, user_id, taken_as)
           SELECT %s, id, user_id, 'new' FROM clips WHERE file_checksum = %s AND user_id = %s""",
        *(run_id, checksum, owner),
    )
    folder = kept.root.parent / "runs" / run_id
    for name in (
        *("run_manifest.json", "pipeline_config.json", "json/clip.json", "reports/report.html"),
        *("exports/clips.csv", "exports/added.csv"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a clip")
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_reports_that_tell_of_a_forgotten_clip_go_and_others_stay(kept: Kept):
    checksum, other = kept.clip("reported"), kept.clip("reported elsewhere")
    folder, elsewhere = take_down(kept, "holiday", checksum), take_down(kept, "work", other)
    everything = names_in(elsewhere)
    forget(kept, checksum)
    assert names_in(folder) == everything, "marked, and not removed yet"
    run_traces.remove_marked(kept.catalogue, kept.root.parent)
    assert names_in(folder) == ["exports/added.csv", "pipeline_config.json"]
    assert names_in(elsewhere) == everything
    assert kept.count("deletions t WHERE to_jsonb(t)::text LIKE '%%holiday%%'") == 0


def test_run_folders_of_an_erased_owner_go_whole(kept: Kept, neighbour: uuid.UUID):
    folder = take_down(kept, "theirs", kept.clip("of theirs", neighbour), neighbour)
    ours = take_down(kept, "ours", kept.clip("of ours"))
    erasure.erase_owner(kept.catalogue, neighbour, by="test")
    run_traces.remove_marked(kept.catalogue, kept.root.parent)
    assert not folder.exists()
    assert len(names_in(ours)) == 6
    assert kept.count("deletions WHERE removed_at IS NULL AND target = 'theirs'") == 0


def test_no_name_is_kept_of_what_was_forgotten(kept: Kept):
    forget(kept, kept.clip("a secret name"))
    for table in ("forgotten", "deletions"):
        assert kept.count(f"{table} t WHERE to_jsonb(t)::text LIKE '%%secret%%'") == 0


def test_a_forgetting_that_was_killed_is_finished_by_the_next_clean_up(kept: Kept):
    checksum = kept.clip("killed in between")
    erasure.forget_clip(kept.catalogue, LOCAL_OWNER, clip_id(kept, checksum))
    assert kept.files(checksum) == ["loud/a.txt"]
    kept.clean(wait_s=WEEK_S)
    assert kept.files(checksum) == []
    assert kept.gone == [checksum]
    assert kept.count("deletions WHERE removed_at IS NULL") == 0


def test_what_is_in_work_is_removed_when_that_has_ended(kept: Kept):
    checksum = kept.clip("in work")
    with kept.catalogue.session() as run:
        run.execute("SELECT pg_advisory_lock(hashtextextended('quiet ' || %s, 0))", (checksum,))
        forget(kept, checksum)
        assert kept.files(checksum) == ["loud/a.txt"]
    kept.clean(wait_s=WEEK_S)
    assert kept.files(checksum) == []


def test_an_owner_is_erased_with_everything_nobody_else_has(kept: Kept, neighbour: uuid.UUID):
    theirs, shared = kept.clip("theirs alone", neighbour), kept.clip("both", neighbour)
    kept.register("both")
    before = seen_by(kept, LOCAL_OWNER)
    erasure.erase_owner(kept.catalogue, neighbour, by="test")
    kept.contents().finish(Outcome("orphans"))
    assert seen_by(kept, LOCAL_OWNER) == before
    assert (kept.files(theirs), kept.files(shared)) == ([], ["loud/a.txt"])
    assert (kept.gone, kept.retold) == ([theirs], [shared])
    assert owners.find(kept.catalogue, str(neighbour)) is None
    for table in ("clips", "forgotten", "unreadable_files", "clip_locations"):
        assert kept.count(f"{table} WHERE user_id = %s", neighbour) == 0
    assert kept.count("user_profiles WHERE id = %s", neighbour) == 0
    (record,) = kept.rows("SELECT * FROM deletions WHERE target = %s", str(neighbour))
    assert (record["kind"], record["items"], record["removed_by"]) == ("owner", 2, "test")


def test_the_local_owner_stays_with_an_empty_catalogue_that_works(kept: Kept):
    kept.clip("all of it")
    erasure.erase_owner(kept.catalogue, LOCAL_OWNER, by="test")
    kept.contents().finish(Outcome("orphans"))
    assert kept.count("clips WHERE user_id = %s", LOCAL_OWNER) == 0
    assert kept.count("user_profiles WHERE id = %s", LOCAL_OWNER) == 1
    assert kept.files(kept.clip("all of it")) == ["loud/a.txt"]


def test_an_owner_is_found_by_id_address_or_as_the_local_one(kept: Kept, neighbour: uuid.UUID):
    for word in (str(neighbour), f"{neighbour.hex}@X.org", str(neighbour).upper()):
        assert owners.find(kept.catalogue, word) == neighbour
    assert owners.find(kept.catalogue, "local") == LOCAL_OWNER
    for word in ("nobody", "", "%", "local@"):
        assert owners.find(kept.catalogue, word) is None
