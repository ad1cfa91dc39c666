"""Gemini asked in batches: handed in once, waited for across processes, paid at half the price."""

import multiprocessing
import os
import signal
import time
from decimal import Decimal
from fractions import Fraction

import pytest
import stamina

from video_assets.clip_worker import Failed, Measured, Postponed
from video_assets.interfaces.cli.open_batches import withdraw_batches
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.settings import LOCAL_OWNER
from video_assets_tests.assets.gemini_clip import Asked, answer, asked, scene
from video_assets_tests.assets.test_gemini_windows import look
from video_assets_tests.clips import Clip
from video_assets_tests.services.loopback_gemini import KEY, Reaction, refuses, says

pytest.importorskip("google.genai", reason="google-genai needs Python 3.11")

# Half of what it costs otherwise, but for the 200 tokens that were cached.
PAID = Decimal("0.15") * 600 / 10**6 + Decimal("0.03") * 200 / 10**6
PAID += Decimal("0.50") * 200 / 10**6 + Decimal("1.25") * 350 / 10**6
LONG = Clip(frames=100, rate=Fraction(5), gop=10, audio_tracks=1)  # 20 s


@pytest.fixture(autouse=True)
def _environment(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("VIDEO_ASSETS_RATE_LIMITS", '{"gemini": {"requests_per_minute": 100000}}')
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def clip(catalogue, tmp_path):
    with asked(catalogue, tmp_path) as clip:
        clip.service.reactions = [says(answer("A wall."))]
        yield clip
        assert not any("stream" in path for _, path in clip.service.requests)


def wait_for(clip: Asked, at_most: int = 12, **settings):
    """Come back as long as the clip is left for later."""
    for _ in range(at_most):
        if not isinstance(found := clip.ask(batch=True, **settings), Postponed):
            return found
    raise AssertionError("it waits for ever")


def result_of(found) -> ComprehensiveAIAnalysis:
    assert isinstance(found, Measured), found
    return ComprehensiveAIAnalysis.model_validate(found.document)


def is_gone(clip: Asked) -> bool:
    return not clip.service.files and set(clip.service.uploads) == set(clip.service.deleted)


def test_what_is_handed_in_is_fetched_later_for_half_the_price(clip):
    clip.service.batches.looks = 4
    handed = clip.ask(batch=True)
    assert isinstance(handed, Postponed)
    assert "gemini answers in batches, within a day" in handed.reason
    assert list(clip.service.files) == clip.service.uploads  # a batch that is out refers to it
    for _ in range(3):
        assert isinstance(clip.ask(batch=True), Postponed)
    assert list(clip.service.files) == clip.service.uploads
    found = result_of(wait_for(clip))
    assert found.summary.overall == "A wall."
    assert Decimal(str(found.cost_usd)) == PAID
    assert clip.outcomes() == [("answered", PAID)]
    assert len(clip.service.uploads) == len(clip.service.batches.made) == 1
    assert is_gone(clip)
    assert clip.service.batches.gone == [clip.service.batches.made[0].name]


def test_a_small_proxy_travels_with_the_batch(clip):
    result_of(wait_for(clip, inline_mb=1))
    assert clip.service.uploads == []
    (batch,) = clip.service.batches.made
    assert batch.request["contents"][0]["parts"][0]["inlineData"]["data"]
    assert batch.request["generationConfig"]["responseJsonSchema"]
    assert batch.request["systemInstruction"]


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "EXPIRED"])
def test_a_batch_without_an_answer_costs_nothing_and_is_handed_in_once_more(clip, state):
    clip.service.batches.endings = [f"BATCH_STATE_{state}", "BATCH_STATE_SUCCEEDED"]
    result_of(wait_for(clip))
    assert clip.outcomes() == [("failed", 0), ("answered", PAID)]
    assert is_gone(clip)


def test_a_second_batch_without_an_answer_is_told(clip):
    clip.service.batches.endings = ["BATCH_STATE_EXPIRED"]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert found.fault == "unreachable"
    assert "its batch expired after 48 hours, as the one before" in found.message
    assert clip.outcomes() == [("failed", 0)] * 2
    assert is_gone(clip)


def test_a_request_that_is_not_taken_is_the_clip_s_own_fault(clip):
    clip.service.reactions = [refuses(400, "the video is too long")]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert (found.fault, found.message) == (
        "refused",
        "gemini does not take this: 400: the video is too long",
    )
    assert clip.outcomes() == [("refused", 0)]
    assert is_gone(clip)


