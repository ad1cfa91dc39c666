"""What a clip is about in words, cut into passages, and the vectors made of it."""

from pathlib import Path
from typing import Any

import pytest

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.assets.describe.description import Description
from video_assets.assets.index.embeddings import NOTHING_KNOWN, Embeddings, embeddings
from video_assets.assets.index.moment_embeddings import (
    NOTHING_SAID,
    MomentEmbeddings,
    moment_embeddings,
)
from video_assets.assets.index.search_texts import (
    Passage,
    SearchTexts,
    passages_of,
    search_texts,
)
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.probe import Probe
from video_assets.media.camera import FocalLength, Location, describe_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves
from video_assets.media.capture_time import CaptureTime
from video_assets.media.probe import probe_media
from video_assets.services import local_models
from video_assets.services.embedder import EmbedderSettings
from video_assets.storage.ai_calls import Billing
from video_assets.storage.postgres import Postgres
from video_assets_tests import analyses
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.services.loopback import embed, serve
from video_assets_tests.services.payer import payer

KNOWN = Camera.model_validate(
    {
        **dict(describe_camera(Tags({}), Moves())),
        "make": "Apple",
        "model": "iPhone 15 Pro",
        "lens_model": "back camera 6.86mm",
        "focal_length": FocalLength(
            value_mm=6.86, equivalent_35mm=24.0, category="WIDE", source="EXIF"
        ),
        "location": Location(
            gps_latitude=-33.8,
            gps_longitude=-70.5,
            gps_altitude=None,
            location_name="Santiago, Chile",
            is_named_by_distance=True,
        ),
        "capture": CaptureTime(
            time="2023-05-01T23:34:56-04:00",
            utc_offset_minutes=-240,
            utc_time="2023-05-02T03:34:56+00:00",
            source="QuickTime:CreationDate",
        ),
        "description": "Night  market\nwith Ana",
    }
)
UNKNOWN = Camera.model_validate(dict(describe_camera(Tags({}), Moves())))


def said(start_s: float, text: str, end_s: float | None = None) -> Segment:
    end_time = start_s + 1 if end_s is None else end_s
    return Segment(start_time=start_s, end_time=end_time, speaker=None, text=text, confidence=None)


def transcript_of(*segments: Segment) -> Transcript:
    return Transcript(
        full_text="\n".join(segment.text for segment in segments),
        segments=segments,
        word_count=1,
        language="en",
        source="subtitles",
        model=None,
        has_speech=True,
        warnings=(),
    )


@pytest.fixture(scope="module")
def probe(tmp_path_factory) -> Probe:
    path = make_clip(tmp_path_factory.mktemp("clips") / "secret name.mov", Clip(rotation=90))
    return Probe.model_validate(dict(probe_media(path)))


def tell(
    probe: Probe,
    camera: Camera | None,
    transcript: Transcript | None,
    description: Description | None = None,
) -> SearchTexts:
    made = ANALYZERS[search_texts.key.to_user_string()].function(
        probe=probe,
        color=None,
        camera=camera,
        scenes=None,
        transcript=transcript,
        description=description,
    )
    assert isinstance(made, SearchTexts)
    return made


def test_a_clip_without_ai_is_told_by_place_time_camera_and_speech(probe: Probe):
    texts = tell(probe, KNOWN, transcript_of(said(0, "Good evening"), said(1, "everybody.")))
    assert texts.summary == (
        "Night market with Ana. Filmed at: Santiago, Chile. Filmed in May 2023. "
        "Filmed with Apple iPhone 15 Pro. What is said: Good evening everybody."
    )
    assert texts.keywords == (
        "Good evening everybody. Santiago, Chile May 2023 Apple iPhone 15 Pro back camera 6.86mm "
        "WIDE Night market with Ana portrait"
    )
    assert texts.language == "en"


