"""Gemini analysis: however a question ends, money, words and uploads are right."""

import json
import logging
from decimal import Decimal

import pytest
import stamina

from video_assets import redaction
from video_assets.clip_worker import Failed, Measured, Postponed
from video_assets.services import partial_answer
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.storage.ai_calls import Caps
from video_assets_tests.assets.gemini_clip import Asked, answer, asked, scene, transcript
from video_assets_tests.services.loopback_gemini import KEY, Reaction, refuses, says

pytest.importorskip("google.genai", reason="google-genai needs Python 3.11")

# 1,000 tokens of which 200 are cached and 200 more are sound, and 350 written or thought.
PAID = Decimal("0.30") * 600 / 10**6 + Decimal("0.03") * 200 / 10**6
PAID += Decimal("1.00") * 200 / 10**6 + Decimal("2.50") * 350 / 10**6


@pytest.fixture
def clip(catalogue, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("VIDEO_ASSETS_RATE_LIMITS", '{"gemini": {"requests_per_minute": 100000}}')
    with stamina.set_testing(True, attempts=4, cap=True), asked(catalogue, tmp_path) as clip:
        yield clip


def result_of(found) -> ComprehensiveAIAnalysis:
    assert isinstance(found, Measured), found
    return ComprehensiveAIAnalysis.model_validate(found.document)


def is_gone(clip: Asked) -> bool:
    """Whether all that was uploaded was deleted."""
    service = clip.service
    return not service.files and sorted(service.uploads) == sorted(service.deleted)


def test_an_answer_is_told_with_what_it_cost(clip):
    clip.service.reactions = [says(answer("A wall."))]
    found = result_of(clip.ask())
    assert found.summary.overall == "A wall."
    assert found.visual_analysis is not None
    assert [each.end_time for each in found.visual_analysis.scenes] == [1, 2]
    assert (found.calls, found.input_tokens, found.cached_tokens) == (1, 1000, 200)
    assert found.output_tokens == 350
    assert Decimal(str(found.cost_usd)) == PAID
    assert clip.outcomes() == [("answered", PAID)]
    kept = clip.folder / "artifacts" / found.analysis_file_path
    assert json.loads(kept.read_text())["summary"]["overall"] == "A wall."
    assert is_gone(clip)
    assert clip.service.uploads


def test_what_is_reserved_is_more_than_what_is_paid(clip):
    clip.service.reactions = [says(answer())]
    clip.ask()
    (call,) = clip.calls()
    assert call["reserved_usd"] > call["cost_usd"]
    assert call["prices_as_of"] is not None
    assert call["reserved_tokens"] > 16_384 + 2 * 258


def test_a_small_proxy_travels_with_the_question_and_nothing_is_uploaded(clip):
    clip.service.reactions = [says(answer())]
    result_of(clip.ask(inline_mb=1))
    assert clip.service.uploads == []
    (video, *_) = clip.service.questions[0].parts
    assert video["inlineData"]["data"]
    assert video["videoMetadata"] == {"fps": 1.0}


def test_a_large_proxy_is_uploaded_in_pieces(clip):
    file = clip.folder / "artifacts" / clip.proxy.file
    room = 9 * 1024 * 1024
    with file.open("ab") as whole:
        whole.write(room.to_bytes(4, "big") + b"free" + bytes(room - 8))
    clip.service.reactions = [says(answer())]
    result_of(clip.ask())
    assert clip.service.requests.count(("POST", "/resumable")) == 2
    assert list(clip.service.contents.values()) == [file.read_bytes()]


def test_what_it_thinks_is_no_part_of_its_answer(clip):
    clip.service.reactions = [says(answer("A wall."), thought="**Looking at the wall**")]
    assert result_of(clip.ask(thinking_tokens=1024)).summary.overall == "A wall."
    (question,) = clip.service.questions
    assert question.config["thinkingConfig"] == {"thinking_budget": 1024}


def test_only_what_the_settings_allow_is_told(clip):
    clip.service.reactions = [says(answer())]
    task = clip.task(detail="low", thinking_tokens=None, fps=2)
    said = transcript((0.5, 1.5, "hello there"))
    task = type(task)(
        **{**vars(task), "inputs": {**task.inputs, "transcript": said.model_dump(mode="json")}}
    )
    from video_assets.clip_worker import perform
    from video_assets.progress import Progress

    result_of(perform(task, Progress()))
    (question,) = clip.service.questions
    assert question.parts[0]["videoMetadata"] == {"fps": 2.0}
    assert question.config["mediaResolution"] == "MEDIA_RESOLUTION_LOW"
    assert "thinkingConfig" not in question.config
    assert "[0.50-1.50] hello there" in question.texts[0]
    assert "Length: 2.00 s" in question.texts[0]
    assert "clip.mp4" not in json.dumps(question.body)


def test_what_has_arrived_is_shown_and_taken_away_when_no_more_comes(clip, monkeypatch):
    monkeypatch.setattr(partial_answer, "EVERY_S", 0.0)
    shown = []
    text = json.dumps(answer("A wall."))
    place = text.index("visual_analysis") - 2

    def half(_):
        return Reaction((text[:place],), finish=None)

    clip.service.reactions = [half, says(answer("A wall."), 2)]
    watched = type(clip.billing).show_partial

    def watch(self, model, document):
        watched(self, model, document)
        shown.extend(clip.partial())

    monkeypatch.setattr(type(clip.billing), "show_partial", watch)
    result_of(clip.ask())
    assert shown[0]["analysis_summary"]["overall"] == "A wall."
    assert shown[0]["visual_analysis"] is None
    assert clip.partial()  # until the whole takes its place

    clip.service.reactions = [refuses(400, "no")]
    clip.ask(fps=3)
    assert clip.partial() == []


def test_nothing_is_shown_where_that_is_not_wanted(clip, monkeypatch):
    monkeypatch.setattr(partial_answer, "EVERY_S", 0.0)
    clip.service.reactions = [says(answer())]
    result_of(clip.ask(save_partial=False))
    assert clip.partial() == []


def test_the_same_is_not_paid_for_twice(clip):
    clip.service.reactions = [says(answer())]
    first = result_of(clip.ask())
    again = result_of(clip.ask())
    assert len(clip.service.questions) == 1
    assert again.cost_usd == first.cost_usd
    assert clip.outcomes() == [("answered", PAID)]
    result_of(clip.ask(fps=2))
    assert len(clip.service.questions) == 2


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.4s"}
A_DAY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
BUSY = refuses(429, "Quota exceeded.", "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        pytest.param(BUSY, "rate_limited", id="429"),
        pytest.param(refuses(500, "Internal error."), "failed", id="500"),
        pytest.param(refuses(503, "The model is overloaded."), "failed", id="503"),
        pytest.param(refuses(504, "Deadline expired."), "failed", id="504"),
    ],
)
def test_what_passes_is_asked_again_and_costs_nothing(clip, first, outcome):
    clip.service.reactions = [first, first, says(answer())]
    found = result_of(clip.ask())
    assert clip.outcomes() == [(outcome, 0), (outcome, 0), ("answered", PAID)]
    assert Decimal(str(found.cost_usd)) == PAID
    assert clip.service.uploads == clip.service.deleted
    assert len(clip.service.uploads) == 1  # for all attempts
    assert is_gone(clip)


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param(refuses(429, "Busy.", details=[RETRY_INFO]), id="RetryInfo"),
        pytest.param(refuses(429, "Busy.", headers={"Retry-After": "1"}), id="Retry-After"),
    ],
)
def test_a_service_that_says_when_is_asked_then(clip, busy):
    from video_assets.services import gemini_errors, paid_call

    waits = []

    def note(error):
        waits.append(paid_call_waits(error))
        return waits[-1]

    paid_call_waits = paid_call._pause_before_retry
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paid_call, "_pause_before_retry", note)
        clip.service.reactions = [busy, says(answer())]
        result_of(clip.ask())
    assert waits == [1.0 if busy.headers else 0.4]
    assert gemini_errors.DAY_S > paid_call.LONGEST_WAIT_S


