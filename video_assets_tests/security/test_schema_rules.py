# ruff: noqa: S608 - the two schemas are ours
"""Rules that every table, policy and function keeps, the ones of later migrations too."""

import psycopg
import pytest

SCHEMAS = "('public', 'private')"


def rows(admin_url: str, query: str) -> list[tuple]:
    with psycopg.connect(admin_url) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize(
    "broken_by",
    [
        pytest.param(
            f"""SELECT relname FROM pg_class
                 WHERE relnamespace::regnamespace::text IN {SCHEMAS}
                   AND relkind IN ('r', 'p') AND NOT relrowsecurity""",
            id="a table without row level security",
        ),
        pytest.param(
            f"""SELECT tablename, policyname FROM pg_policies
                 WHERE schemaname IN {SCHEMAS} AND roles <> '{{authenticated}}'""",
            id="a policy for others than authenticated",
        ),
        pytest.param(
            f"""SELECT tablename, policyname FROM pg_policies
                 WHERE schemaname IN {SCHEMAS}
                   AND concat(qual, with_check) ~ 'auth\\.uid\\(\\)'
                   AND concat(qual, with_check) !~ 'SELECT auth\\.uid\\(\\)'""",
            id="a policy that asks for the owner once per row",
        ),
        pytest.param(
            """SELECT tablename, cmd FROM pg_policies WHERE schemaname = 'public'
                GROUP BY tablename, cmd HAVING count(*) > 1""",
            id="two policies for one command",
        ),
        pytest.param(
            f"""SELECT proname FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN {SCHEMAS}
                   AND NOT 'search_path=""' = ANY (coalesce(proconfig, '{{}}'))""",
            id="a function without a fixed search path",
        ),
        pytest.param(
            f"""SELECT proname FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN {SCHEMAS}
                   AND (has_function_privilege('anon', oid, 'EXECUTE')
                        OR EXISTS (
                            SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                             WHERE grantee = 0))""",
            id="a function that anybody may call",
        ),
        pytest.param(
            """SELECT proname FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace
                  AND array_to_string(proargnames, ' ') ~ '(user|owner)'""",
            id="an exposed function that is told whose rows to show",
        ),
        pytest.param(
            """SELECT proname FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND prosecdef
                  AND prosrc !~ 'SELECT auth\\.uid\\(\\)'""",
            id="an exposed definer function that does not ask who calls",
        ),
        pytest.param(
            f"""SELECT relname FROM pg_class,
                       aclexplode(coalesce(relacl, acldefault('r', relowner))) AS acl
                 WHERE relnamespace::regnamespace::text IN {SCHEMAS}
                   AND relkind IN ('r', 'p', 'v', 'm', 'S')
                   AND (acl.grantee = 0 OR acl.grantee = 'anon'::regrole)""",
            id="a table granted to anon or public",
        ),
        pytest.param(
            f"""SELECT relname FROM pg_class
                 WHERE relnamespace::regnamespace::text IN {SCHEMAS} AND relkind = 'v'
                   AND NOT 'security_invoker=true' = ANY (coalesce(reloptions, '{{}}'))""",
            id="a view with the rights of its owner",
        ),
        pytest.param(
            """SELECT c.conrelid::regclass, c.conname FROM pg_constraint AS c
                WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
                  AND NOT EXISTS (
                      SELECT FROM pg_index AS i
                       WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                         AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)""",
            id="a foreign key without an index",
        ),
        pytest.param(
            """SELECT c.conrelid::regclass, c.conname FROM pg_constraint AS c
                WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
                  AND c.confdeltype <> 'c'""",
            id="a foreign key that keeps an account from being erased",
        ),
    ],
)
def test_there_is_none_of(admin_url: str, broken_by: str):
    assert rows(admin_url, broken_by) == []
