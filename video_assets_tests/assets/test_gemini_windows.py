"""Gemini analysis of long clips, and of workers that are told to end."""

import multiprocessing
import os
import signal
import time
from fractions import Fraction

import av
import pytest
import stamina
from pydantic import ValidationError

from video_assets.assets.describe.gemini_analysis import GeminiSettings, quote_gemini
from video_assets.clip_worker import Failed, Measured, Postponed, perform
from video_assets.progress import Progress
from video_assets.services import gemini_clip
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.services.quotes import QuoteFacts
from video_assets_tests.assets.gemini_clip import answer, asked, scene
from video_assets_tests.clips import Clip
from video_assets_tests.services.loopback_gemini import KEY, Question, refuses, says

pytest.importorskip("google.genai", reason="google-genai needs Python 3.11")

LONG = Clip(frames=150, rate=Fraction(5), gop=10, audio_tracks=1)  # 30 s, a keyframe every 2 s
PEBBLE_WAITS_S = 3.0


@pytest.fixture(autouse=True)
def _environment(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("VIDEO_ASSETS_RATE_LIMITS", '{"gemini": {"requests_per_minute": 100000}}')
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def clip(catalogue, tmp_path):
    with asked(catalogue, tmp_path, LONG) as clip:
        yield clip


def look(question: Question):
    """Tell where a window lies by what it is told; sum up what has no video."""
    if not any("fileData" in part for part in question.parts):
        return says(answer("The whole.")["summary"])
    begin = float(question.texts[0].partition("cut out of it at ")[2].split(" ")[0])
    length = float(question.texts[0].partition("Length: ")[2].split(" ")[0])
    return says(answer(f"From {begin:.0f}.", visual={"scenes": [scene(0, length, f"{begin:.0f}")]}))


def result_of(found) -> ComprehensiveAIAnalysis:
    assert isinstance(found, Measured), found
    return ComprehensiveAIAnalysis.model_validate(found.document)


def test_windows_that_would_be_asked_word_for_word_again_keep_their_result(clip):
    windows = {"window_s": 12, "overlap_s": 2}
    clip.service.reactions = [look]
    first = clip.ask(**windows)
    clip.save(first)
    asked_before = len(clip.service.questions)
    clip.keeps = True
    again = clip.ask(**windows)
    assert again.document == first.document
    assert len(clip.service.questions) == asked_before > 3
    clip.ask(window_s=20, overlap_s=2)
    assert len(clip.service.questions) > asked_before


def test_a_long_clip_is_shown_in_windows_that_are_cut_out_of_it(clip, monkeypatch):
    sent = []
    put = clip.service.put
    monkeypatch.setattr(
        clip.service,
        "put",
        lambda name, data, state: (sent.append(data), put(name, data, state))[1],
    )
    clip.service.reactions = [look]
    found = result_of(clip.ask(window_s=12, overlap_s=3))
    # Windows of 12 s at 0, 9 and 18 s; a window begins at the keyframe before.
    assert found.visual_analysis is not None
    scenes = [(each.start_time, each.end_time) for each in found.visual_analysis.scenes]
    assert scenes == [(0, 10), (10, 19.5), (19.5, 30)]
    assert found.summary.overall == "The whole."
    assert found.calls == 4
    assert found.warnings == ()
    assert len(clip.service.uploads) == len(set(clip.service.uploads)) == 3
    assert clip.service.deleted == clip.service.uploads
    lengths = []
    for number, data in enumerate(sent):
        path = clip.folder / f"{number}.mp4"
        path.write_bytes(data)
        with av.open(str(path)) as window:
            assert window.streams.audio
            lengths.append(sum(1 for _ in window.decode(video=0)) / 5)
    assert lengths == [12.0, 13.0, 12.0]


def test_windows_that_were_answered_are_not_asked_again(clip):
    broken = refuses(400, "Request contains an invalid argument.")
    clip.service.reactions = [look, look, broken]
    assert isinstance(clip.ask(window_s=12, overlap_s=3), Failed)
    assert len(clip.service.questions) == 3
    clip.service.reactions = [look]
    with clip.catalogue.transaction() as connection:  # a refusal is told once more by itself
        connection.execute("DELETE FROM ai_calls WHERE outcome = 'refused'")
    found = result_of(clip.ask(window_s=12, overlap_s=3))
    assert len(clip.service.questions) == 5
    assert found.calls == 4
    assert clip.service.files == {}


def test_without_a_summary_of_the_whole_it_is_put_together(clip):
    def sum_up(question: Question):
        return refuses(400, "no") if len(clip.service.questions) == 4 else look(question)

    clip.service.reactions = [sum_up]
    found = result_of(clip.ask(window_s=12, overlap_s=3))
    assert found.summary.overall == "From 0. From 8. From 18."
    assert found.warnings == (
        "the summary is put together from those of the windows: gemini does not take this: "
        "HTTP 400: no",
    )


def test_a_window_that_is_shown_costs_no_more_than_is_reserved(clip):
    clip.service.reactions = [look]
    clip.ask(window_s=12, overlap_s=3)
    *windows, whole = clip.calls()
    assert all(call["reserved_tokens"] > 16_384 + 12 * 290 for call in windows)
    assert whole["reserved_tokens"] < 16_384
    assert whole["reserved_tokens"] > gemini_clip.SUMMARY_TOKENS


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        pytest.param({"window_s": 20, "overlap_s": 15}, "more than half of window_s", id="overlap"),
        pytest.param({"fps": 24}, "lower window_s or fps", id="too much at once"),
    ],
)
def test_settings_that_no_window_can_keep_are_refused(settings, fault):
    with pytest.raises(ValidationError, match=fault):
        GeminiSettings(**settings)


