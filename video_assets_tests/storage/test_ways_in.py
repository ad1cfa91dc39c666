"""Whoever has a token gets the answers that a worker with the database's password gets for them."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from video_assets.search import queries
from video_assets.search.queries import QueryVectors, Question
from video_assets.settings import load_settings
from video_assets.storage import (
    analyses,
    costs,
    counts,
    descriptions,
    erasure,
    ledger,
    locations,
    named_queries,
    own_cells,
    owners,
    pace,
    postponed,
    readings,
    run_progress,
    runs,
)
from video_assets.storage.browse import Browser
from video_assets.storage.export import open_rows
from video_assets.storage.migrations import sql_folder
from video_assets.storage.postgres import Postgres
from video_assets.storage.rest import RestCatalogue, WayInError
from video_assets.storage.run_facts import RunFacts
from video_assets.storage.selection import parse, select_clips
from video_assets.storage.way_in import WayIn
from video_assets_tests.lite.server import Lite
from video_assets_tests.search.shelves import Shelves, Told, vector
from video_assets_tests.security.owners import make_owner
from video_assets_tests.storage.ways import AskInSql, Noting, Ways, signed_in

TEXT, MEANING = "harbour boats", QueryVectors(vector(1.0), vector(0.6, 0.8))
PLAN = (
    ledger.PlannedAsset("probe", 1, "2", "", (), ()),
    ledger.PlannedAsset("camera", 2, "1", "", ("probe",), ()),
    ledger.PlannedAsset("opinion", 3, "1", "", (), ()),
)
STATES = ("missing", "stale", "failed", "waiting")
# What goes on between two questions.
GOES_ON = {"quiet_s", "age_s", "wait_s", "seconds_since_update", "first_s", "last_s", "elapsed_s"}


@pytest.fixture(scope="module", params=["function", "project"])
def ways(request: pytest.FixtureRequest) -> Iterator[Ways]:
    """The function alone, called in SQL; and called by the client of a project on loopback."""
    lite: Lite | None = None
    if request.param == "project":
        lite = request.getfixturevalue("lite")
        assert lite is not None
        postgres, admin_url = Postgres(lite.admin_url), lite.admin_url
        with postgres.transaction() as connection:
            connection.execute("SELECT private.use_checksum_algorithm('blake3')")
    else:
        postgres = request.getfixturevalue("catalogue")
        admin_url = request.getfixturevalue("admin_url")
    ann, ben = (make_owner(postgres, admin_url, name) for name in ("Ann", "Ben"))
    with ExitStack() as stack:
        client = (
            stack.enter_context(signed_in(lite, ann.id)) if lite else AskInSql(admin_url, ann.id)
        )
        made = Ways(postgres, admin_url, ann, ben, Noting(client))
        fill(made)
        yield made
    postgres.close()


def fill(ways: Ways) -> None:
    """Give Ann more than a row of each table."""
    Shelves(ways.postgres, ways.admin_url).add(
        ways.ann.id,
        Told(
            "harbour.mp4",
            summary="Boats in the harbour at dusk",
            tags=["boats", 'a "quoted", tag', "日本"],
            said=["We sail at seven, from the old harbour.", "Nobody saw the boats come in."],
            summary_vector=[1.0, 0.1],
            keyword_vector=[0.5, 0.5],
            moment_vectors=[[1.0, 0.0], [0.0, 1.0]],
            facts={"duration_seconds": "12.345", "captured_at": "2026-03-01 12:00:00.5+02"},
        ),
        Told("street.mp4", summary="A street", tags=["town"], summary_vector=[0.9, 0.4]),
    )
    checksum, made = ways.ann.checksum, ledger.Made("1", "", "")
    for asset, document in (("checksum", {}), ("probe", {"x": 1})):
        ledger.save_done(
            ways.postgres,
            asset=asset,
            checksum=checksum,
            made=made,
            document=document,
            problems={},
            seconds=1.5,
            cpu_seconds=1.0,
            run_id="run",
        )
    ledger.save_failed(
        ways.postgres,
        asset="camera",
        checksum=checksum,
        made=made,
        error_class="TornError",
        error="the file is torn; copy it again",
        fault="file",
        seconds=0.5,
        run_id="run",
    )
    postponed.postpone(ways.postgres, "opinion", checksum, "the day's cap is reached", None)
    with ways.postgres.transaction() as connection:
        connection.execute(
            "UPDATE clips SET planned_steps = '{probe,camera,opinion}' WHERE file_checksum = %s",
            (checksum,),
        )
        connection.execute(
            """INSERT INTO results (file_checksum, asset, status, code_version, result)
               VALUES (%s, 'video_document', 'done', '1', '{"analysis": 1, "video": {"y": [2]}}')
               ON CONFLICT DO NOTHING""",
            (checksum,),
        )
        connection.execute(
            """INSERT INTO private.ai_pauses (account, provider, asset, reason, until)
               VALUES (gen_random_uuid()::text, 'gemini', 'opinion', 'it is out of order',
                       now() + interval '1 hour')"""
        )


def browser(way: WayIn, ways: Ways) -> Browser:
    return Browser(way, ways.ann.id)


def facts(way: WayIn, ways: Ways) -> RunFacts:
    return RunFacts(way, ways.ann.id, "Ann")


def with_connection(way: WayIn, ways: Ways, read: Callable[[Any], Any]) -> Any:
    with way.transaction(ways.ann.id) as connection:
        return read(connection)


def explained(way: WayIn, ways: Ways) -> Any:
    question = Question(parse("duration>5"), legs=[])
    return queries.hybrid(way, ways.ann.id, TEXT, MEANING, question), question.legs


def exported(way: WayIn, ways: Ways, table: Any) -> Any:
    with open_rows(way, ways.ann.id, table) as rows:
        return rows.columns, list(rows.batches)


def progress(way: WayIn, ways: Ways) -> Any:
    found = run_progress.look(load_settings(), way, ways.ann.id, "Ann")
    return found and dataclasses.replace(found, seconds=0.0)


def of_a_run(way: WayIn, ways: Ways) -> Any:
    asked = {"run_id": "run", "since": 0.0}
    return with_connection(
        way, ways, lambda connection: run_progress.queries.clips_of_run(connection, **asked)
    )


def clip_of(ways: Ways) -> Any:
    (found,) = browser(ways.postgres, ways).find("harbour.mp4")
    return found.id


READINGS: dict[str, Callable[[WayIn, Ways], Any]] = {
    "list": lambda way, ways: browser(way, ways).list_clips(sort="name"),
    "find": lambda way, ways: browser(way, ways).find(str(ways.ann.clip)[:8]),
    "find unreadable": lambda way, ways: browser(way, ways).find_unreadable("Ann"),
    "info": lambda way, ways: browser(way, ways).details(ways.ann.clip),
    "info of what is known": lambda way, ways: browser(way, ways).details(clip_of(ways)),
    "monitor": lambda way, ways: browser(way, ways).active(at_most=5),
    "attempts": lambda way, ways: pace.attempts(way, ways.ann.id, ways.ann.clip),
    "counts": lambda way, ways: with_connection(way, ways, counts.count),
    "pace": lambda way, ways: with_connection(
        way, ways, lambda connection: len(list(pace.queries.lately(connection, within_s=600)))
    ),
    "causes": lambda way, ways: with_connection(
        way, ways, lambda connection: pace.causes(connection, at_most=5)
    ),
    "quiet": lambda way, ways: round(with_connection(way, ways, pace.quiet_s) // 600, 1) + 1,
    "runs": lambda way, ways: runs.list_runs(way, ways.ann.id),
    "run progress": progress,
    "run of Dagster": of_a_run,
    "run totals": lambda way, ways: facts(way, ways).totals(),
    "run counts": lambda way, ways: facts(way, ways).counts(),
    "run spreads": lambda way, ways: facts(way, ways).spreads(),
    "run causes": lambda way, ways: facts(way, ways).causes(),
    "run failures": lambda way, ways: facts(way, ways).failures(at_most=5),
    "run steps": lambda way, ways: facts(way, ways).steps(),
    "run slowest": lambda way, ways: facts(way, ways).slowest(at_most=5),
    "run activity": lambda way, ways: facts(way, ways).activity(slots=10),
    "run clips": lambda way, ways: list(facts(way, ways).clips()),
    "run timeline": lambda way, ways: facts(way, ways).timeline(),
    "run documents": lambda way, ways: facts(way, ways).documents([ways.ann.clip]),
    "export clips": lambda way, ways: exported(way, ways, "clips"),
    "export scenes": lambda way, ways: exported(way, ways, "scenes"),
    "export transcripts": lambda way, ways: exported(way, ways, "transcripts"),
    "export analyses": lambda way, ways: exported(way, ways, "analyses"),
    "compare": lambda way, ways: analyses.analyses(way, ways.ann.id),
    "promotions": lambda way, ways: descriptions.promotions(way, ways.ann.id),
    "speakers": lambda way, ways: descriptions.speakers(way, ways.ann.id),
    "selection": lambda way, ways: select_clips(
        way, parse("tag=boats,duration>5"), owner=ways.ann.id
    ),
    "stale": lambda way, ways: own_cells.cells(way, ways.ann.id, PLAN, states=STATES),
    "failed": lambda way, ways: own_cells.failed_clips(way, ways.ann.id),
    "known as": lambda way, ways: locations.known_as(way, ways.ann.id, [ways.ann.checksum]),
    "left for later": lambda way, ways: postponed.reasons(way, ways.ann.id),
    "costs": lambda way, ways: costs.groups(way, ways.ann.id, "asset", since=None, at_most=5),
    "costs in all": lambda way, ways: costs.whole(way, ways.ann.id, since=None),
    "spending": lambda way, ways: costs.spending(way, ways.ann.id),
    "answers": lambda way, ways: costs.answers(way, ways.ann.id, ways.ann.checksum),
    "fulltext": lambda way, ways: queries.fulltext(way, ways.ann.id, "harbour", Question()),
    "transcripts": lambda way, ways: queries.transcripts(
        way, ways.ann.id, "boats", Question(), shortest=1
    ),
    "semantic": lambda way, ways: queries.semantic(way, ways.ann.id, MEANING, Question()),
    "hybrid": lambda way, ways: queries.hybrid(way, ways.ann.id, TEXT, MEANING, Question()),
    "hybrid of words alone": lambda way, ways: queries.hybrid(
        way, ways.ann.id, TEXT, None, Question()
    ),
    "explain": explained,
    "moments": lambda way, ways: queries.moments(way, ways.ann.id, TEXT, MEANING, Question()),
    "similar": lambda way, ways: queries.similar(way, ways.ann.id, clip_of(ways), Question()),
    "statistics": lambda way, ways: queries.statistics(way, ways.ann.id),
    "visible": lambda way, ways: queries.visible(way, ways.ann.id),
    "words": lambda way, ways: sorted(queries.words(way, ways.ann.id)),
    "model": lambda way, ways: queries.model_in_use(way, ways.ann.id),
    "spaces": lambda way, ways: queries.spaces(way, ways.ann.id),
    "vector state": lambda way, ways: queries.vector_state(way, ways.ann.id, clip_of(ways)),
    "stills": lambda way, ways: queries.stills(
        way, ways.ann.id, queries.moments(way, ways.ann.id, TEXT, MEANING, Question())
    ),
}


def told(value: Any) -> Any:
    """A value with the type of each of its parts, but without what goes on meanwhile."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return type(value).__name__, told(fields)
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items() if name not in GOES_ON}
    if isinstance(value, list | tuple):
        return [told(each) for each in value]
    return type(value).__name__, value


