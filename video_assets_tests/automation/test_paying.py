"""Clips that cost money in a whole pipeline: what waits, when it is tried again, what is not."""

from decimal import Decimal

import psycopg
import pytest

from video_assets.analyzer import ANALYZERS
from video_assets.automation.choice import LACKING, choose
from video_assets.automation.due import find_due
from video_assets.automation.plan import plan_of
from video_assets.automation.quoting import quote_steps
from video_assets.automation.work import find_work
from video_assets.presets.model import PipelineConfiguration
from video_assets.services.quotes import QuoteFacts
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import costs, ledger, postponed
from video_assets.storage.ai_calls import Payer
from video_assets_tests import paying
from video_assets_tests.automation.conftest import Pipeline, preset
from video_assets_tests.services.loopback import chat, serve
from video_assets_tests.services.test_paid_call import blocked

NAMES = ("ant", "bee", "cow", "dog", "eel")
MOST = paying.PRICE.of(paying.MOST)
DAY = "VIDEO_ASSETS_BUDGET__DAY_USD"
REACHED = "the day's cap of ${} is reached; it goes on after midnight UTC, or raise"


@pytest.fixture
def service():
    with serve() as service:
        service.answers = [chat]
        yield service


@pytest.fixture
def pipeline(pipeline, service):
    with pipeline.catalogue.transaction() as connection:
        for table in ("ai_calls", "private.ai_totals", "private.ai_pauses"):
            connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608 - ours
    pipeline.more = paying.ASSETS
    pipeline.preset = asking(service.url)
    return pipeline


def asking(url: str, **params: object) -> PipelineConfiguration:
    """A preset that has a service say something of each clip."""
    return preset("loud", "report", opinion={"base_url": url, **params})


def waiting(pipeline: Pipeline, clips: dict[str, str]) -> list[ledger.Cell]:
    return [cell for cell in pipeline.cells(clips) if cell.state == "waiting"]


def counts(pipeline: Pipeline, clips: dict[str, str]) -> dict[str, int]:
    states = [cell.state for cell in pipeline.cells(clips) if cell.asset == "opinion"]
    return {state: states.count(state) for state in set(states)}


def test_what_a_cap_forbids_waits_and_says_why_until_somebody_asks(pipeline, service, monkeypatch):
    cap = MOST + paying.PRICE.of(paying.Usage(2, output_tokens=2))  # for one, and two that were
    monkeypatch.setenv(DAY, str(cap))
    clips = pipeline.register(*NAMES)
    pipeline.process(clips)
    assert counts(pipeline, clips) == {"done": 3, "waiting": 2}
    assert len(service.seen) == 3

    left = waiting(pipeline, clips)
    assert {(cell.asset, cell.waits_for) for cell in left} == {("opinion", ())}
    assert all((cell.postponed or "").startswith(REACHED.format(cap)) for cell in left)
    assert all(0 < (cell.wait_s or 0) <= 86_400 for cell in left)
    plan, checksums = plan_of(pipeline.preset), list(clips.values())
    assert not find_work(pipeline.catalogue, plan, checksums, at_once=True)
    with pipeline.catalogue.transaction() as connection:
        connection.execute("UPDATE clips SET preset = 'test'")
    assert find_due(pipeline.catalogue, {"test": plan}, (), at_most=10) == []
    cells = ledger.cells(pipeline.catalogue, plan, checksums, states=LACKING)
    choice = choose(cells, plan, ("missing", "stale", "failed"))
    assert {each.reason.split("; ")[0] for each in choice.chosen} == {
        f"was left for later: the day's cap of ${cap} is reached"
    }
    (told,) = postponed.reasons(pipeline.catalogue, LOCAL_OWNER, checksums)
    assert (told.asset, told.clips) == ("opinion", 2)

    monkeypatch.setenv(DAY, "100")
    pipeline.process(clips)
    assert len(service.seen) == 3  # nobody asked for them
    choice.take_up(pipeline.catalogue)
    pipeline.process(clips)
    assert counts(pipeline, clips) == {"done": 5}
    assert len(service.seen) == 5
    assert postponed.reasons(pipeline.catalogue, LOCAL_OWNER, checksums) == []


def test_what_waits_for_a_moment_is_due_when_it_has_come(pipeline, service, monkeypatch):
    monkeypatch.setenv(DAY, "0")
    clips = pipeline.register("fox")
    pipeline.process(clips)
    assert counts(pipeline, clips) == {"waiting": 1}
    with pipeline.catalogue.transaction() as connection:
        connection.execute("UPDATE private.postponed_cells SET until = now()")
        connection.execute("UPDATE clips SET preset = 'test'")
    plan = plan_of(pipeline.preset)
    assert find_work(pipeline.catalogue, plan, list(clips.values()))
    assert [due.checksum for due in find_due(pipeline.catalogue, {"test": plan}, (), at_most=99)]


