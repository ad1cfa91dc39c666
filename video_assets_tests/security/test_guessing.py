# ruff: noqa: S608 - the functions are ours
"""No answer and no refusal tells whether another owner has something.

Each function that users may call is asked for what the victim has, and for what nobody has: both
times it has to say the same. A function without a case here fails.
"""

import psycopg
import pytest

from video_assets_tests.security.intruders import INTRUDERS, Outcome, Trial
from video_assets_tests.security.owners import Owner

NOWHERE = '"number": 1, "latitude": "Infinity", "longitude": 0'
FILTERS = (
    "[]",
    '[{"fact": "camera_make", "op": "=", "word": "%(name)s"}]',
    '[{"fact": "path", "op": "~", "word": "x"}, {"fact": "codec", "op": "!=", "word": "%(name)s"}]',
    # It fails wherever it is tried: of which rows of others that is, the first would tell.
    '[{"fact": "camera_make", "op": "=", "word": "%(name)s"}, '
    f'{{"fact": "near", "op": "<=", {NOWHERE}}}]',
)
TEXTS = ("%(name)s", "eve", "eve OR %(name)s", "-eve")
HOSTILE = (
    "'",
    "''); SET ROLE postgres; --",
    "x' || set_config('request.jwt.claims', '{\"sub\": \"%(victim)s\"}', false) || '",
    "$$; RESET ROLE; $$",
    "\\'; SELECT 1; --",
    "%%s %%I %%L %%1$s",
)
ONE = "array_fill(1, ARRAY[1024])::vector"
BOTH = f"{ONE}, {ONE}"
LOOSE = "similarity_threshold => -1e9"
FORGED = """jsonb_populate_record(NULL::vectors, jsonb_build_object(
    'clip_id', '%(clip)s', 'user_id', '%(victim)s', 'embedding_source', 'a model'))"""
PROBE = """{"asset": "probe", "position": 1, "code_version": "1", "settings_fingerprint": "",
           "required": [], "upstream": []}"""
MINE = "(SELECT id FROM clips ORDER BY id LIMIT 1)"
CASES = {
    "public.admin_list_clips": ("", "'%(victim)s'", "'%(name)s@example.org', 1, 0"),
    "public.admin_list_profiles": ("", "1, 0"),
    "public.admin_stats": ("",),
    "public.clip_steps": ("",),
    "public.failed_steps": ("",),
    "public.get_user_profile": ("",),
    "public.get_user_stats": ("",),
    "public.artifact_files": ("ARRAY['%(name)s']", "ARRAY['aa/0.jpg']"),
    "public.clip_results": ("'%(checksum)s'",),
    "public.run_steps": ("'%(name)s'",),
    "public.clip_documents": ("ARRAY['%(clip)s']::uuid[]",),
    "public.fulltext_search_clips": ("$t$%(text)s$t$, filters => $f$%(filters)s$f$",),
    "public.search_transcripts": ("$t$%(text)s$t$, 10, 0, $f$%(filters)s$f$",),
    "public.semantic_search_clips": (f"{BOTH}, {LOOSE}, filters => $f$%(filters)s$f$",),
    "public.hybrid_search_clips": (f"$t$%(text)s$t$, {BOTH}, filters => $f$%(filters)s$f$",),
    "public.find_similar_clips": (
        f"'%(clip)s', {LOOSE}",
        f"{MINE}, {LOOSE}, filters => $f$%(filters)s$f$",
    ),
    "public.search_moments": (f"$t$%(text)s$t$, {ONE}, filters => $f$%(filters)s$f$",),
    "public.summary_vector": (FORGED,),
    "public.keyword_vector": (FORGED,),
    "public.ask": tuple(
        f"""$q$[{{"query": "{query}", "parameters": {{{parameters}}}}}]$q$"""
        for query, parameters in (
            ("browse_clip", '"clip_id": "%(clip)s"'),
            ("browse_results", '"checksum": "%(checksum)s"'),
            ("browse_find_exact", '"file_name": "%(checksum)s", "paths": "{}"'),
            ("analyses_analyses", '"checksums": "{%(checksum)s}"'),
            ("costs_answers", '"checksum": "%(checksum)s"'),
            ("export_transcripts", '"clips": "{%(clip)s}"'),
            ("locations_known_as", '"checksums": "{%(checksum)s}"'),
            ("run_facts_totals", '"run_id": "%(name)s"'),
            ("descriptions_clear", '"clip_id": "%(clip)s"'),
        )
    ),
    "private.forget_own_clip": ("'%(clip)s', '{}'",),
    "private.own_cells": (
        f"$p$[{PROBE}]$p$, ARRAY['%(checksum)s'], NULL",
        f"$p$[{PROBE}]$p$, NULL, NULL",
    ),
    "private.own_pauses": ("",),
    "private.own_spending": ("",),
    "private.own_waits": ("NULL", "ARRAY['%(checksum)s']"),
    "private.is_admin": ("",),
    "private.make_own_profile": ("",),
    "private.matching_clips": ("$f$%(filters)s$f$",),
}


def test_every_function_that_reads_has_a_case(trial: Trial):
    callable_ones = trial.names(
        f"""SELECT DISTINCT format('%%I.%%I', nspname, proname)
              FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace
             WHERE {trial.OURS} AND nspname <> ALL (%s) AND provolatile <> 'i'
               AND (has_function_privilege('authenticated', pg_proc.oid, 'EXECUTE')
                    OR has_function_privilege('anon', pg_proc.oid, 'EXECUTE'))""",
        # The first is Supabase's own, and reads nothing but the claims. What is in the second
        # has no rights but those of who asks.
        (["auth", "readings"],),
    )
    assert set(callable_ones) == set(CASES)


