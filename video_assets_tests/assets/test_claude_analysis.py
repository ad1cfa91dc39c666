"""Claude's analysis: what is sent, what is kept, what is paid, and what is said when it fails."""

import json
import sys
import threading
import time
from decimal import Decimal

import pytest
import stamina

from video_assets.analyzer import ANALYZERS
from video_assets.clip_worker import Failed, Measured, Postponed
from video_assets.presets.strict import PresetError
from video_assets.services import claude, local_models, partial_answer
from video_assets.services.analysis import ClipAnalysis
from video_assets.services.prices import Usage, price_of
from video_assets.services.quotes import QuoteFacts
from video_assets.storage.ai_calls import Caps
from video_assets_tests.assets.analyzed import Analyzed
from video_assets_tests.services import answers
from video_assets_tests.services.loopback_claude import (
    ClaudeService,
    breaks_off,
    ends_early,
    errs_in_the_middle,
    fails,
    is_silent,
    refuses,
    says,
    says_slowly,
    serve_claude,
)

KEY = "sk-ant-api03-not-a-real-key-0123456789"
MODEL = "claude-haiku-5-5"
GOOD = says(answers.text(answers.WHOLE), thought="Let me look at each frame.")


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    claude._unfit.clear()
    with serve_claude() as served, stamina.set_testing(True, attempts=4):  # no pauses
        served.acts = [GOOD]
        yield served
    if kept := local_models._kept.pop("Claude", None):
        kept[1].close()


@pytest.fixture
def clip(service, catalogue, tmp_path):
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM private.ai_pauses")
    return Analyzed.of("claude_analysis", catalogue, tmp_path, base_url=service.url)


def money(service: ClaudeService) -> Decimal:
    """Give what the service would charge for all it answered."""
    price = price_of("anthropic", MODEL)
    return sum((price.of(_usage(call)) for call in service.charged), Decimal(0))


def _usage(call: dict[str, int]) -> Usage:
    cached, written = call["cache_read_input_tokens"], call["cache_creation_input_tokens"]
    given = call["input_tokens"] + cached + written
    return Usage(given, cached, written, output_tokens=call["output_tokens"])


def spent(clip: Analyzed) -> Decimal:
    return sum((row[0] for row in clip.calls("cost_usd")), Decimal(0))


def test_an_answer_becomes_a_result_and_costs_what_the_service_counted(clip, service):
    found = clip.ask()
    assert isinstance(found, Measured)
    assert ClipAnalysis.model_validate(
        {name: found.document[name] for name in ClipAnalysis.model_fields}
    ) == ClipAnalysis.model_validate(answers.WHOLE)
    (usage,) = service.charged
    assert found.document["cost_usd"] == float(money(service)) > 0
    assert found.document["input_tokens"] == _usage(usage).input_tokens
    assert found.document["output_tokens"] == usage["output_tokens"]
    assert clip.calls("status, outcome, cost_usd, input_tokens") == [
        ("settled", "answered", money(service), _usage(usage).input_tokens)
    ]
    assert clip.calls("provider, model, prices_as_of::text") == [("anthropic", MODEL, "2026-10-07")]
    file = clip.artifacts.path_of(found.document["analysis_file_path"])
    assert json.loads(file.read_text())["summary"] == answers.SUMMARY


def test_it_is_shown_frames_with_their_times_and_what_is_said(clip, service):
    clip.ask(max_frames=3)
    (call,) = service.calls
    content = call.body["messages"][0]["content"]
    times = [b["text"] for b in content if b.get("text", "").startswith("Frame at")]
    assert times == ["Frame at 1.00 s:"]
    assert [block["type"] for block in content] == ["text", "image", "text"]
    assert "[0.50-1.50] Hello there." in content[-1]["text"]
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.body["max_tokens"] == 16_000
    assert "effort" not in call.body["output_config"]


def test_no_place_no_serial_number_and_no_name_of_a_file_leave_the_machine(clip, service):
    clip.ask()
    sent = json.dumps(service.calls[0].body)
    for secret in ("48.85", "2.29", "S3CR3T", "Sony", "clip.mp4", str(clip.folder)):
        assert secret not in sent
    clip.ask(share_place=True, share_camera=True)
    sent = json.dumps(service.calls[-1].body)
    assert "48.85837" in sent
    assert "Sony" in sent
    assert "S3CR3T" not in sent


def test_the_same_question_is_not_paid_for_twice(clip, service):
    first, again = clip.ask(), clip.ask()  # as after a kill before the result was saved
    assert isinstance(first, Measured)
    assert isinstance(again, Measured)
    assert len(service.calls) == 1
    assert again.document["cost_usd"] == first.document["cost_usd"]


