# ruff: noqa: S608 - the two schemas are ours
"""Rules that every table, policy and function keeps, the ones of later migrations too.

Among them are those of Supabase's database linter (https://supabase.github.io/splinter) that can be
told from the catalogs alone; they have its name behind them.
"""

import psycopg
import pytest

SCHEMAS = "('public', 'private')"
IN_USE = (
    "('public', 'private', 'auth')"  # of auth what ours rest on, as far as it is not Supabase's
)
ASKS_NO_ADMIN = (
    r"prosrc !~ '^\s*(DECLARE[^;]+;\s*)?BEGIN\s+PERFORM private\.refuse_all_but_admins\(\);'"
)


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
            id="a table without row level security (rls_disabled_in_public)",
        ),
        pytest.param(
            f"""SELECT tablename, policyname FROM pg_policies
                 WHERE schemaname IN {SCHEMAS} AND roles <> '{{authenticated}}'""",
            id="a policy for others than authenticated",
        ),
        pytest.param(
            f"""SELECT tablename, policyname FROM pg_policies
                 WHERE schemaname IN {SCHEMAS}
                   AND regexp_replace(concat(qual, with_check), 'SELECT auth\\.\\w+\\(\\)', '', 'g')
                       ~ '(auth\\.\\w+|current_setting)\\('""",
            id="a policy that asks for the owner once per row (auth_rls_initplan)",
        ),
        pytest.param(
            f"""SELECT tablename, c.cmd FROM pg_policies AS p,
                       unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS c (cmd)
                 WHERE schemaname IN {SCHEMAS} AND p.cmd IN (c.cmd, 'ALL')
                 GROUP BY tablename, c.cmd HAVING count(*) > 1""",
            id="two policies for one command (multiple_permissive_policies)",
        ),
        pytest.param(
            f"""SELECT proname FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN {IN_USE}
                   AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{{}}'))""",
            id="a function that looks into the caller's temporary schema first"
            " (function_search_path_mutable)",
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
            id="a view with the rights of its owner (security_definer_view)",
        ),
        pytest.param(
            f"""SELECT c.conrelid::regclass, c.conname FROM pg_constraint AS c
                 WHERE c.contype = 'f' AND c.connamespace::regnamespace::text IN {SCHEMAS}
                   AND NOT EXISTS (
                       SELECT FROM pg_index AS i
                        WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                          AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)""",
            id="a foreign key without an index (unindexed_foreign_keys)",
        ),
        pytest.param(
            f"""SELECT c.conrelid::regclass, c.conname FROM pg_constraint AS c
                 WHERE c.contype = 'f' AND c.connamespace::regnamespace::text IN {SCHEMAS}
                   AND c.confdeltype <> 'c'""",
            id="a foreign key that keeps an account from being erased",
        ),
        pytest.param(
            f"""SELECT relname FROM pg_class AS t
                 WHERE relnamespace::regnamespace::text IN {SCHEMAS} AND relkind IN ('r', 'p')
                   AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = t.oid AND indisprimary)""",
            id="a table without a primary key (no_primary_key)",
        ),
        pytest.param(
            f"""SELECT relname FROM pg_class AS t
                 WHERE relnamespace::regnamespace::text IN {SCHEMAS} AND relrowsecurity
                   AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid)""",
            id="a table without a policy (rls_enabled_no_policy)",
        ),
        pytest.param(
            f"""SELECT tablename, policyname FROM pg_policies
                 WHERE schemaname IN {SCHEMAS} AND cmd <> 'SELECT'
                   AND 'true' IN (qual, with_check)""",
            id="a policy that lets anybody write (rls_policy_always_true)",
        ),
        pytest.param(
            f"""SELECT tablename, policyname FROM pg_policies
                 WHERE schemaname IN {SCHEMAS} AND concat(qual, with_check) ~ 'user_meta_?data'""",
            id="a policy by what users say of themselves (rls_references_user_metadata)",
        ),
        pytest.param(
            f"""SELECT array_agg(i.indexrelid::regclass) FROM pg_index AS i
                  JOIN pg_class AS t ON t.oid = i.indrelid
                 WHERE t.relnamespace::regnamespace::text IN {SCHEMAS}
                 GROUP BY i.indrelid, i.indkey::text, i.indclass::text, i.indoption::text,
                          pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
                HAVING count(*) > 1""",
            id="two indexes of the same columns (duplicate_index)",
        ),
        pytest.param(
            f"""SELECT relname FROM pg_class
                 WHERE relnamespace::regnamespace::text IN {SCHEMAS} AND relkind IN ('m', 'f')""",
            id="what no policy protects (materialized_view_in_api, foreign_table_in_api)",
        ),
        pytest.param(
            f"""SELECT DISTINCT d.refobjid::regclass, r.ev_class::regclass
                  FROM pg_depend AS d
                  JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
                  JOIN pg_class AS v ON v.oid = r.ev_class
                 WHERE d.refclassid = 'pg_class'::regclass AND v.relkind IN ('v', 'm')
                   AND v.relnamespace::regnamespace::text IN {SCHEMAS}
                   AND d.refobjid = 'auth.users'::regclass""",
            id="a view of accounts (auth_users_exposed)",
        ),
        pytest.param(
            f"""SELECT extname FROM pg_extension
                 WHERE extnamespace::regnamespace::text IN {SCHEMAS}""",
            id="an extension among our tables (extension_in_public)",
        ),
        pytest.param(
            f"""SELECT attrelid::regclass, attname
                  FROM pg_attribute JOIN pg_class AS t ON t.oid = attrelid
                 WHERE t.relnamespace::regnamespace::text IN {SCHEMAS} AND attnum > 0
                   AND atttypid::regtype::text IN (
                       'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper',
                       'regoperator', 'regproc', 'regprocedure')""",
            id="a column that pg_upgrade refuses (unsupported_reg_types)",
        ),
        pytest.param(
            f"""SELECT proname FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN {SCHEMAS} AND prosecdef
                   AND has_function_privilege('authenticated', oid, 'EXECUTE')
                   AND (prosrc !~ 'SELECT auth\\.uid\\(\\)' AND {ASKS_NO_ADMIN}
                        OR prosrc ~* '\\mexecute\\M')""",
            id="a function with other rights that does not ask who calls, or builds its query",
        ),
        pytest.param(
            f"""SELECT proname FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN {SCHEMAS}
                   AND array_to_string(proargnames, ' ') ~ '(user|owner)'
                   AND {ASKS_NO_ADMIN}
                   AND has_function_privilege('authenticated', oid, 'EXECUTE')""",
            id="a function for users that is told whose rows to show",
        ),
        pytest.param(
            f"""SELECT proname FROM pg_proc
                 WHERE pronamespace::regnamespace::text IN {SCHEMAS}
                   AND proname ~ 'admin_' AND {ASKS_NO_ADMIN}""",
            id="a function for admins that does not ask first whether it is one",
        ),
    ],
)
def test_there_is_none_of(admin_url: str, broken_by: str):
    assert rows(admin_url, broken_by) == []