def answered(ways: Ways, name: str) -> Any:
    """What Ann reads by her token, asked once."""
    if name not in ways.answers:
        ways.answers[name] = READINGS[name](ways.rest, ways)
    return ways.answers[name]


@pytest.mark.parametrize("name", READINGS)
def test_both_ways_lead_to_the_same(ways: Ways, name: str):
    answer = answered(ways, name)
    assert answer
    assert told(answer) == told(READINGS[name](ways.postgres, ways))


def deployed(ways: Ways) -> set[str]:
    query = "SELECT proname::text FROM pg_proc WHERE pronamespace = 'readings'::regnamespace"
    with psycopg.connect(ways.admin_url) as connection:
        return {name for (name,) in connection.execute(query)}


def test_no_query_is_left_out_of_these_tests(ways: Ways):
    for name in READINGS:
        answered(ways, name)
    for change in (edited, promoted, forgotten, administered):
        change(ways.rest, ways)
    assert deployed(ways) - ways.client.asked == set()


def edited(way: WayIn, ways: Ways) -> Any:
    clip = clip_of(ways)
    values: dict[descriptions.Field, Any] = {
        "summary": 'Boats at "dusk"',
        "tags": ["boats", "a, b", "日本"],
        "category": None,
    }
    try:
        fields = descriptions.edit(way, ways.ann.id, clip, values, clear=True)
        found = browser(ways.postgres, ways).details(clip)
        assert found is not None
        told_of = (found.clip.content_summary, found.clip.content_tags, found.edited)
        return fields, told_of, descriptions.edit(way, ways.ann.id, clip, {}, clear=True)
    finally:
        descriptions.edit(ways.postgres, ways.ann.id, clip, {}, clear=True)