def test_a_quote_counts_every_window_and_says_what_is_sent():
    facts = QuoteFacts(duration_s=1785.0, has_sound=True)
    quote = quote_gemini(facts, GeminiSettings(share_place=True))
    assert quote.calls == 3  # two windows that overlap by 15 s, and the summary
    assert quote.usage.audio_tokens == pytest.approx(1800 * 32, rel=0.01)
    assert quote.usage.input_tokens == pytest.approx(1800 * 300 + 3 * 4500, rel=0.02)
    assert quote.sends == (
        "the proxy's pictures and its sound",
        "what is said",
        "the place's name and coordinates",
    )
    silent = quote_gemini(QuoteFacts(60.0, has_sound=False), GeminiSettings(share_transcript=False))
    assert (silent.calls, silent.usage.audio_tokens) == (1, 0)
    assert silent.sends == ("the proxy's pictures and its sound",)


def work(task) -> None:
    """Do what a worker does."""
    perform(task, Progress())


@pytest.mark.parametrize("is_answering", [True, False])
def test_a_worker_that_is_told_to_end_closes_and_deletes_what_is_open(clip, is_answering):
    if is_answering:
        clip.service.reactions = [says(answer(), 50, wait_s=0.5)]
    else:
        clip.service.looks = 10**6
    process = multiprocessing.get_context("spawn").Process(
        target=work, args=(clip.task(window_s=900),)
    )
    process.start()
    assert process.pid is not None
    until = time.monotonic() + 60
    while not (clip.partial() if is_answering else clip.service.uploads):
        assert time.monotonic() < until
        time.sleep(0.05)
    told_at = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    process.join(30)
    assert time.monotonic() - told_at < PEBBLE_WAITS_S
    assert process.exitcode == -signal.SIGTERM
    assert clip.service.files == {}
    assert clip.service.deleted == clip.service.uploads
    assert clip.partial() == []
    calls = clip.calls()
    assert [call["outcome"] for call in calls] == (["cancelled"] if is_answering else [])
    assert all(call["cost_usd"] == call["reserved_usd"] for call in calls)
    if is_answering:
        until = time.monotonic() + 5
        while not clip.service.broken_off and time.monotonic() < until:
            time.sleep(0.05)
        assert clip.service.broken_off == 1


def test_a_worker_that_is_killed_leaves_what_the_next_one_deletes(clip):
    clip.service.reactions = [says(answer(), 50, wait_s=0.5), says(answer())]
    process = multiprocessing.get_context("spawn").Process(target=work, args=(clip.task(),))
    process.start()
    until = time.monotonic() + 60
    while not clip.partial() and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.join(30)
    (name,) = clip.service.files
    assert not isinstance(clip.ask(), Failed | Postponed)
    assert clip.service.uploads == clip.service.deleted == [name]
    assert clip.service.files == {}
