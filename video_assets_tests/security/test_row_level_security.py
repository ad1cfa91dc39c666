# ruff: noqa: S608 - the names of tables are ours
"""Tries to get at what belongs to another owner, as that owner's neighbour and as nobody."""

import uuid

import psycopg
import pytest
from psycopg import sql

from video_assets.storage.postgres import Postgres
from video_assets_tests.security.owners import (
    CHILDREN,
    DENIED,
    OWNED,
    SHARED,
    Owner,
    count,
    make_owner,
    run,
)


@pytest.fixture(scope="module")
def owners(catalogue: Postgres, admin_url: str) -> tuple[Owner, Owner]:
    """Ada and Ben, each with a row in every table."""
    return make_owner(catalogue, admin_url, "ada"), make_owner(catalogue, admin_url, "ben")


def test_every_table_with_an_owner_is_tried(admin_url: str):
    with psycopg.connect(admin_url) as connection:
        rows = connection.execute(
            """SELECT c.relname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
                WHERE a.attname = 'user_id' AND c.relkind IN ('r', 'p')
                  AND c.relnamespace = 'public'::regnamespace"""
        ).fetchall()
    assert {name for (name,) in rows} == set(OWNED)


@pytest.mark.parametrize("table", OWNED)
def test_an_owner_sees_their_own_rows_alone(catalogue: Postgres, owners, table: str):
    for owner in owners:
        assert [row["user_id"] for row in run(catalogue, owner, f"SELECT * FROM {table}")] == [
            owner.id
        ]


def test_a_view_shows_no_more_than_its_table(catalogue: Postgres, owners):
    ada, _ = owners
    rows = run(catalogue, ada, "SELECT user_id, status FROM active_processing")
    assert rows == [{"user_id": ada.id, "status": "processing"}]


def test_a_profile_is_seen_by_its_owner_alone(catalogue: Postgres, owners):
    ada, _ = owners
    rows = run(catalogue, ada, "SELECT id, display_name FROM user_profiles")
    assert rows == [{"id": ada.id, "display_name": "ada"}]


def test_the_ledger_tells_each_owner_of_their_clips_alone(catalogue: Postgres, owners):
    for owner in owners:
        steps = run(catalogue, owner, "SELECT clip_id, asset FROM clip_steps()")
        assert steps == [{"clip_id": owner.clip, "asset": "probe"}]


def test_the_ledger_does_not_tell_that_somebody_was_earlier(catalogue: Postgres, owners):
    _, ben = owners
    [row] = run(
        catalogue,
        ben,
        """SELECT s.measured_at >= c.created_at AS later
             FROM clip_steps() AS s JOIN clips AS c ON c.id = s.clip_id""",
    )
    assert row["later"]


def test_a_run_tells_its_owner_alone_of_its_clips(catalogue: Postgres, owners):
    ada, ben = owners
    steps = "SELECT clip_id, is_of_run FROM run_steps(%s)"
    assert run(catalogue, ada, steps, "ben") == []
    # Measured a year ago, which would say that somebody else has the same content.
    assert run(catalogue, ada, steps, "ada") == [{"clip_id": ada.clip, "is_of_run": True}]
    documents = "SELECT clip_id FROM clip_documents(%s)"
    with catalogue.transaction() as connection:
        connection.execute(
            """INSERT INTO results (file_checksum, asset, status, code_version, result)
               VALUES (repeat('a', 64), 'video_document', 'done', '1', '{"content": {}}')"""
        )
    try:
        assert run(catalogue, ada, documents, [ben.clip]) == []
        assert run(catalogue, ada, documents, [ada.clip]) == [{"clip_id": ada.clip}]
    finally:
        with catalogue.transaction() as connection:
            connection.execute("DELETE FROM results WHERE asset = 'video_document'")


def test_no_clip_hangs_on_the_run_of_another(catalogue: Postgres, owners):
    ada, _ = owners
    with (
        pytest.raises(psycopg.errors.ForeignKeyViolation),
        catalogue.transaction() as connection,
    ):
        connection.execute("UPDATE run_clips SET run_id = 'ben' WHERE user_id = %s", (ada.id,))


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a\\b", "a\nb", ""])
def test_a_run_is_called_like_a_folder_of_its_own(catalogue: Postgres, owners, name: str):
    with (
        pytest.raises(psycopg.errors.CheckViolation),
        catalogue.transaction() as connection,
    ):
        connection.execute("UPDATE runs SET run_id = %s WHERE run_id = 'ada'", (name,))