def promoted(way: WayIn, ways: Ways) -> Any:
    clips = [clip_of(ways)]
    descriptions.promote(way, ways.ann.id, "local_analysis", clips)
    (undone,) = descriptions.roll_back(way, ways.ann.id, clips)
    assert undone.rolled_back_at is not None
    return undone.analyzer, undone.clip_id, undone in descriptions.promotions(way, ways.ann.id)


def forgotten(way: WayIn, ways: Ways) -> Any:
    told = Told("to be forgotten.mp4")
    Shelves(ways.postgres, ways.admin_url).add(ways.ann.id, told)
    with ways.postgres.transaction() as connection:
        connection.execute(
            """INSERT INTO clip_locations (clip_id, user_id, host, volume, inode, path_bytes, path,
                                           size_bytes, mtime_ns)
               VALUES (%s, %s, 'host', 'volume', 7, '/x', '/x', 1, 1)""",
            (told.id, ways.ann.id),
        )
    answers = [
        erasure.forget_clip(way, ways.ann.id, ways.ben.clip),
        erasure.forget_clip(way, ways.ann.id, told.id),
        erasure.forget_clip(way, ways.ann.id, told.id),
    ]
    with ways.postgres.transaction() as connection:
        names = connection.execute(
            "SELECT count(*) AS names FROM forgotten WHERE user_id = %s", (ways.ann.id,)
        ).fetchall()
        connection.execute("DELETE FROM forgotten WHERE user_id = %s", (ways.ann.id,))
    return answers, names, browser(way, ways).find("to be forgotten.mp4")