def ask(trial: Trial, function: str, arguments: str, owner: Owner, **more: str) -> Outcome:
    told = {"name": owner.name, "clip": owner.clip, "checksum": owner.checksum, "victim": owner.id}
    written = {name: text % told for name, text in more.items()}
    return trial.attempt(f"SELECT * FROM {function}({arguments % {**told, **written}})")


def said(outcome: Outcome) -> tuple[object, ...]:
    """What the API passes on."""
    if outcome.error is None:
        return (outcome.rows,)
    diag = outcome.error.diag
    return diag.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint


@pytest.mark.parametrize("who", INTRUDERS)
def test_what_a_victim_has_and_what_nobody_has_are_answered_alike(trial: Trial, who: str):
    nobody = trial.nobody()
    with trial.intruding(who):
        # A `sub` that is no id fails when it is asked for, which is when there is a row to hold
        # against it. No such token is ever signed.
        is_signed = trial.attempt("SELECT auth.uid()").error is None
        for function, cases in CASES.items():
            for arguments in cases:
                for filters in FILTERS if "filters" in arguments else ("",):
                    for text in TEXTS if "text" in arguments else ("",):
                        asked = {"filters": filters, "text": text}
                        seen = ask(trial, function, arguments, trial.victim, **asked)
                        there = ask(trial, function, arguments, nobody, **asked)
                        assert not is_signed or said(seen) == said(there), (function, asked)
                        assert not any(map(trial.shows, seen.rows)), (function, asked)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_is_asked_is_run(trial: Trial, text: str):
    word = text.replace("\\", "\\\\").replace('"', '\\"')
    filters = [
        f'[{{"fact": "{fact}", "op": "{op}", "{key}": "{word}"}}]'
        for fact, op, key in (
            ("codec", "=", "word"),
            ("codec", "~", "word"),
            ("tag", "!=", "word"),
            (word, "=", "word"),
            ("codec", word, "word"),
            ("duration", "<", "number"),
        )
    ]
    with trial.intruding("as herself"):
        who = "SELECT current_user, current_setting('request.jwt.claims'), count(*) FROM clips"
        before = trial.attempt(who).rows
        for function, cases in CASES.items():
            for arguments in cases:
                for each in filters if "filters" in arguments else ("[]",):
                    seen = ask(trial, function, arguments, trial.victim, filters=each, text=text)
                    # A fact, a sign or a number that there is not; all else is just not found.
                    codes = ("42501",) if ".admin_" in function else (None, "22023", "22P02")
                    assert seen.code in codes, (function, each, seen.error)
                    assert not any(map(trial.shows, seen.rows)), (function, each)
                    assert trial.attempt(who).rows == before


TEMPORARY = """
    CREATE TEMP TABLE loot (taken text);
    GRANT INSERT ON loot TO PUBLIC;
    CREATE FUNCTION pg_temp.take(anything text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO pg_temp.loot VALUES (current_user || ': ' || anything);
        RETURN true;
    END
    $$;
"""
TYPES = ("text", "uuid", "float8", "jsonb", "tsquery", "regclass", "int4", "bool", "tsvector")


def test_a_type_of_a_callers_making_is_not_used_with_other_rights(trial: Trial):
    with trial.intruding("as herself"):
        assert trial.attempt(TEMPORARY).error is None
        for name in TYPES:
            made = trial.attempt(
                f"CREATE DOMAIN pg_temp.{name} AS pg_catalog.{name}"
                f" CHECK (pg_temp.take(VALUE::pg_catalog.text))"
            )
            assert made.error is None
        for function, cases in CASES.items():
            for arguments in cases:
                filters = '[{"fact": "duration", "op": "<", "number": 1}]'
                ask(trial, function, arguments, trial.victim, filters=filters, text="eve")
        taken = trial.attempt("SELECT * FROM pg_temp.loot WHERE taken NOT LIKE 'authenticated:%'")
        assert (taken.rows, taken.error) == ([], None)


def test_the_roles_of_users_become_nobody_else(trial: Trial):
    more = """SELECT rolname FROM pg_roles
               WHERE rolname IN ('anon', 'authenticated')
                 AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication
                      OR rolbypassrls)"""
    assert trial.names(more) == []
    for role in ("anon", "authenticated"):
        with trial.connection.transaction(force_rollback=True):
            trial.connection.execute(f"SET LOCAL SESSION AUTHORIZATION {role}".encode())
            for other in trial.names("SELECT rolname FROM pg_roles WHERE rolname <> current_user"):
                seen = trial.attempt(f'SET ROLE "{other}"')
                assert isinstance(seen.error, psycopg.errors.InsufficientPrivilege), other
            trial.attempt("RESET ROLE")
            assert trial.names("SELECT current_user::text") == [role]


def test_users_make_nothing_in_a_schema_of_ours(trial: Trial):
    makers = f"""SELECT nspname, r.role FROM pg_namespace, unnest(ARRAY['anon', 'authenticated'])
                   AS r (role)
                  WHERE {trial.OURS} AND has_schema_privilege(r.role, nspname, 'CREATE')"""
    assert trial.names(makers) == []