@pytest.mark.parametrize("table", ["results", "catalogue", "deletions", "auth.users"])
@pytest.mark.parametrize("verb", ["SELECT * FROM {}", "DELETE FROM {}"])
def test_shared_tables_are_closed(catalogue: Postgres, owners, table: str, verb: str):
    with pytest.raises(DENIED):
        run(catalogue, owners[0], verb.format(table))


def test_nobody_makes_themselves_an_admin(catalogue: Postgres, owners):
    ada, _ = owners
    with pytest.raises(DENIED):
        run(catalogue, ada, "UPDATE user_profiles SET profile_type = 'admin'")
    with pytest.raises(DENIED):
        run(
            catalogue,
            ada,
            "INSERT INTO user_profiles (id, profile_type) VALUES (%s, 'admin')",
            ada.id,
        )
    with pytest.raises(DENIED):
        run(catalogue, ada, "DELETE FROM user_profiles")
    assert run(catalogue, ada, "SELECT private.is_admin() AS is_admin") == [{"is_admin": False}]


def test_is_admin_cannot_be_misled_by_a_table_of_the_same_name(catalogue: Postgres, owners):
    ada, _ = owners
    with catalogue.transaction(ada.id) as connection:
        try:
            connection.execute(
                "CREATE TEMP TABLE user_profiles (id uuid, profile_type text) ON COMMIT DROP"
            )
        except DENIED:
            return
        connection.execute("INSERT INTO user_profiles VALUES (%s, 'admin')", (ada.id,))
        row = connection.execute("SELECT private.is_admin() AS is_admin").fetchone()
    assert row == {"is_admin": False}


def test_a_name_is_changed_by_its_owner_alone(catalogue: Postgres, owners):
    ada, ben = owners
    rename = "UPDATE user_profiles SET display_name = 'mine' WHERE id = %s"
    assert count(catalogue, ada, rename, ben.id) == 0
    assert count(catalogue, ben, "UPDATE user_profiles SET display_name = 'ben'") == 1


@pytest.mark.parametrize("table", CHILDREN)
def test_not_even_a_worker_hangs_a_row_on_the_clip_of_another(
    catalogue: Postgres, owners, table: str
):
    ada, ben = owners
    query = sql.SQL("UPDATE {} SET {} = %s WHERE user_id = %s").format(
        sql.Identifier(table), sql.Identifier(CHILDREN[table])
    )
    with catalogue.transaction() as connection:  # Ben's own row must not be what is in the way
        connection.execute(f"DELETE FROM {table} WHERE user_id = %s".encode(), (ben.id,))
        with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
            connection.execute(query, (ben.clip, ada.id))
        connection.rollback()


def test_an_owner_changes_the_words_of_their_clips(catalogue: Postgres, owners):
    ada, ben = owners
    words = "UPDATE clips SET content_summary = 'mine' WHERE id = %s"
    assert count(catalogue, ada, words, ada.clip) == 1
    assert count(catalogue, ada, words, ben.clip) == 0


@pytest.mark.parametrize("table", ["scenes", "segments", "transcripts"])
def test_the_rows_of_another_are_not_found_by_their_clip(catalogue: Postgres, owners, table: str):
    ada, ben = owners
    query = f"SELECT * FROM {table} WHERE {CHILDREN[table]} = %s"
    assert run(catalogue, ada, query, ben.clip) == []
    assert len(run(catalogue, ben, query, ben.clip)) == 1


def test_the_words_of_another_are_not_searched(catalogue: Postgres, owners):
    ada, _ = owners
    query = "SELECT full_text FROM transcripts WHERE fts @@ websearch_to_tsquery('english', %s)"
    assert run(catalogue, ada, query, "ben") == []
    assert run(catalogue, ada, query, "ada") == [{"full_text": "ada"}]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "~/x", "C:\\x", "\\\\h\\x"])
