"""Claude asked in batches: handed in once, waited for across processes, paid at half the price."""

import multiprocessing
import os
import signal
import time
from decimal import Decimal

import pytest
import stamina

from video_assets.analyzer import ANALYZERS
from video_assets.automation.quoting import quote_steps
from video_assets.clip_worker import Failed, Measured, Postponed
from video_assets.interfaces.cli.open_batches import withdraw_batches
from video_assets.presets.model import PipelineConfiguration
from video_assets.services import claude, local_models
from video_assets.services.prices import Usage, price_of
from video_assets.services.quotes import QuoteFacts
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import abandoned
from video_assets.storage.ai_calls import Caps
from video_assets_tests.assets.analyzed import Analyzed
from video_assets_tests.services.answers import WHOLE, text
from video_assets_tests.services.loopback_claude import serve_claude, usage_of
from video_assets_tests.services.loopback_claude_batches import answers, errs, expires

KEY = "sk-ant-api03-not-a-real-key-0123456789"
GOOD = answers(text(WHOLE), usage_of)


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    claude._unfit.clear()
    with serve_claude() as served, stamina.set_testing(True, attempts=4):  # no pauses
        served.batches.outcomes = [GOOD]
        yield served.batches
        assert served.calls == []  # nothing is asked directly
        assert served.batches.faults == []
    if kept := local_models._kept.pop("Claude", None):
        kept[1].close()


@pytest.fixture
def clip(service, catalogue, tmp_path):
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM private.ai_pauses")
    return Analyzed.of("claude_analysis", catalogue, tmp_path, base_url=service.url, batch=True)


def money(service) -> Decimal:
    """Give what the service would charge: half of what it charges otherwise."""
    price, found = price_of("anthropic", "claude-haiku-5-5"), Decimal(0)
    for each in service.charged:
        cached, written = each["cache_read_input_tokens"], each["cache_creation_input_tokens"]
        given = each["input_tokens"] + cached + written
        found += price.of(Usage(given, cached, written, output_tokens=each["output_tokens"])) / 2
    return found


def spent(clip) -> Decimal:
    return sum((row[0] for row in clip.calls("cost_usd")), Decimal(0))


def wait_for(clip, at_most: int = 10):
    """Come back as long as the clip is left for later."""
    for _ in range(at_most):
        if not isinstance(found := clip.ask(), Postponed):
            return found
    raise AssertionError("it waits for ever")


def test_what_is_handed_in_is_fetched_later_for_half_the_price(clip, service):
    service.looks = 5
    handed = clip.ask()
    assert isinstance(handed, Postponed)
    assert "anthropic answers in batches, within a day" in handed.reason
    assert handed.until is not None
    assert 50 < handed.until.timestamp() - time.time() <= 66  # spread, so that not all look at once
    assert clip.calls("status, batch, cost_usd") == [("waiting", service.made[0].id, None)]
    for _ in range(3):
        assert isinstance(clip.ask(), Postponed)
    found = wait_for(clip)
    assert isinstance(found, Measured)
    assert len(service.made) == 1
    assert found.document["cost_usd"] == pytest.approx(float(money(service)))
    assert clip.calls("status, outcome, cost_usd") == [("settled", "answered", money(service))]
    assert service.deleted == [service.made[0].id]
    again = clip.ask()  # as after a kill before the result was saved
    assert isinstance(again, Measured)
    assert len(service.made) == 1


def test_while_it_is_out_it_is_looked_at_and_nothing_is_read_of_the_clip(clip, service):
    clip.ask()
    file = clip.folder / "artifacts" / clip.proxy.file
    service.looks = 10
    service.asked.clear()
    file.rename(file.with_suffix(".away"))
    assert isinstance(clip.ask(), Postponed)
    assert [each.split()[0] for each in service.asked] == ["GET"]


def test_the_pause_between_two_looks_grows_to_an_hour(clip, service):
    clip.ask()
    service.looks = 10
    for age_s, pause_s in ((600, 600), (100_000, 3600)):
        clip.change_calls("sent_at = clock_timestamp() - make_interval(secs => %s)", age_s)
        found = clip.ask()
        assert isinstance(found, Postponed)
        assert found.until is not None
        assert found.until.timestamp() - time.time() == pytest.approx(1.05 * pause_s, rel=0.06)


def test_what_is_out_is_reserved_and_holds_against_caps(clip, service, catalogue):
    clip.ask()
    (reserved,) = clip.calls("reserved_usd")[0]
    with catalogue.transaction() as connection:
        query = "SELECT sum(usd) AS usd FROM private.ai_totals WHERE scope LIKE 'day %'"
        before = connection.execute(query).fetchall()[0]["usd"]
    assert before >= reserved > 0
    assert isinstance(wait_for(clip), Measured)
    with catalogue.transaction() as connection:
        after = connection.execute(query).fetchall()[0]["usd"]
    assert before - after == reserved - money(service)