def test_a_request_that_failed_in_its_batch_is_handed_in_once_more(clip):
    clip.service.reactions = [refuses(13, "Internal error."), says(answer())]
    result_of(wait_for(clip))
    assert clip.outcomes() == [("failed", 0), ("answered", PAID)]


def test_a_model_that_does_not_take_the_schema_is_told_of_it_in_words(clip):
    refusal = refuses(3, "Request contains an invalid argument.")
    clip.service.reactions = [refusal, says(answer())]
    result_of(wait_for(clip))
    first, second = clip.service.questions
    assert "responseJsonSchema" in first.config
    assert "responseJsonSchema" not in second.config


def test_a_refusal_is_told_and_charged(clip):
    clip.service.reactions = [Reaction(blocked="PROHIBITED_CONTENT")]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert "PROHIBITED_CONTENT" in found.message
    assert clip.outcomes() == [("refused", PAID)]
    assert is_gone(clip)


def test_a_wrong_answer_is_repaired_by_another_batch(clip):
    clip.service.reactions = [says({"summary": "a wall"}), says(answer("Better."))]
    found = result_of(wait_for(clip))
    assert (found.summary.overall, found.calls) == ("Better.", 2)
    assert Decimal(str(found.cost_usd)) == 2 * PAID
    assert clip.outcomes() == [("invalid", PAID), ("answered", PAID)]
    assert is_gone(clip)


def test_all_windows_are_handed_in_at_once_and_the_summary_after_them(catalogue, tmp_path):
    with asked(catalogue, tmp_path, LONG) as clip:
        clip.service.reactions = [look]
        windows = {"window_s": 12, "overlap_s": 2, "inline_mb": 0}
        assert isinstance(clip.ask(batch=True, **windows), Postponed)
        assert len(clip.service.batches.made) == len(clip.service.files) == 2
        found = result_of(wait_for(clip, **windows))
        assert len(clip.service.batches.made) == found.calls == 3
        assert found.summary.overall == "The whole."
        assert clip.outcomes() == [("answered", PAID)] * 3
        assert is_gone(clip)


def test_a_batch_whose_process_was_killed_before_it_heard_of_it_is_found(clip):
    clip.service.batches.slow_s = 30
    child = multiprocessing.get_context("fork").Process(target=lambda: clip.ask(batch=True))
    child.start()
    until = time.monotonic() + 20
    while not clip.service.batches.made and time.monotonic() < until:
        time.sleep(0.05)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    clip.service.batches.slow_s = 0
    (call,) = clip.calls()
    assert (call["status"], call["batch"]) == ("waiting", None)
    result_of(wait_for(clip))
    assert len(clip.service.batches.made) == 1
    assert clip.outcomes() == [("answered", PAID)]
    assert is_gone(clip)


def test_a_batch_that_it_has_lost_may_have_been_charged(clip):
    clip.ask(batch=True)
    clip.service.batches.gone.append(clip.service.batches.made[0].name)
    result_of(wait_for(clip))
    lost, answered = clip.calls()
    assert (lost["outcome"], lost["cost_usd"]) == ("failed", lost["reserved_usd"])
    assert answered["outcome"] == "answered"


def test_a_batch_for_what_is_asked_no_more_is_cancelled(clip):
    clip.ask(batch=True)
    clip.made = "by other settings"
    result_of(wait_for(clip, fps=2))
    first, _ = clip.service.batches.made
    assert clip.service.batches.cancelled == [first.name]
    assert [call["status"] for call in clip.calls()] == ["lost", "settled"]


def test_a_batch_that_is_not_taken_leaves_nothing_there(clip):
    clip.service.batches.refuses = [(400, refuses(400, "no such thing").error)]
    found = clip.ask(batch=True)
    assert isinstance(found, Failed)
    assert clip.outcomes() == [("refused", 0)]
    assert is_gone(clip)


def test_what_is_out_about_a_clip_that_goes_is_cancelled(clip):
    clip.ask(batch=True)
    withdraw_batches(clip.catalogue, LOCAL_OWNER, [clip.checksum])
    assert clip.service.batches.cancelled == [clip.service.batches.made[0].name]


def test_times_beyond_the_clip_are_found_in_batches_too(clip):
    clip.service.reactions = [says(answer(visual={"scenes": [scene(0, 97)]}))]
    found = wait_for(clip)
    assert isinstance(found, Failed)
    assert "answered twice what cannot be used" in found.message
    assert clip.outcomes() == [("invalid", PAID)] * 2
    assert is_gone(clip)