def test_what_is_asked_again_word_for_word_keeps_its_result(clip, service):
    first = clip.ask()
    clip.save(first)
    clip.keeps = True  # something that it is made from has changed, but nothing that is told
    again = clip.ask()
    assert isinstance(again, Measured)
    assert again.document == first.document
    assert len(service.calls) == 1
    clip.save(again)
    assert isinstance(clip.ask(share_camera=True), Measured)
    assert len(service.calls) == 2  # another question
    clip.keeps = False  # whoever asks for this clip alone doubts what is there
    assert isinstance(clip.ask(), Measured)
    assert len(service.calls) == 3


def test_what_is_alike_for_all_clips_is_read_from_the_cache(clip, service, catalogue, tmp_path):
    clip.ask()
    other = Analyzed.of("claude_analysis", catalogue, tmp_path / "other", base_url=service.url)
    found = other.ask()
    assert isinstance(found, Measured)
    kinds = ("cache_creation_input_tokens", "cache_read_input_tokens")
    (wrote, _), (_, read) = [[call[kind] for kind in kinds] for call in service.charged]
    assert wrote == read > 0
    assert found.document["cached_tokens"] == read
    assert spent(clip) + spent(other) == money(service)
    assert spent(other) < spent(clip)


def test_the_schema_keeps_to_what_the_service_takes(clip, service):
    assert isinstance(clip.ask(), Measured)
    (call,) = service.calls  # the service on loopback would have refused it
    form = call.body["output_config"]["format"]
    assert form["type"] == "json_schema"
    assert form["schema"]["required"] == list(ClipAnalysis.model_fields)


def test_words_for_what_is_not_known_become_nulls(clip, service):
    document = json.loads(answers.text(answers.WHOLE))
    document["summary"]["mood_tone"] = ""
    document["visual_analysis"]["technical_quality"]["usability_rating"] = "unknown"
    document["content_analysis"]["activity_summary"][0]["timestamp"] = -1
    service.acts = [says(answers.text(document))]
    found = clip.ask()
    assert isinstance(found, Measured)
    assert found.document["summary"] == answers.SUMMARY
    assert found.document["visual_analysis"] == answers.WHOLE["visual_analysis"]
    assert found.document["content_analysis"] == answers.WHOLE["content_analysis"]


def test_a_model_that_does_not_take_the_schema_is_told_it_in_words(clip, service, monkeypatch):
    said = "output_config.format.schema: The compiled grammar is too large"
    service.acts = [fails(400, "invalid_request_error", said), GOOD]
    assert isinstance(clip.ask(), Measured)
    assert isinstance(clip.ask(max_frames=1, share_transcript=False), Measured)
    first, *others = service.calls
    assert "output_config" in first.body
    assert len(others) == 2  # it is remembered
    for call in others:
        assert "output_config" not in call.body
        assert '"content_tags":["text' in call.body["system"][0]["text"]
    assert [row[0] for row in clip.calls("outcome")] == ["answered", "answered"]


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        pytest.param(fails(429, "rate_limit_error"), "rate_limited", id="429"),
        pytest.param(
            fails(429, "rate_limit_error", retry_after="2"), "rate_limited", id="429 in 2 s"
        ),
        pytest.param(fails(529, "overloaded_error"), "rate_limited", id="529"),
        pytest.param(fails(500, "api_error"), "failed", id="500"),
    ],
)
def test_what_passes_is_asked_again_and_costs_nothing(clip, service, act, outcome):
    service.acts = [act, act, GOOD]
    assert isinstance(clip.ask(), Measured)
    assert [row[0] for row in clip.calls("outcome")] == [outcome, outcome, "answered"]
    assert spent(clip) == money(service)


@pytest.mark.parametrize(
    "act",
    [breaks_off(answers.text(answers.WHOLE)[:90]), ends_early, errs_in_the_middle],
    ids=["cut", "ended early", "error"],
)
def test_an_answer_that_breaks_off_counts_as_paid_and_is_asked_again(clip, service, act):
    service.acts = [act, GOOD]
    assert isinstance(clip.ask(), Measured)
    failed, answered = clip.calls("outcome, cost_usd = reserved_usd, cost_usd, error")
    assert failed[:2] == ("failed", True)
    assert "breaks off" in failed[3]
    assert answered[0] == "answered"
    assert failed[2] > answered[2]


def test_a_service_that_stays_broken_is_told_and_asked_no_more_for_a_while(clip, service):
    service.acts = [fails(500, "api_error", "Internal server error")]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert (found.fault, found.error_class) == ("unreachable", "UnreachableError")
    assert "HTTP 500: Internal server error" in found.message
    assert len(service.calls) == 4
    for _ in range(3):
        assert isinstance(clip.ask(), Failed)
    assert isinstance(clip.ask(), Postponed)
    asked = len(service.calls)
    assert isinstance(clip.ask(), Postponed)
    assert len(service.calls) == asked