def test_a_quota_of_a_day_that_is_full_leaves_the_service_alone_for_hours(clip):
    clip.service.reactions = [refuses(429, "Quota exceeded.", details=[A_DAY, RETRY_INFO])]
    found = clip.ask()
    assert isinstance(found, Postponed), found
    assert found.until is not None
    assert "Quota exceeded" in found.reason
    assert clip.outcomes() == [("rate_limited", 0)]
    again = clip.ask()
    assert isinstance(again, Postponed)
    assert len(clip.service.questions) == 1
    assert clip.service.uploads == clip.service.deleted
    assert len(clip.service.uploads) == 1  # not for what is not asked


def test_a_service_that_stays_broken_is_left_for_later(clip):
    clip.service.reactions = [refuses(500, "Internal error.")]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert (found.error_class, found.fault) == ("UnreachableError", "unreachable")
    assert "HTTP 500: Internal error." in found.message
    assert clip.outcomes() == [("failed", 0)] * 4
    assert is_gone(clip)


def test_an_answer_that_takes_too_long_may_have_been_charged(clip):
    clip.service.reactions = [says(answer(), 20, wait_s=0.2)]
    with stamina.set_testing(True, attempts=1):
        found = clip.ask(timeout_s=2)  # of a busy machine no piece takes as long
    assert isinstance(found, Failed)
    assert found.fault == "unreachable"
    assert "no end of its answer after 2 s" in found.message
    assert {outcome for outcome, _ in clip.outcomes()} == {"failed"}
    assert all(call["cost_usd"] == call["reserved_usd"] for call in clip.calls())
    assert is_gone(clip)