def test_a_cap_that_is_full_of_batches_that_are_out_lets_no_other_be_handed_in(
    clip, service, catalogue, tmp_path
):
    clip.ask()
    ((reserved,),) = clip.calls("reserved_usd")
    query = "SELECT usd FROM private.ai_totals, clips WHERE scope = 'run a run'"
    ((total,),) = clip.rows(f"{query} AND file_checksum = %s")
    other = Analyzed.of("claude_analysis", catalogue, tmp_path / "other", **clip.settings)
    other.caps = Caps(run=total + reserved / 2)
    found = other.ask()
    assert isinstance(found, Postponed)
    assert "the run's cap" in found.reason
    assert len(service.made) == 1
    assert isinstance(wait_for(clip), Measured)
    assert isinstance(wait_for(other), Measured)  # it came to less than was reserved


def test_a_batch_of_which_nobody_knows_whether_it_was_taken_is_looked_for(clip, service):
    service.slow_s = 30
    found = clip.ask(timeout_s=0.5)
    assert isinstance(found, Postponed)
    assert clip.calls("status, batch") == [("waiting", None)]
    until = time.monotonic() + 20
    while not service.made and time.monotonic() < until:  # it was sent, and arrives
        time.sleep(0.05)
    service.made[0].looks = 2
    assert isinstance(wait_for(clip), Measured)
    assert len(service.made) == 1
    assert spent(clip) == money(service)


@pytest.mark.parametrize(
    "outcome", [expires, errs("overloaded_error")], ids=["expired", "overloaded"]
)
def test_a_batch_without_an_answer_costs_nothing_and_is_handed_in_once_more(clip, service, outcome):
    service.outcomes = [outcome, GOOD]
    assert isinstance(wait_for(clip), Measured)
    assert len(service.made) == 2
    assert clip.calls("outcome, cost_usd") == [("failed", 0), ("answered", money(service))]


def test_a_second_batch_without_an_answer_is_told(clip, service):
    service.outcomes = [expires]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert found.fault == "unreachable"
    assert found.message.startswith(
        "anthropic: its batch expired after 24 hours, as the one before"
    )
    assert len(service.made) == 2
    assert spent(clip) == 0


def test_a_batch_that_somebody_cancelled_is_handed_in_once_more(clip, service):
    clip.ask()
    service.made[0].is_canceled = True
    assert isinstance(wait_for(clip), Measured)
    assert len(service.made) == 2
    assert spent(clip) == money(service)


def test_a_request_that_is_not_taken_is_the_clip_s_own_fault(clip, service):
    service.outcomes = [errs("invalid_request_error", "image exceeds 5 MB maximum")]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert "image exceeds 5 MB maximum" in found.message
    assert clip.calls("outcome, cost_usd") == [("refused", 0)]


def test_a_model_that_does_not_take_the_schema_is_told_it_in_words(clip, service):
    said = "output_config.format.schema: The compiled grammar is too large"
    service.outcomes = [errs("invalid_request_error", said), GOOD]
    assert isinstance(wait_for(clip), Measured)
    first, second = (batch.requests[0]["params"] for batch in service.made)
    assert "output_config" in first
    assert "output_config" not in second


def test_an_answer_that_cannot_be_used_is_repaired_by_another_batch(clip, service):
    service.outcomes = [answers("I see grey blocks.", usage_of), GOOD]
    found = wait_for(clip)
    assert isinstance(found, Measured)
    assert found.document["calls"] == 2
    assert "no JSON" in service.made[1].requests[0]["params"]["messages"][0]["content"][-1]["text"]
    assert [row[0] for row in clip.calls("outcome")] == ["invalid", "answered"]
    assert spent(clip) == money(service)


def test_a_refusal_is_told_and_paid(clip, service):
    service.outcomes = [answers("", usage_of, reason="refusal")]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert found.message.startswith("anthropic declines")
    assert clip.calls("outcome, cost_usd") == [("refused", money(service))]


@pytest.mark.parametrize("is_over", [True, False], ids=["over", "out"])
def test_a_batch_whose_process_was_killed_before_it_heard_of_it_is_found(clip, service, is_over):
    service.slow_s = 30
    child = multiprocessing.get_context("fork").Process(target=clip.ask)
    child.start()
    until = time.monotonic() + 20
    while not service.made and time.monotonic() < until:
        time.sleep(0.05)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    service.slow_s = 0
    assert clip.calls("status, batch") == [("waiting", None)]
    if not is_over:
        assert isinstance(clip.ask(), Postponed)
        assert clip.calls("status, batch") == [("waiting", None)]
    service.made[0].looks = 2  # it has ended, and tells now what it holds
    assert isinstance(clip.ask(), Measured)
    assert len(service.made) == 1
    assert spent(clip) == money(service)