def test_of_what_nobody_knows_there_is_no_text(probe: Probe):
    only_when = UNKNOWN.model_copy(update={"capture": KNOWN.capture})
    for camera in (None, UNKNOWN, only_when):
        texts = tell(probe, camera, None)
        assert (texts.summary, texts.keywords, texts.passages) == ("", "", ())


def test_a_model_that_begins_with_its_make_is_named_once(probe: Probe):
    camera = UNKNOWN.model_copy(update={"make": "GoPro", "model": "GoPro Max"})
    texts = tell(probe, camera, None)
    assert (texts.summary, texts.keywords) == ("Filmed with GoPro Max", "GoPro Max portrait")


def described(**said: dict[str, Any]) -> Description:
    return Description.model_validate(analyses.description(**said))


def test_what_the_preferred_analyzer_says_goes_first(probe: Probe):
    texts = tell(probe, KNOWN, transcript_of(said(0, "Good evening")), described(**analyses.SAID))
    assert texts.summary.startswith(
        "This is travel content. Two people cross a bridge at dusk. A boat passes below. "
        "Key activities include: crossing a bridge. Filmed at: stone bridge (outdoor). Night market"
    )
    assert texts.summary.endswith("What is said: Good evening")
    assert texts.keywords.startswith(
        "Good evening stone bridge outdoor rowing boat bridge dusk river Santiago, Chile"
    )
    assert "Hikers" not in texts.model_dump_json()


def test_an_analysis_alone_is_something_to_tell(probe: Probe):
    texts = tell(probe, None, None, described(local_analysis=analyses.LOCAL))
    assert texts.summary.startswith("This is nature content. A person stands near water. ")
    assert texts.keywords == "stone bridge outdoor rowing boat water person portrait"


def test_what_an_analyzer_heard_is_found_where_there_is_no_transcript(probe: Probe):
    heard = Description(
        candidates=(), language="de", heard=(said(0, "Guten Abend"), said(9, "und gute Nacht."))
    )
    texts = tell(probe, None, None, heard)
    assert texts.summary == "What is said: Guten Abend und gute Nacht."
    assert texts.keywords.startswith("Guten Abend und gute Nacht.")
    assert [each.text for each in texts.passages] == ["Guten Abend", "und gute Nacht."]
    assert texts.language == "de"


def test_who_is_not_preferred_changes_no_text(probe: Probe):
    one = tell(probe, KNOWN, None, described(gemini_analysis=analyses.GEMINI))
    assert tell(probe, KNOWN, None, described(**analyses.SAID)) == one
    assert tell(probe, KNOWN, None, described()) == tell(probe, KNOWN, None)


def test_a_name_of_a_file_is_in_no_text(probe: Probe):
    assert "secret" not in tell(probe, KNOWN, None).model_dump_json()


def passages(*segments: Segment, cuts: tuple[float, ...] = ()) -> list[tuple[float, float, str]]:
    found = list(passages_of(segments, cuts))
    assert [passage.number for passage in found] == list(range(1, len(found) + 1))
    return [(passage.start_s, passage.end_s, passage.text) for passage in found]


def test_pieces_of_speech_are_joined_up_to_a_cut_a_pause_or_half_a_minute():
    assert passages(said(0, "a"), said(2, "b")) == [(0, 3, "a b")]
    assert passages(said(0, "a"), said(2, "b"), cuts=(1.5,)) == [(0, 1, "a"), (2, 3, "b")]
    assert passages(said(0, "a"), said(2, "b"), cuts=(0.0, 0.5, 9)) == [(0, 1, "a"), (2, 3, "b")]
    assert passages(said(0, "a"), said(6, "b")) == [(0, 1, "a"), (6, 7, "b")]
    long = [said(2 * place, str(place), 2 * place + 2) for place in range(20)]
    assert [end - start for start, end, _ in passages(*long)] == [30, 10]
    assert passages(said(0, "a", 90)) == [(0, 90, "a")]