def test_a_wait_of_minutes_leaves_the_service_alone_for_so_long(clip, service):
    service.acts = [fails(429, "rate_limit_error", retry_after="120")]
    found = clip.ask()
    assert isinstance(found, Postponed)
    assert len(service.calls) == 1
    left = clip.rows(
        "SELECT extract(epoch FROM until - now()) FROM private.ai_pauses, clips "
        "WHERE file_checksum = %s"
    )
    assert 100 < left[0][0] <= 120
    moments = [each.until.timestamp() for each in (found, clip.ask()) if each.until]
    assert all(100 < moment - time.time() <= 132 for moment in moments)
    assert moments[0] != moments[1]  # so that clips do not all come back at once


def test_a_service_that_says_nothing_is_given_up(clip, service):
    service.acts = [is_silent(30)]
    began = time.monotonic()
    found = clip.ask(timeout_s=0.2)
    assert isinstance(found, Failed)
    assert "does not answer in time" in found.message
    assert time.monotonic() - began < 30
    assert clip.calls("outcome, cost_usd = reserved_usd") == [("failed", True)] * 4


def test_an_answer_that_takes_too_long_is_given_up(clip, service):
    service.acts = [says_slowly(answers.text(answers.WHOLE), 0.2)]
    with stamina.set_testing(True, attempts=1):
        found = clip.ask(timeout_s=2)  # of a busy machine no piece takes as long
    assert isinstance(found, Failed)
    assert "its answer takes longer than 2 s" in found.message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("I see grey blocks.", "no JSON", id="no JSON"),
        pytest.param('{"summary": {"overall": "x"', "no JSON", id="half of it"),
        pytest.param('{"colour": "grey"}', "summary: Field required", id="another shape"),
        pytest.param(answers.text(answers.late(65.0)), "the clip lasts 2.00 s", id="late"),
    ],
)
def test_an_answer_that_cannot_be_used_is_repaired_once(clip, service, text, complaint):
    service.acts = [says(text), GOOD]
    found = clip.ask()
    assert isinstance(found, Measured)
    assert found.document["calls"] == 2
    assert complaint in service.calls[1].body["messages"][0]["content"][-1]["text"]
    assert found.document["cost_usd"] == pytest.approx(float(money(service)))
    assert spent(clip) == money(service)
    assert [row[0] for row in clip.calls("outcome")] == ["invalid", "answered"]


def test_a_second_useless_answer_is_a_refusal_and_both_are_kept(clip, service):
    service.acts = [says("no")]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert (found.fault, found.error_class) == ("refused", "RefusedByServiceError")
    assert "answered twice what cannot be used" in found.message
    assert clip.calls("outcome, answer") == [("invalid", "no"), ("invalid", "no")]
    assert spent(clip) == money(service)


def test_a_refusal_is_told_with_its_reason_and_paid_as_counted(clip, service):
    service.acts = [refuses("bio", "It shows a laboratory.")]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert found.message == "anthropic declines: bio: It shows a laboratory."
    assert clip.calls("outcome, cost_usd") == [("refused", money(service))]
    assert len(service.calls) == 1


def test_an_answer_that_is_too_long_is_not_asked_for_again(clip, service):
    service.acts = [says(answers.text(answers.WHOLE)[:200], stop_reason="max_tokens")]
    found = clip.ask(max_output_tokens=1000)
    assert isinstance(found, Failed)
    assert "longer than 1000 tokens; raise max_output_tokens" in found.message
    assert clip.calls("outcome, cost_usd") == [("refused", money(service))]
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("act", "said"),
    [
        pytest.param(fails(401, "authentication_error", f"invalid key {KEY}"), "ANTHROPIC_API_KEY"),
        pytest.param(fails(403, "permission_error"), "does not take the key"),
        pytest.param(fails(404, "not_found_error", "model: claude-3-opus"), "claude-3-opus"),
        pytest.param(
            fails(400, "invalid_request_error", "Your credit balance is too low"), "no money"
        ),
    ],
    ids=["401", "403", "404", "no money"],
)
def test_what_no_clip_can_change_leaves_all_of_them_for_later(clip, service, act, said):
    service.acts = [act]
    found = clip.ask()
    assert isinstance(found, Postponed)
    assert said in found.reason
    assert KEY not in found.reason
    assert isinstance(clip.ask(), Postponed)
    assert len(service.calls) == 1
    assert spent(clip) == 0