def test_a_service_that_says_nothing_is_not_waited_for(clip):
    clip.service.reactions = [refuses(500, "late", wait_s=30.0), says(answer())]
    result_of(clip.ask(timeout_s=2))  # in which a busy machine gives the second answer too
    first, second = clip.calls()
    assert (first["outcome"], first["cost_usd"]) == ("failed", first["reserved_usd"])
    assert "Timeout" in first["error"]
    assert second["outcome"] == "answered"


def test_an_answer_that_breaks_off_is_asked_again_and_taken_for_charged(clip):
    half = says(answer())
    half.pieces, half.finish = half.pieces[:2], None
    clip.service.reactions = [half, says(answer())]
    result_of(clip.ask())
    first, second = clip.calls()
    assert (first["outcome"], first["cost_usd"]) == ("failed", first["reserved_usd"])
    assert (second["outcome"], second["cost_usd"]) == ("answered", PAID)
    assert is_gone(clip)


def test_an_answer_that_ends_without_a_reason_is_no_answer(clip):
    ended = says(answer(), finish="")
    clip.service.reactions = [ended, says(answer())]
    result_of(clip.ask())
    assert [outcome for outcome, _ in clip.outcomes()] == ["failed", "answered"]
    assert "breaks off in the middle" in clip.calls()[0]["error"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        pytest.param("{'summary': 1", "no JSON", id="no JSON"),
        pytest.param({"summary": "a wall"}, "summary: Input should be", id="another shape"),
        pytest.param(
            answer(visual={"scenes": [scene(0, 97)]}), "the clip lasts 2.00 s", id="beyond the clip"
        ),
    ],
)
def test_a_wrong_answer_is_repaired_once_and_both_are_paid(clip, wrong, complaint):
    clip.service.reactions = [says(wrong), says(answer("Better."))]
    found = result_of(clip.ask())
    assert found.summary.overall == "Better."
    assert found.calls == 2
    assert Decimal(str(found.cost_usd)) == 2 * PAID
    assert clip.outcomes() == [("invalid", PAID), ("answered", PAID)]
    assert complaint in clip.service.questions[1].texts[-1]
    assert complaint in clip.calls()[0]["error"]
    assert is_gone(clip)