def test_blank_pieces_and_lines_that_roll_are_left_out():
    assert passages(said(0, " "), said(1, "a\nb"), said(2, "a b"), said(3, "c")) == [
        (1, 4, "a b c")
    ]
    assert passages(said(0, "  ")) == passages() == []


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_EMBEDDING_API_KEY", "not-a-real-key")
    with serve() as served:
        served.answers.append(embed)
        yield served
    if kept := local_models._kept.pop("embedding service", None):
        kept[1].close()


def numbers(vector: str | None) -> list[float]:
    assert vector is not None
    return [float(each) for each in vector.strip("[]").split(",")]


@pytest.fixture
def billing(catalogue: Postgres, tmp_path: Path) -> Billing:
    return payer(catalogue, tmp_path).billing()


def make(texts: SearchTexts, settings: EmbedderSettings, billing: Billing) -> Embeddings:
    made = ANALYZERS[embeddings.key.to_user_string()].function(
        texts, settings, lambda share: None, billing
    )
    assert isinstance(made, Embeddings)
    return made


def make_moments(
    texts: SearchTexts, settings: EmbedderSettings, billing: Billing
) -> MomentEmbeddings:
    made = ANALYZERS[moment_embeddings.key.to_user_string()].function(
        texts, settings, lambda share: None, billing
    )
    assert isinstance(made, MomentEmbeddings)
    return made


def told(summary: str, keywords: str, *texts: str) -> SearchTexts:
    found = (
        Passage(number=place, start_s=place, end_s=place + 1, text=text)
        for place, text in enumerate(texts, start=1)
    )
    return SearchTexts(summary=summary, keywords=keywords, passages=tuple(found), language="en")


def test_both_texts_are_embedded_in_one_request_and_counted(service, billing: Billing):
    settings = EmbedderSettings(model="letters", base_url=service.url)
    made = make(told("aab", "b b"), settings, billing)
    assert len(service.seen) == 1
    assert numbers(made.summary_vector)[:3] == pytest.approx([2 / 5**0.5, 1 / 5**0.5, 0], abs=1e-4)
    assert numbers(made.keyword_vector)[:2] == [0, 1]
    assert len(numbers(made.keyword_vector)) == 1024
    assert (made.model, made.token_count, made.original_token_count) == ("letters", 3, 3)
    assert made.embedded_content == made.original_content == "Summary: aab\nKeywords: b b"
    assert made.truncation_method == "summary:none, keyword:none"


def test_what_was_cut_away_is_told(service, billing: Billing):
    settings = EmbedderSettings(model="letters", base_url=service.url, token_limit=16)
    text = f"{'a' * 50}. {'b' * 100}."
    made = make(told(text, "c"), settings, billing)
    assert made.truncation_method == "summary:sentence_boundary, keyword:none"
    assert made.embedded_content == f"Summary: {'a' * 50}.\nKeywords: c"
    assert made.original_content == f"Summary: {text}\nKeywords: c"
    assert made.original_token_count > made.token_count


def test_an_empty_text_gets_no_vector_and_an_empty_clip_asks_nobody(service, billing: Billing):
    settings = EmbedderSettings(model="letters", base_url=service.url)
    half = make(told("", "c"), settings, billing)
    assert (half.summary_vector, half.skipped) == (None, None)
    assert numbers(half.keyword_vector)[2] == 1
    service.seen.clear()
    assert make(told("", ""), settings, billing).skipped == NOTHING_KNOWN
    assert make_moments(told("a", "a"), settings, billing).skipped == NOTHING_SAID
    assert service.seen == []


def test_every_passage_has_a_vector_and_the_clip_their_mean(service, billing: Billing):
    settings = EmbedderSettings(model="letters", base_url=service.url)
    made = make_moments(told("", "", "aa", "b"), settings, billing)
    assert [each.number for each in made.vectors] == [1, 2]
    assert numbers(made.vectors[0].vector)[:2] == [1, 0]
    assert numbers(made.mean_vector)[:2] == pytest.approx([0.5**0.5, 0.5**0.5], abs=1e-4)
    assert made.token_count == 2