def test_a_request_that_is_not_taken_is_the_clip_s_own_fault(clip, service):
    service.acts = [fails(400, "invalid_request_error", "image exceeds 5 MB maximum")]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert "image exceeds 5 MB maximum" in found.message
    assert len(service.calls) == 1


def test_a_cap_forbids_before_anything_is_sent(clip, service):
    clip.caps = Caps(call=Decimal("0.000001"))
    found = clip.ask()
    assert isinstance(found, Postponed)
    assert "budget.call_usd" in found.reason
    assert service.calls == []


def test_what_is_reserved_is_more_than_what_is_charged(clip, service):
    clip.ask()
    (row,) = clip.calls("reserved_usd > cost_usd, reserved_tokens")
    assert row[0] is True
    assert row[1] > sum(service.charged[0].values())


def test_what_has_arrived_is_shown_and_taken_away_when_it_comes_to_nothing(
    clip, service, monkeypatch
):
    monkeypatch.setattr(partial_answer, "EVERY_S", 0.05)
    service.acts = [says_slowly(answers.text(answers.WHOLE), 0.05), fails(401, "x")]
    seen, is_over = [], threading.Event()
    watcher = threading.Thread(target=lambda: watch(clip, seen, is_over))
    watcher.start()
    try:
        assert isinstance(clip.ask(), Measured)
    finally:
        is_over.set()
        watcher.join()
    assert [row[0] for row in seen[0]] == [MODEL]
    assert seen[0][0][1]["overall"] == answers.SUMMARY["overall"]
    assert seen[0][0][2] is True
    assert clip.reports  # so that nobody takes the worker for hung
    assert isinstance(clip.ask(max_frames=1, share_transcript=False), Postponed)
    assert clip.shown() == []


def watch(clip: Analyzed, seen: list, is_over: threading.Event) -> None:
    while not is_over.wait(0.02):
        if (shown := clip.shown()) and (shown[0][1] or {}).get("overall"):
            seen.append(shown)
            return


def test_nothing_is_shown_of_an_answer_if_the_preset_says_so(clip, service, monkeypatch):
    monkeypatch.setattr(partial_answer, "EVERY_S", 0.0)
    assert isinstance(clip.ask(save_partial=False), Measured)
    assert clip.shown() == []


def test_without_a_key_or_the_library_it_says_what_to_do(clip, service, monkeypatch):
    monkeypatch.setitem(sys.modules, "anthropic", None)
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "unreachable"
    assert "pip install 'video-assets[ai]'" in found.message
    monkeypatch.undo()
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    found = clip.ask()
    assert isinstance(found, Failed)
    assert "set ANTHROPIC_API_KEY" in found.message


def test_a_model_without_a_price_is_not_asked(clip, service):
    found = clip.ask(model="claude-3-opus")
    assert isinstance(found, Failed)
    assert "no price is known of anthropic/claude-3-opus" in found.message
    assert service.calls == []


def test_the_key_is_nowhere(clip, service, caplog):
    caplog.set_level("DEBUG")
    leak = fails(500, "api_error", f"the key {KEY} broke")
    for acts in ([GOOD], [leak], [fails(400, "invalid_request_error", KEY)]):
        service.acts = acts
        found = clip.ask(max_frames=len(acts[0].__qualname__))
        assert KEY not in repr(found)
    with clip.catalogue.transaction() as connection:
        for table in ("ai_calls", "private.ai_pauses", "results"):
            query = f"SELECT t::text AS row FROM {table} AS t"  # noqa: S608
            rows = connection.execute(query.encode()).fetchall()
            assert all(KEY not in row["row"] for row in rows)
    assert KEY not in caplog.text


def test_a_quote_says_how_it_comes_to_its_figure():
    asset = ANALYZERS["claude_analysis"]
    assert asset.quote is not None
    settings = asset.settings_model.model_validate({})  # type: ignore[union-attr]
    quote = asset.quote(QuoteFacts(duration_s=60, has_sound=True), settings)
    assert quote is not None
    assert quote.usage.input_tokens > 24 * 558
    assert "24 frames of 558 tokens" in quote.assumes
    assert 0.001 < price_of(quote.provider, quote.model).of(quote.usage) < 0.01
    short = asset.quote(QuoteFacts(duration_s=1, has_sound=False), settings)
    assert short is not None
    assert short.usage.input_tokens < quote.usage.input_tokens


def test_an_address_with_a_secret_in_it_is_refused():
    with pytest.raises(PresetError, match="ANTHROPIC_API_KEY"):
        ANALYZERS["claude_analysis"].settings({"base_url": "https://me:secret@gateway/v1"})