def administered(way: WayIn, ways: Ways) -> Any:
    """What an admin reads, as one who is none."""
    refusals = []
    for ask in (
        lambda: owners.profiles(way, ways.ann.id, at_most=5),
        lambda: owners.clips(way, ways.ann.id, None, at_most=5),
        lambda: owners.statistics(way, ways.ann.id),
    ):
        with pytest.raises(owners.OwnerError) as refused:
            ask()
        refusals.append(str(refused.value))
    return refusals


@pytest.mark.parametrize("change", [edited, promoted, forgotten, administered])
def test_both_ways_change_and_refuse_the_same(ways: Ways, change: Callable[..., Any]):
    by_token = change(ways.rest, ways)
    assert by_token
    assert by_token == change(ways.postgres, ways)


def test_a_clip_is_forgotten_with_the_names_of_its_files(ways: Ways):
    answers, names, found = forgotten(ways.rest, ways)
    assert (answers, names, found) == ([False, True, False], [{"names": 3}], [])
    assert Browser(ways.postgres, ways.ben.id).find("Ben")


def test_an_edit_is_one_transaction(ways: Ways):
    clip = clip_of(ways)
    before = browser(ways.postgres, ways).details(clip)
    assert before is not None
    values: Any = {"summary": "half an edit", "tags": ["\0"]}
    with pytest.raises(psycopg.DataError):
        descriptions.edit(ways.rest, ways.ann.id, clip, values)
    after = browser(ways.postgres, ways).details(clip)
    assert after is not None
    assert after.clip.content_summary == before.clip.content_summary