def test_an_artifact_names_no_file_outside_its_store(catalogue: Postgres, owners, path: str):
    with (
        pytest.raises(psycopg.errors.CheckViolation),
        catalogue.transaction() as connection,
    ):
        connection.execute("UPDATE artifacts SET file_path = %s", (path,))
    with (
        pytest.raises(psycopg.errors.CheckViolation),
        catalogue.transaction() as connection,
    ):
        connection.execute("UPDATE scenes SET representative_frame = %s", (path,))


def test_an_owner_without_an_account_sees_nothing(catalogue: Postgres, owners):
    nobody = Owner(uuid.uuid4(), uuid.uuid4(), "nobody", SHARED)
    for table in (*OWNED, "user_profiles", "clip_steps()"):
        assert run(catalogue, nobody, f"SELECT * FROM {table}") == []


def test_an_account_is_erased_with_all_it_had(catalogue: Postgres, admin_url: str):
    eve = make_owner(catalogue, admin_url, "eve")
    with psycopg.connect(admin_url) as connection:
        connection.execute("DELETE FROM auth.users WHERE id = %s", (eve.id,))
        for table in OWNED:
            query = sql.SQL("SELECT count(*) FROM {} WHERE user_id = %s")
            row = connection.execute(query.format(sql.Identifier(table)), (eve.id,)).fetchone()
            assert row == (0,)


def test_a_profile_that_cannot_be_made_stops_no_sign_up(catalogue: Postgres, admin_url: str):
    """It is made when it is first asked for, and until then its owner has all but a name."""
    broken = "ALTER TABLE user_profiles ADD CONSTRAINT luck CHECK (display_name <> 'unlucky')"
    profile = "SELECT profile_type, display_name FROM get_user_profile()"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(broken)
        try:
            made = "INSERT INTO auth.users (email) VALUES ('unlucky@example.org') RETURNING id"
            row = connection.execute(made).fetchone()
            assert row is not None
            unlucky = Owner(row[0], uuid.uuid4(), "unlucky", SHARED)
            assert run(catalogue, unlucky, profile) == []
            assert run(catalogue, unlucky, "SELECT total_clips FROM get_user_stats()") == [
                {"total_clips": 0}
            ]
        finally:
            connection.execute("ALTER TABLE user_profiles DROP CONSTRAINT luck")
    told = [{"profile_type": "user", "display_name": "unlucky"}]
    assert run(catalogue, unlucky, profile) == told
    assert run(catalogue, unlucky, "SELECT profile_type, display_name FROM user_profiles") == told
    with psycopg.connect(admin_url) as connection:
        connection.execute("DELETE FROM user_profiles WHERE id = %s", (unlucky.id,))
    with catalogue.transaction() as connection:
        connection.execute("SELECT private.set_admin(%s, true)", (unlucky.id,))
    assert run(catalogue, unlucky, profile) == [{**told[0], "profile_type": "admin"}]


def test_a_token_whose_account_is_gone_makes_no_profile(catalogue: Postgres):
    nobody = Owner(uuid.uuid4(), uuid.uuid4(), "nobody", SHARED)
    assert run(catalogue, nobody, "SELECT * FROM get_user_profile()") == []


def test_nobody_makes_an_admin_but_who_reaches_the_database(catalogue: Postgres, owners):
    ada, _ = owners
    with pytest.raises(DENIED):
        run(catalogue, ada, "SELECT * FROM private.set_admin(%s, true)", ada.id)
    with pytest.raises(DENIED), catalogue.transaction() as connection:
        connection.execute("UPDATE user_profiles SET profile_type = 'admin'")
    with catalogue.transaction() as connection:
        connection.execute("SELECT private.set_admin(%s, true)", (ada.id,))
    assert run(catalogue, ada, "SELECT private.is_admin() AS is_admin") == [{"is_admin": True}]
    with catalogue.transaction() as connection:
        connection.execute("SELECT private.set_admin(%s, false)", (ada.id,))
    assert run(catalogue, ada, "SELECT private.is_admin() AS is_admin") == [{"is_admin": False}]


def test_nobody_erases_an_owner_but_a_worker(catalogue: Postgres, owners):
    ada, ben = owners
    with pytest.raises(DENIED):
        run(catalogue, ada, "SELECT private.erase_owner(%s, false)", ben.id)
    with pytest.raises(DENIED):
        run(catalogue, ada, "SELECT private.find_owner('ben@example.org')")