def test_a_wrong_answer_that_is_not_repaired_is_kept_and_told(clip):
    clip.service.reactions = [says({"summary": 1})]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert "answered twice what cannot be used" in found.message
    assert clip.outcomes() == [("invalid", PAID)] * 2
    assert [call["answer"] for call in clip.calls()] == ['{"summary": 1}'] * 2
    assert is_gone(clip)


@pytest.mark.parametrize(
    ("reaction", "said"),
    [
        pytest.param(Reaction(blocked="PROHIBITED_CONTENT"), "PROHIBITED_CONTENT", id="question"),
        pytest.param(
            says("{", finish="SAFETY"), "gemini declines: it stopped (SAFETY)", id="safety"
        ),
        pytest.param(Reaction(finish="RECITATION"), "it stopped (RECITATION)", id="recitation"),
        pytest.param(
            says('{"summ', finish="MAX_TOKENS"),
            "gemini: its answer is longer than max_output_tokens (16384); raise that",
            id="too long",
        ),
    ],
)
def test_a_refusal_is_told_and_charged_and_not_asked_again(clip, reaction, said):
    clip.service.reactions = [reaction]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert (found.error_class, found.fault) == ("RefusedByServiceError", "refused")
    assert found.message.startswith("gemini")
    assert said in found.message
    ((outcome, usd),) = clip.outcomes()
    assert (outcome, usd) == ("refused", PAID)
    assert len(clip.service.questions) == 1
    assert is_gone(clip)


INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


@pytest.mark.parametrize(
    "reaction",
    [
        pytest.param(refuses(400, "API key not valid.", details=[INVALID_KEY]), id="400"),
        pytest.param(refuses(401, "Unauthenticated."), id="401"),
        pytest.param(refuses(403, "Permission denied."), id="403"),
        pytest.param(refuses(404, "models/x is not found for API version v1beta"), id="404"),
        pytest.param(refuses(400, "Location not supported.", "FAILED_PRECONDITION"), id="country"),
    ],
)
def test_what_no_clip_can_change_pauses_the_service_at_once(clip, reaction):
    clip.service.reactions = [reaction]
    found = clip.ask()
    assert isinstance(found, Postponed), found
    assert reaction.error["error"]["message"] in found.reason
    assert clip.outcomes() == [("failed", 0)]
    assert is_gone(clip)


INVALID = refuses(400, "Request contains an invalid argument.", "INVALID_ARGUMENT")
TOO_MUCH = "The specified schema produces a constraint that has too many states for serving."


def test_what_it_does_not_take_of_a_clip_is_told(clip):
    clip.service.reactions = [says(answer()), INVALID]
    result_of(clip.ask())
    found = clip.ask(fps=2)
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert "does not take this: HTTP 400: Request contains an invalid" in found.message
    assert clip.outcomes() == [("answered", PAID), ("refused", 0)]
    assert is_gone(clip)


@pytest.mark.parametrize("refusal", [INVALID, refuses(400, TOO_MUCH)], ids=["bare", "schema"])
def test_a_model_that_does_not_take_the_schema_is_told_of_it_in_words(clip, refusal):
    clip.service.reactions = [refusal, says(answer())]
    result_of(clip.ask())
    result_of(clip.ask(fps=2))
    first, second, third = clip.service.questions
    assert "responseJsonSchema" in first.config
    for question in (second, third):
        assert question.config["responseMimeType"] == "application/json"
        assert "responseJsonSchema" not in question.config
        assert "content_tags" in json.dumps(question.body["systemInstruction"])
    assert clip.outcomes() == [("failed", 0), ("answered", PAID), ("answered", PAID)]