def test_nobody_sees_the_rows_of_another(ways: Ways):
    for name in READINGS:
        assert "Ben" not in repr(answered(ways, name)), name
    assert browser(ways.rest, ways).details(ways.ben.clip) is None
    assert descriptions.edit(ways.rest, ways.ann.id, ways.ben.clip, {"summary": "mine"}) == []
    with pytest.raises(WayInError, match="you are signed in as"):
        Browser(ways.rest, ways.ben.id).list_clips()
    with pytest.raises(WayInError, match="SUPABASE_DB_URL"), ways.rest.transaction():
        pass


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("nobody_has_this", {}),
        ("browse_clip", {}),
        ("browse_clip", {"clip_id": None, "more": "1"}),
        ("browse_clip(null); SELECT 1; --", {"clip_id": None}),
        ('browse_clip"', {"clip_id": None}),
        ("readings.browse_clip", {"clip_id": None}),
        ("../private/own_cells", {}),
        ("BROWSE_CLIP", {"clip_id": None}),
        ("", {}),
        ("browse_clip", {'clip_id"': None}),
    ],
)
def test_nothing_is_run_but_what_was_deployed(ways: Ways, query: str, parameters: dict[str, Any]):
    question = named_queries.Question(query, parameters, changes=False)
    with (
        ways.rest.transaction(ways.ann.id) as connection,
        pytest.raises(psycopg.errors.UndefinedFunction, match="no query of that name"),
    ):
        connection.ask([question])


def test_a_parameter_is_a_value_and_nothing_else(ways: Ways):
    for name in ("'; DROP SCHEMA readings CASCADE; --", "$1", "%s", '"', "\\", ":x"):
        assert browser(ways.rest, ways).find(name) == []
    assert deployed(ways)


def test_nobody_else_may_ask(ways: Ways):
    for role in ("anon", "service_role"):
        stranger = RestCatalogue(
            lambda role=role: AskInSql(ways.admin_url, ways.ann.id, role), ways.ann.id, "x"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            browser(stranger, ways).list_clips()
    with psycopg.connect(ways.admin_url) as connection:
        (open_ones,) = connection.execute(
            """SELECT count(*) FROM pg_proc
                WHERE pronamespace = 'readings'::regnamespace
                  AND (prosecdef OR has_function_privilege('anon', oid, 'EXECUTE')
                       OR has_function_privilege('service_role', oid, 'EXECUTE'))"""
        ).fetchone() or (None,)
        assert open_ones == 0


def test_what_is_deployed_is_what_the_files_say(admin_url: str):
    newest = max((sql_folder() / "migrations").glob("*_readings.sql"))
    with psycopg.connect(admin_url) as connection:
        written = readings.migration(connection)
    assert newest.read_text("utf-8") == written, (
        f"{newest.name} is not what the .sql files say any more: write the next with "
        "`python -m video_assets.storage.readings > sql/migrations/<14 digits>_readings.sql`"
    )


def test_cells_of_a_sole_owner_are_those_that_workers_see(ways: Ways):
    checksums = [clip.checksum for clip in select_clips(ways.postgres, owner=ways.ann.id)]
    seen = ledger.cells(ways.postgres, PLAN, checksums)
    own = own_cells.cells(ways.rest, ways.ann.id, PLAN)
    assert told(own) == told(seen)
    assert {cell.state for cell in own} >= {"stale", "failed", "waiting"}
