"""Sound and transcript of clips: times, tracks, silence, subtitles, and engines that fail."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from video_assets.assets.analyze.transcript import (
    TranscriptSettings,
    count_words,
    find_text_on_silence,
    make_transcript,
)
from video_assets.assets.derive.audio_track import (
    AudioTrackFile,
    AudioTrackSettings,
    make_audio_track,
)
from video_assets.assets.measure.probe import Probe
from video_assets.media.audio_chunks import LONGEST_S, gather
from video_assets.media.audio_file import load_sound
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.media.subtitles import Cue, decode_text, plain_text, read_document, tidy
from video_assets.progress import Progress
from video_assets.services.made_up import believed, is_made_up
from video_assets.services.speech_to_text import Answer, Heard
from video_assets.services.transcription import transcribe
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.clips import Clip, make_clip, voice
from video_assets_tests.test_manifest import MEDIA, missing

CHECKSUM = "d" * 64


def hear(path: Path, store: Path, **settings) -> tuple[Probe, AudioTrackFile, ArtifactFolder]:
    probe = Probe.model_validate(dict(probe_media(path)))
    folder = ArtifactFolder.of(store, CHECKSUM, "audio_track")
    track = make_audio_track(
        Source(CHECKSUM, path), probe, AudioTrackSettings(**settings), folder, Progress()
    )
    return probe, track, folder


def write_down(path: Path, store: Path, **settings):
    probe, track, folder = hear(path, store)
    nobody: Any = None  # none of these asks a service
    return make_transcript(
        Source(CHECKSUM, path),
        probe,
        track,
        TranscriptSettings(**settings),
        folder,
        Progress(),
        nobody,
    )


class Echo:
    """An engine that says the same of everything, and counts how often it is asked."""

    longest_s = LONGEST_S

    def __init__(self, *pieces: Heard) -> None:
        self.pieces = pieces
        self.heard_s: list[float] = []

    def transcribe(self, speech, language):
        self.heard_s.append(len(speech) / 16_000)
        return Answer(self.pieces, language or "english")


def test_a_clip_without_sound_has_a_track_that_says_so(tmp_path):
    _, track, folder = hear(make_clip(tmp_path / "a.mp4"), tmp_path / "store")
    assert (track.file, track.duration_s, track.has_sound) == (None, 0, False)
    assert not folder.path.exists()


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_the_file_holds_the_sound_at_16_khz_in_mono(tmp_path, format):
    path = make_clip(tmp_path / "a.mov", Clip(audio_tracks=1))
    _, track, folder = hear(path, tmp_path / "store", format=format)
    assert track.file is not None
    sound = load_sound(folder.upstream(track.file))
    assert (len(sound) / 16_000, track.start_s) == (pytest.approx(2, abs=0.01), 0)
    assert np.abs(sound).max() == pytest.approx(8000 / 32768, abs=0.01)
    peak = np.argmax(np.abs(np.fft.rfft(sound))) / (len(sound) / 16_000)
    assert peak == pytest.approx(440, abs=1)
    assert (track.has_sound, track.speech_ranges) == (True, ())


def test_a_made_voice_is_taken_for_speech_and_a_tone_is_not(tmp_path):
    _, track, _ = hear(make_clip(tmp_path / "a.mov", Clip(audio_tracks=1, sound=voice)), tmp_path)
    ((begin, end),) = track.speech_ranges
    assert (begin, end) == (pytest.approx(0, abs=0.1), pytest.approx(2, abs=0.1))


def test_nobody_speaking_asks_no_engine(tmp_path):
    path = make_clip(tmp_path / "a.mp4", Clip(audio_tracks=1))
    found = write_down(path, tmp_path / "store", engine="faster_whisper", model="/nowhere")
    assert (found.full_text, found.has_speech, found.source) == ("", False, None)


def test_subtitles_in_the_file_are_the_transcript(tmp_path):
    path = make_clip(tmp_path / "a.mkv", Clip(subtitles=["<i>Hello</i> there", "Other"]))
    found = write_down(path, tmp_path / "store")
    assert (found.full_text, found.word_count, found.source) == ("Hello there", 2, "subtitles")
    assert (found.segments[0].start_time, found.segments[0].end_time) == (0.1, 1.0)
    assert found.has_speech is None


def test_a_file_beside_the_clip_is_read_only_when_the_preset_says_so(tmp_path):
    path = make_clip(tmp_path / "a.mp4")
    (tmp_path / "a.en.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nBeside\n")
    assert write_down(path, tmp_path / "s").full_text == ""
    found = write_down(path, tmp_path / "s", sidecar=True)
    assert (found.full_text, found.language, found.source) == ("Beside", "en", "sidecar")


def test_pieces_lie_on_the_clips_clock():
    engine = Echo(Heard(0.5, 99.0, "words", -0.1))
    sound = np.zeros(100 * 16_000, np.float32)
    found = transcribe(engine, sound, 2.0, ((10.0, 12.0), (50.0, 51.0)), None, Progress())
    assert [(s.start_s, s.end_s) for s in found.said] == [(10.5, 12.0), (50.5, 51.0)]
    assert engine.heard_s == [2.0, 1.0]
    assert (found.language, found.said[0].confidence) == ("en", 0.9048)


def test_long_speech_is_cut_into_chunks_that_cover_it():
    sound = np.random.default_rng(1).normal(size=100 * 16_000).astype(np.float32)
    sound[25 * 16_000 : 26 * 16_000] = 0
    assert gather([(0.0, 90.0)], sound, 0.0, 90.0) == [(0.0, 90.0)]
    assert gather([(0.0, 1.0), (9.0, 10.0), (18.1, 19.0)], sound, 0.0) == [(0, 10), (18.1, 19)]
    chunks = gather([(0.0, 90.0)], sound, 0.0)
    assert all(end - begin <= LONGEST_S for begin, end in chunks)
    assert [begin for begin, _ in chunks[1:]] == [end for _, end in chunks[:-1]]
    assert 25 <= chunks[0][1] <= 26
    assert (chunks[0][0], chunks[-1][1]) == (0.0, 90.0)


@pytest.mark.parametrize(
    "piece",
    [Heard(0, 1, "Thank you. " * 30, -0.1), Heard(0, 1, "Thanks for watching", -1.4, 0.9)],
)
def test_what_a_model_makes_up_is_left_out(piece):
    assert is_made_up(piece)
    engine = Echo(piece, Heard(1, 2, "Real words", -0.2, 0.01))
    found = transcribe(engine, np.zeros(32_000, np.float32), 0, ((0, 2),), "en", Progress())
    assert ([s.text for s in found.said], found.refused) == (["Real words"], 1)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(Heard(4.0, 5.0, "Hello"), id="where nobody speaks"),
        pytest.param(Heard(20.0, 21.0, "Hello"), id="behind the sound"),
        pytest.param(Heard(-3.0, -1.0, "Hello"), id="before the sound"),
        pytest.param(Heard(0.0, 1.0, "Hello", compression=2.9), id="as the engine says"),
        pytest.param(Heard(0.0, 1.0, "Thank you for watching!"), id="farewell of unknown worth"),
        pytest.param(Heard(0.0, 1.0, "Vielen Dank fürs Zuschauen.", -0.8, 0.4), id="unsure"),
        pytest.param(
            Heard(0.0, 1.0, "Subtitles by the Amara.org community", -0.1, 0.0), id="credit"
        ),
        pytest.param(
            Heard(0.0, 1.0, "Субтитры сделал DimaTorzok", -0.1, 0.0), id="credit in Russian"
        ),
        pytest.param(Heard(0.0, 1.0, "ご視聴ありがとうございました"), id="in Japanese"),
        pytest.param(Heard(0.0, 1.0, "Don\u2019t forget to like and subscribe."), id="subscribe"),
    ],
)
def test_what_nobody_said_is_left_out(piece):
    real = Heard(1.0, 2.0, "Real words", -0.2)
    assert believed([piece, real], [(0.0, 2.0), (9.0, 10.0)], 10.0) == [real]


@pytest.mark.parametrize(
    "piece",
    [
        Heard(0.0, 1.0, "Thank you for watching!", -0.1, 0.01),
        Heard(0.0, 1.0, "I thank you for watching the children so well", -0.9),
        Heard(1.5, 3.0, "ends after the voice"),
        Heard(0.0, 10.0, "without times of its own"),
        Heard(0.0, 0.0, "of no length"),
        Heard(0.0, 1.0, "subtitles are off", -0.3),
    ],
)
def test_what_somebody_may_have_said_stays(piece):
    assert believed([piece], [(0.0, 2.0), (9.0, 10.0)], 10.0) == [piece]


def test_a_loop_is_said_once():
    said = [
        Heard(number, number + 1, text)
        for number, text in enumerate(["no", "no", "no", "go", "go"])
    ]
    kept = believed(said, [(0, 9)], 9)
    assert [(piece.start_s, piece.text) for piece in kept] == [(0, "no"), (3, "go"), (4, "go")]


def test_text_on_silence_is_named(tmp_path):
    found = write_down(make_clip(tmp_path / "a.mp4"), tmp_path / "s")
    assert find_text_on_silence(found) is None
    made_up = found.model_copy(
        update={"full_text": "Hi", "word_count": 1, "source": "transformers"}
    )
    assert "no voice" in (find_text_on_silence(made_up) or "")
    subtitled = made_up.model_copy(update={"source": "subtitles"})
    assert find_text_on_silence(subtitled) is None


@pytest.mark.parametrize(
    ("text", "words"), [("", 0), ("Don't stop-gap: 3.5!", 3), ("你好 world", 3), ("… - ♪", 0)]
)
def test_words_are_counted_in_every_script(text, words):
    assert count_words(text) == words


def test_marks_are_dropped_and_signs_kept():
    assert plain_text("{\\an8}<b>A</b> &amp; <font color='red'>B</font> <3\\NC") == "A & B <3 C"


def test_cues_shown_twice_are_one():
    cues = [Cue(1, 2, "a"), Cue(2.05, 3, "a"), Cue(0, 5, "b"), Cue(4, 4, "")]
    assert tidy(cues) == [Cue(0, 5, "b"), Cue(1, 3, "a")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_usual_encoding_is_read(encoding):
    assert decode_text("Größe: 5 €".encode(encoding)) == "Größe: 5 €"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".srt", "1\n00:00:01,000 --> 00:00:02,000\nHi\n"),
        (".vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"),
        (
            ".ass",
            "[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Layer, Start, End, Style, "
            "Name, MarginL, MarginR, MarginV, Effect, Text\n"
            "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}Hi\n",
        ),
    ],
)
def test_every_format_of_text_is_read(suffix, text):
    assert read_document(text.encode(), suffix) == [Cue(1.0, 2.0, "Hi")]


@pytest.mark.parametrize("url", ["ftp://a", "https://me:secret@host/v1", "https://h/v1?key=1"])
def test_an_address_holds_no_secret(url):
    with pytest.raises(ValueError, match="SPEECH_API_KEY"):
        TranscriptSettings(base_url=url)


TRUE_TEXT = {
    "srt_subs.mkv": ("This is the first subtitle.", "en"),
    "nasa_2video_2audio_2subs.mp4": ("NAR: This is the optical and science segment", "en"),
}
SILENT = ("silent_black_10s.mp4", "long_363s_black_1080p.mp4", "people_counting_139s.mp4")


@missing
@pytest.mark.parametrize("name", TRUE_TEXT)
def test_real_subtitles_are_read(tmp_path, name):
    found = write_down(MEDIA / name, tmp_path)
    text, language = TRUE_TEXT[name]
    assert (found.full_text.startswith(text), found.language) == (True, language)


@missing
@pytest.mark.parametrize("name", SILENT)
def test_real_silence_stays_silent(tmp_path, name):
    found = write_down(MEDIA / name, tmp_path, engine="transformers", model="/nowhere")
    assert (found.full_text, bool(found.has_speech)) == ("", False)


@missing
def test_real_speech_is_heard_where_it_is(tmp_path):
    found = write_down(MEDIA / "derived_speech_in_video_jfk.mp4", tmp_path)
    assert (found.has_speech, found.full_text, len(found.warnings)) == (True, "", 1)