def test_what_fits_neither_way_is_not_asked_for_ever(clip):
    clip.service.reactions = [INVALID]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert clip.outcomes() == [("failed", 0), ("refused", 0)]


def test_an_upload_that_stays_unfinished_costs_nothing_and_is_deleted(clip):
    clip.service.looks = 10**6
    found = clip.ask(processing_timeout_s=0.5)
    assert isinstance(found, Failed)
    assert (found.error_class, found.fault) == ("UnreachableError", "unreachable")
    assert f"{clip.service.uploads[0]} is still PROCESSING after 0.5 s" in found.message
    assert clip.calls() == []
    assert len(clip.service.uploads) == 1
    assert is_gone(clip)


def test_an_upload_that_cannot_be_read_is_told_of_the_clip(clip):
    clip.service.becomes = "FAILED"
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert "cannot read the proxy: no video stream" in found.message
    assert is_gone(clip)


def test_what_a_killed_attempt_left_is_used_and_deleted(clip):
    clip.service.reactions = [says(answer())]
    result_of(clip.ask())
    (name,) = clip.service.uploads
    clip.service.put(name, b"left", "ACTIVE")
    result_of(clip.ask(fps=2))
    assert clip.service.uploads == [name]
    assert clip.service.deleted == [name, name]
    clip.service.put(name, b"left by one that was killed after its answer was kept", "ACTIVE")
    result_of(clip.ask(fps=2))
    assert len(clip.service.questions) == 2
    assert clip.service.deleted == [name] * 3


def test_an_upload_that_went_away_is_made_again(clip):
    def forget(question):
        service = clip.service
        name = question.parts[0]["fileData"]["file_uri"].rpartition("/")[2]
        service.deleted.append(name)
        del service.files[name]
        return refuses(403, f"You do not have permission to access the File {name} or it may not")

    clip.service.reactions = [forget, says(answer())]
    result_of(clip.ask())
    assert len(clip.service.uploads) == 2
    assert is_gone(clip)


def test_a_cap_is_kept_before_anything_leaves(clip):
    clip.caps = Caps(run=Decimal("0.0001"))
    found = clip.ask()
    assert isinstance(found, Postponed)
    assert "--cap" in found.reason
    assert clip.service.requests == []
    assert clip.calls() == []


def test_a_model_without_a_price_is_not_asked(clip):
    found = clip.ask(model="gemini-unheard-of")
    assert isinstance(found, Failed)
    assert (found.error_class, found.fault) == ("ToolMissingError", "unreachable")
    assert "no price is known of" in found.message
    assert "gemini-unheard-of" in found.message
    assert clip.service.requests == []


def test_without_a_key_it_says_which(clip, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY")
    found = clip.ask()
    assert isinstance(found, Failed)
    assert (found.error_class, found.fault) == ("ToolMissingError", "unreachable")
    assert "set GEMINI_API_KEY" in found.message


def test_without_the_library_it_says_how_to_get_it(clip, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "google", None)
    found = clip.ask()
    assert isinstance(found, Failed)
    assert "pip install 'video-assets[ai]'" in found.message


def test_the_key_is_told_to_nobody(clip, caplog):
    caplog.set_level(logging.DEBUG)
    redaction.protect(())  # the environment is read anew, as at the start of a worker
    told = refuses(403, f"The key {KEY} is not allowed here.")
    clip.service.reactions = [refuses(500, f"key={KEY}"), refuses(400, f"bad {KEY}"), told]
    found = [clip.ask(), clip.ask(), clip.ask(fps=2)]
    assert isinstance(found[-1], Postponed)
    assert KEY not in repr(found)
    with clip.catalogue.transaction() as connection:
        for table in ("ai_calls", "private.ai_pauses", "analysis"):
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # noqa: S608
            assert KEY not in repr(rows)
    ours = [record for record in caplog.records if record.name.startswith("video_assets")]
    assert KEY not in repr([record.getMessage() for record in caplog.records])
    assert KEY not in repr([vars(record) for record in ours])
