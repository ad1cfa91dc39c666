"""The list of rights is that of the migrations, and what differs from it is found and mended."""

from collections.abc import Iterator

import psycopg
import pytest

from video_assets.storage import rights
from video_assets.storage.migrations import sql_folder

HOW_TO_WRITE_IT = "look at the difference, then: video-assets db rights --all > sql/rights.sql"


@pytest.fixture
def connection(admin_url: str) -> Iterator[psycopg.Connection[tuple]]:
    """The catalogue as whoever owns it; nothing that a test does there is kept."""
    with psycopg.connect(admin_url) as connection:
        yield connection
        connection.rollback()


def test_the_list_is_what_the_migrations_give(connection: psycopg.Connection[tuple]):
    listed = (sql_folder() / "rights.sql").read_text("utf-8").splitlines()
    assert rights.rights(connection) == listed, HOW_TO_WRITE_IT
    assert not rights.drift(connection)


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        pytest.param(
            "GRANT SELECT, INSERT ON clips TO anon",
            ["REVOKE INSERT, SELECT ON TABLE public.clips FROM anon;"],
            id="a table for strangers",
        ),
        pytest.param(
            "REVOKE SELECT ON scenes FROM authenticated",
            ["GRANT SELECT ON TABLE public.scenes TO authenticated;"],
            id="a table that owners cannot read",
        ),
        pytest.param(
            "GRANT UPDATE (profile_type) ON user_profiles TO authenticated",
            [
                "REVOKE UPDATE (display_name, profile_type) ON TABLE public.user_profiles "
                "FROM authenticated;",
                "GRANT UPDATE (display_name) ON TABLE public.user_profiles TO authenticated;",
            ],
            id="a column by which somebody makes themselves admin",
        ),
        pytest.param(
            "GRANT EXECUTE ON FUNCTION private.handle_new_user() TO PUBLIC",
            ["REVOKE EXECUTE ON FUNCTION private.handle_new_user() FROM PUBLIC;"],
            id="a function for everybody that nobody may call",
        ),
        pytest.param(
            "ALTER TABLE results DISABLE ROW LEVEL SECURITY",
            ["ALTER TABLE public.results ENABLE ROW LEVEL SECURITY;"],
            id="a table without row level security",
        ),
        pytest.param(
            "CREATE POLICY everything ON clips FOR SELECT TO authenticated USING (true)",
            ["DROP POLICY everything ON public.clips;"],
            id="a policy that shows everything",
        ),
        pytest.param(
            "ALTER VIEW clip_states RESET (security_invoker)",
            ["ALTER VIEW public.clip_states SET (security_invoker = true);"],
            id="a view with the rights of its owner",
        ),
        pytest.param(
            "ALTER FUNCTION clip_steps() SECURITY INVOKER",
            [
                "ALTER FUNCTION public.clip_steps() SECURITY DEFINER "
                "SET search_path = pg_catalog, pg_temp;"
            ],
            id="a function with other rights",
        ),
        pytest.param(
            "GRANT USAGE ON SCHEMA private TO anon",
            ["REVOKE USAGE ON SCHEMA private FROM anon;"],
            id="a schema for strangers",
        ),
    ],
)
def test_a_difference_is_found_and_mended(
    connection: psycopg.Connection[tuple], fault: str, remedy: list[str]
):
    connection.execute(fault.encode())
    assert list(rights.drift(connection).remedy()) == remedy
    for statement in remedy:
        connection.execute(statement.encode())
    assert not rights.drift(connection)


def test_a_changed_policy_is_made_anew(connection: psycopg.Connection[tuple]):
    connection.execute('ALTER POLICY "Owners see their clips" ON clips USING (true)')
    dropped, made = rights.drift(connection).remedy()
    assert dropped == 'DROP POLICY "Owners see their clips" ON public.clips;'
    assert made.startswith('CREATE POLICY "Owners see their clips" ON public.clips AS PERMISSIVE')
    connection.execute(dropped.encode())
    connection.execute(made.encode())
    assert not rights.drift(connection)


def test_an_account_that_gets_no_profile_is_noticed(connection: psycopg.Connection[tuple]):
    connection.execute("DROP TRIGGER on_auth_user_created ON auth.users")
    (made,) = rights.drift(connection).remedy()
    assert made.startswith("CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users")


def test_what_is_not_ours_is_left_alone(connection: psycopg.Connection[tuple]):
    connection.execute("CREATE TABLE notes (id int); GRANT ALL ON notes TO anon")
    connection.execute("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert not rights.drift(connection)


def test_a_catalogue_without_files_needs_no_policies_for_them(
    connection: psycopg.Connection[tuple],
):
    connection.execute("DROP TABLE storage.objects")
    assert not rights.drift(connection)


def test_strangers_who_could_read_files_are_noticed(connection: psycopg.Connection[tuple]):
    connection.execute('DROP POLICY "Artifacts are read by their owners alone" ON storage.objects')
    (made,) = rights.drift(connection).remedy()
    connection.execute(made.encode())
    assert not rights.drift(connection)