def test_a_batch_that_never_arrived_is_handed_in_again_after_some_minutes(clip, service):
    clip.ask()
    service.deleted.append(service.made[0].id)
    service.made[0].results.clear()
    clip.change_calls("batch = NULL")
    assert isinstance(clip.ask(), Postponed)
    assert len(service.made) == 1
    clip.change_calls("sent_at = clock_timestamp() - interval '1 hour'")
    assert isinstance(wait_for(clip), Measured)
    assert clip.calls("outcome, cost_usd") == [("failed", 0), ("answered", money(service))]


def test_a_batch_that_the_service_has_lost_may_have_been_charged(clip, service):
    clip.ask()
    service.deleted.append(service.made[0].id)
    service.outcomes = [GOOD]
    assert isinstance(wait_for(clip), Measured)
    lost, answered = clip.calls("outcome, cost_usd = reserved_usd")
    assert lost == ("failed", True)
    assert answered == ("answered", False)


@pytest.mark.parametrize("refusal", [(429, "rate_limit_error"), (529, "overloaded_error")])
def test_a_batch_that_is_not_taken_now_is_handed_in_again(clip, service, refusal):
    service.refuses = [refusal] * 2
    assert isinstance(wait_for(clip), Measured)
    assert [row[0] for row in clip.calls("outcome")] == ["rate_limited"] * 2 + ["answered"]
    assert spent(clip) == money(service)


def test_a_service_that_is_away_while_a_batch_is_out_changes_nothing(clip, service):
    clip.ask()
    service.looks = 0
    url, service_url = clip.settings["base_url"], "http://127.0.0.1:9"
    clip.settings["base_url"] = service_url
    found = clip.ask()
    assert isinstance(found, Postponed)
    assert "cannot be reached" in found.reason
    clip.settings["base_url"] = url
    assert isinstance(clip.ask(), Measured)
    assert len(service.made) == 1


def test_a_batch_for_what_is_asked_no_more_is_cancelled(clip, service):
    clip.ask()
    clip.made, clip.settings["max_output_tokens"] = "by other settings", 2000
    assert isinstance(wait_for(clip), Measured)
    first, second = service.made
    assert first.is_canceled
    assert not second.is_canceled
    assert clip.calls("status, cost_usd = reserved_usd") == [("lost", True), ("settled", False)]


def test_a_batch_for_the_same_question_is_kept_whatever_else_changed(clip, service):
    clip.ask()
    clip.made = "with another version of what is not shared"
    assert isinstance(wait_for(clip), Measured)
    assert len(service.made) == 1


def test_what_is_out_about_a_clip_that_goes_is_cancelled_and_its_answer_never_kept(
    clip, service, catalogue
):
    clip.ask()
    withdraw_batches(catalogue, LOCAL_OWNER, ["another clip"])
    assert not service.made[0].is_canceled
    withdraw_batches(catalogue, LOCAL_OWNER, [clip.checksum])
    assert service.made[0].is_canceled
    with catalogue.transaction() as connection:
        abandoned.queries.forget_calls(connection, checksums=[clip.checksum])
    assert clip.calls("status, cost_usd = reserved_usd, is_reusable") == [("lost", True, False)]
    assert isinstance(wait_for(clip), Measured)  # the clip has come back
    assert len(service.made) == 2


def test_what_cannot_be_cancelled_is_told(clip, service, catalogue, capsys):
    clip.ask()
    clip.change_calls("address = 'http://127.0.0.1:9'")
    withdraw_batches(catalogue, LOCAL_OWNER, [clip.checksum])
    assert "1 question could not be withdrawn" in capsys.readouterr().err


def test_what_is_out_is_waited_for_when_batches_are_turned_off(clip, service):
    clip.ask()
    clip.settings["batch"] = False
    assert isinstance(wait_for(clip), Measured)
    assert len(service.made) == 1


def test_the_quote_is_half_of_what_is_asked_directly(clip):
    def quote(batch):
        step = {"name": "claude_analysis", "category": "ai", "params": {"batch": batch}}
        preset = PipelineConfiguration.model_validate({"name": "x", "steps": [step]}, strict=False)
        facts = {"claude_analysis": [QuoteFacts(60.0, has_sound=True)]}
        (step,) = quote_steps(ANALYZERS, preset, facts)
        return step

    whole, half = quote(False), quote(True)
    assert whole.usd is not None
    assert half.usd == whole.usd / 2
    assert half.note == "asked in batches, for 50% of the price; answered within a day"