def test_what_would_be_asked_word_for_word_again_is_not_paid_again(pipeline, service):
    clips = pipeline.register("ibis", "jay")
    pipeline.process(clips)
    assert len(service.seen) == 2
    change = "UPDATE results SET input_fingerprint = 'words:other' WHERE asset = 'opinion'"
    with pipeline.catalogue.transaction() as connection:
        connection.execute(change)
    assert counts(pipeline, clips) == {"stale": 2}
    pipeline.process(clips)
    assert counts(pipeline, clips) == {"done": 2}
    assert len(service.seen) == 2
    with pipeline.catalogue.transaction() as connection:  # made by other code, it is asked anew
        connection.execute(f"{change}".replace("input", "settings").encode())
    pipeline.process(clips)
    assert len(service.seen) == 4


WAITS = """
INSERT INTO ai_calls (user_id, file_checksum, asset, provider, model, account, request, status,
                      reserved_usd, reserved_tokens)
VALUES (%s, %s, 'opinion', 'tests', 'm', 'a', 'r', 'waiting', 0, 0)
"""
PASSES_AT_ONCE = """
CREATE FUNCTION private.passes_at_once() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN NEW.until := now(); RETURN NEW; END';
CREATE TRIGGER passes_at_once BEFORE INSERT OR UPDATE ON private.postponed_cells
FOR EACH ROW EXECUTE FUNCTION private.passes_at_once()
"""


def test_an_ingest_looks_at_a_batch_once_however_soon_it_may_look_again(
    pipeline, service, admin_url, monkeypatch
):
    monkeypatch.setenv(DAY, "0")
    clips = pipeline.register("gnu", "hen")
    with psycopg.connect(admin_url) as connection:
        connection.execute(PASSES_AT_ONCE)
    with pipeline.catalogue.transaction() as connection:
        for checksum in clips.values():
            connection.execute(WAITS, (LOCAL_OWNER, checksum))
    try:
        assert pipeline.process(clips) == 1
        assert pipeline.process(clips) == 1  # as by the next ingest
    finally:
        with psycopg.connect(admin_url) as connection:
            connection.execute("DROP FUNCTION private.passes_at_once CASCADE")


def test_a_cap_of_half_the_quote_stops_within_one_call_of_it(pipeline, service):
    clips = pipeline.register(*(f"word{number}" for number in range(20)))
    pipeline.preset = asking(service.url, most_words=2)
    home = pipeline.folder / "home"
    home.mkdir()
    (home / "prices.yaml").write_text("tests: {opinionated: {input: 1000, output: 10000}}")
    facts = [QuoteFacts(1.0, has_sound=False)] * len(clips)
    (step,) = quote_steps(ANALYZERS, pipeline.preset, {"opinion": facts})
    quote = 20 * Decimal("0.011")
    assert step.usd == quote
    pipeline.process(clips, Payer("a run", quote / 2))
    spent = costs.of_run(pipeline.catalogue, "a run")
    of_one = paying.PRICE.of(paying.Usage(2, output_tokens=2))
    assert quote / 2 - of_one < spent <= quote / 2
    (told,) = postponed.reasons(pipeline.catalogue, LOCAL_OWNER, list(clips.values()))
    assert told.reason == f"the run's cap of ${quote / 2} is reached; run again with another --cap"
    assert told.clips + len(service.seen) == len(clips)
    postponed.take_up(pipeline.catalogue, list(clips.values()))
    pipeline.process(clips, Payer("another run", quote))
    assert counts(pipeline, clips) == {"done": 20}
    assert len(service.seen) == 20


def test_a_result_says_what_it_cost_and_its_answer_is_kept_no_longer(pipeline, service):
    clips = pipeline.register("gnu")
    pipeline.process(clips)
    with pipeline.catalogue.transaction() as connection:
        (made,) = connection.execute(
            "SELECT cost_usd FROM results WHERE asset = 'opinion' AND file_checksum = %s",
            (clips["gnu"],),
        ).fetchall()
        (call,) = connection.execute(
            "SELECT counted, answer, run_id FROM ai_calls WHERE file_checksum = %s", (clips["gnu"],)
        ).fetchall()
    assert made["cost_usd"] == Decimal("0.011")
    assert (call["counted"], call["answer"]) == (True, None)
    assert call["run_id"]


def test_a_refusal_is_told_twice_and_paid_for_once_until_somebody_asks_again(pipeline, service):
    service.answers = [blocked]
    clips = pipeline.register("hen")
    pipeline.process(clips)
    (failed,) = [cell for cell in pipeline.cells(clips) if cell.asset == "opinion"]
    assert (failed.state, failed.fault, failed.attempts) == ("failed", "refused", 2)
    assert len(service.seen) == 1
    ledger.forgive(pipeline.catalogue, [failed])
    service.answers = [chat]
    pipeline.process(clips)
    assert counts(pipeline, clips) == {"done": 1}
    assert len(service.seen) == 2
