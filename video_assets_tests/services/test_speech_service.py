"""A speech service on loopback that speaks the documented wire format, and fails in every way."""

import base64
import io
import time
import wave
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from email.parser import BytesParser
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stamina

from video_assets.media.errors import (
    PostponedError,
    RefusedByServiceError,
    ToolMissingError,
    UnreachableError,
)
from video_assets.services import local_models
from video_assets.services.openai_engine import SpeechService, open_service
from video_assets.services.outgoing import LOCAL_ONLY
from video_assets.services.paid_call import PaidModel
from video_assets.services.paid_model import Payment
from video_assets.services.prices import Price
from video_assets.services.speech_to_text import (
    LONGEST_REQUEST_S,
    RATE,
    EngineSettings,
    SpeechFormat,
    load_engine,
)
from video_assets.services.transcription import transcribe
from video_assets.services.wav import as_wav
from video_assets.settings import RateLimit
from video_assets.storage.ai_calls import Billing
from video_assets.storage.postgres import Postgres
from video_assets_tests.planted_keys import KEYS, plant
from video_assets_tests.services.loopback import Service, serve
from video_assets_tests.services.payer import Payer, payer

KEY = KEYS["VIDEO_ASSETS_SPEECH_API_KEY"]
SPEECH = np.random.default_rng(3).normal(scale=0.1, size=60 * RATE).astype(np.float32)
A_MINUTE = Price(minute=Decimal("0.6"), as_of=date(2026, 11, 1))
SEGMENT = {
    "id": 0,
    "seek": 0,
    "start": 0.5,
    "end": 2.5,
    "text": " Hello there",
    "tokens": [1, 2],
    "temperature": 0.0,
    "avg_logprob": -0.2,
    "compression_ratio": 1.1,
    "no_speech_prob": 0.01,
}
VERBOSE = {
    "task": "transcribe",
    "language": "english",
    "duration": 60.0,
    "text": "Hello there",
    "segments": [SEGMENT],
    "usage": {"type": "duration", "seconds": 60},
}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    plant(monkeypatch)
    with serve() as service:
        yield service
    if kept := local_models._kept.pop("speech service", None):
        kept[1].close()


@pytest.fixture
def paying(catalogue: Postgres, tmp_path: Path) -> Payer:
    paying = payer(catalogue, tmp_path)
    paying.forget_pauses()
    return paying


@pytest.fixture
def hasty() -> Iterator[None]:
    """Try again without waiting."""
    with stamina.set_testing(True, attempts=4):
        yield


def engine(
    served: Service,
    paying: Payer,
    format: SpeechFormat = "verbose_json",
    *,
    model: str = "whisper-1",
    timeout_s: float = 30,
) -> SpeechService:
    """The real client of the service, which charges for a minute of sound."""
    settings = EngineSettings(
        engine="openai_compatible", model=model, base_url=served.url, timeout_s=timeout_s
    )
    opened = open_service(settings, payment(paying.billing()))
    limit = RateLimit(requests_per_minute=10_000)
    paid = PaidModel(
        "p", model, str(served.url), A_MINUTE, limit, paying.billing(), lambda: None, True
    )
    return SpeechService(opened._client, paid, opened._errors, format)


def payment(billing: Billing) -> Payment:
    return Payment(billing, lambda: None)


def form(body: bytes) -> dict[str, list[Any]]:
    """Read a multipart form as a server does."""
    boundary = body[2 : body.index(b"\r\n")].decode()
    head = f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
    fields: dict[str, list[Any]] = {}
    for part in BytesParser().parsebytes(head + body).get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        value = part.get_payload(decode=True)  # type: ignore[union-attr]
        is_file = part.get_filename() is not None  # type: ignore[union-attr]
        fields.setdefault(str(name), []).append(value if is_file else value.decode())  # type: ignore[union-attr]
    return fields


def outcomes(paying: Payer) -> list[tuple[str, str | None, Decimal]]:
    return [(call["status"], call["outcome"], call["cost_usd"]) for call in paying.calls()]


def test_verbose_json_gives_times_and_likelihoods(served: Service, paying: Payer):
    served.answers.append((200, VERBOSE))
    answer = engine(served, paying).transcribe(SPEECH, "en")
    ((path, key, body),) = served.seen
    assert (path, key) == ("/v1/audio/transcriptions", f"Bearer {KEY}")
    fields = form(body)
    (sound,) = fields.pop("file")
    assert fields == {
        "model": ["whisper-1"],
        "language": ["en"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["segment"],
    }
    with wave.open(io.BytesIO(sound)) as file:
        form_of_sound = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        assert (form_of_sound, file.getnframes()) == ((RATE, 1, 2), len(SPEECH))
    (heard,) = answer.pieces
    assert (heard.start_s, heard.end_s, heard.text) == (0.5, 2.5, "Hello there")
    assert (heard.mean_log_probability, heard.no_speech_probability) == (-0.2, 0.01)
    assert (answer.language, heard.speaker) == ("english", None)
    assert outcomes(paying) == [("settled", "answered", Decimal("0.6"))]
    assert paying.calls()[0]["prices_as_of"] == date(2026, 11, 1)


def test_json_of_newer_models_gives_one_text_and_how_sure_it_is(served: Service, paying: Payer):
    usage = {"type": "tokens", "input_tokens": 600, "output_tokens": 9, "total_tokens": 609}
    usage["input_token_details"] = {"audio_tokens": 598, "text_tokens": 2}
    logprobs = [{"token": "Hi", "logprob": -0.1}, {"token": "!", "logprob": -0.3}]
    served.answers.append((200, {"text": "Hi!", "logprobs": logprobs, "usage": usage}))
    model = "gpt-4o-transcribe"
    answer = engine(served, paying, "json", model=model).transcribe(SPEECH, None)
    fields = form(served.seen[0][2])
    assert {name: fields[name] for name in fields if name != "file"} == {
        "model": [model],
        "response_format": ["json"],
        "include[]": ["logprobs"],
    }
    (heard,) = answer.pieces
    assert (heard.start_s, heard.end_s, heard.text) == (0, 60, "Hi!")
    assert heard.mean_log_probability == pytest.approx(-0.2)
    (call,) = paying.calls()
    assert (call["input_tokens"], call["output_tokens"]) == (600, 9)


def test_the_newest_model_says_languages_by_their_codes(served: Service, paying: Payer):
    served.answers.append((200, {"text": "Grüezi", "languages": [{"code": "de"}]}))
    answer = engine(served, paying, "json", model="gpt-transcribe").transcribe(SPEECH, None)
    assert (answer.language, "include[]" in form(served.seen[0][2])) == ("de", False)


@pytest.mark.parametrize(
    ("model", "format"),
    [
        ("whisper-1", "verbose_json"),
        ("Systran/faster-whisper-small", "verbose_json"),
        ("gpt-4o-mini-transcribe-2025-12-15", "json"),
        ("gpt-transcribe", "json"),
        ("gpt-4o-transcribe-diarize", "diarized_json"),
    ],
)
def test_a_model_is_asked_for_the_form_that_it_knows(model: str, format: SpeechFormat):
    assert EngineSettings(model=model).format == format
    assert EngineSettings(model=model, response_format="json").format == "json"


def spoken(*pieces: tuple[str, float, float, str]) -> tuple[int, Any]:
    segments = [
        {
            "id": f"seg_{number}",
            "type": "transcript.text.segment",
            "speaker": speaker,
            "start": start,
            "end": end,
            "text": text,
        }
        for number, (speaker, start, end, text) in enumerate(pieces)
    ]
    text = " ".join(each[3] for each in pieces)
    return 200, {"task": "transcribe", "duration": 60.0, "text": text, "segments": segments}


def test_a_voice_has_one_name_through_all_requests(served: Service, paying: Payer):
    served.answers += [
        spoken(
            ("A", 0, 3, "one"), ("B", 3, 4, "short"), ("A", 5, 25, "longer"), ("B", 30, 34, "b")
        ),
        spoken(("A", 0, 3, "new"), ("speaker 2", 3, 9, "again"), ("B", 9, 10, "other")),
    ]
    service = engine(served, paying, "diarized_json", model="gpt-4o-transcribe-diarize")
    first, second = (service.transcribe(SPEECH, None) for _ in range(2))
    assert [p.speaker for p in first.pieces] == ["speaker 1", "speaker 2", "speaker 1", "speaker 2"]
    assert [p.speaker for p in second.pieces] == ["speaker 3", "speaker 2", "speaker 4"]
    asked, again = (form(body) for _, _, body in served.seen)
    assert (asked["chunking_strategy"], asked["response_format"]) == (["auto"], ["diarized_json"])
    assert "timestamp_granularities[]" not in asked
    assert again["known_speaker_names[]"] == ["speaker 1", "speaker 2"]
    lengths = []
    for url in again["known_speaker_references[]"]:
        kind, _, data = url.partition(",")
        assert kind == "data:audio/wav;base64"
        with wave.open(io.BytesIO(base64.b64decode(data))) as file:
            lengths.append(file.getnframes() / RATE)
    assert lengths == [10, 4]  # the documented form: 2 to 10 s of each


def test_the_longest_request_fits_into_an_upload():
    for longest_s in LONGEST_REQUEST_S.values():
        assert len(as_wav(np.zeros(int(longest_s * RATE), np.float32))) < 25_000_000 - 10_000


def test_pieces_of_chunks_lie_exactly_on_the_clips_clock(served: Service, paying: Payer):
    late = SEGMENT | {"start": 4.5, "end": 99.0, "text": "clamped"}
    beyond = SEGMENT | {"start": 7000.0, "end": 7001.0, "text": "beyond"}
    served.answers.append((200, VERBOSE | {"segments": [SEGMENT, late, beyond]}))
    ranges = ((10.0, 15.0), (40.0, 45.0))
    found = transcribe(engine(served, paying), SPEECH, 3.0, ranges, "en", lambda _: None)
    assert [(said.start_s, said.end_s, said.text) for said in found.said] == [
        (10.5, 12.5, "Hello there"),
        (14.5, 15.0, "clamped"),
        (40.5, 42.5, "Hello there"),
        (44.5, 45.0, "clamped"),
    ]
    assert found.refused == 2
    for (_, _, body), begin in zip(served.seen, (10, 40), strict=True):
        (sound,) = form(body)["file"]
        exact = SPEECH[(begin - 3) * RATE : (begin + 2) * RATE]
        assert sound == as_wav(exact)


def test_an_answer_that_was_paid_for_is_not_paid_for_twice(served: Service, paying: Payer):
    served.answers.append((200, VERBOSE))
    first = engine(served, paying).transcribe(SPEECH, "en")
    assert engine(served, paying).transcribe(SPEECH, "en") == first
    assert (len(served.seen), len(paying.calls())) == (1, 1)
    engine(served, paying).transcribe(SPEECH, "de")
    assert len(served.seen) == 2


def test_what_exceeds_a_cap_is_not_sent(served: Service, paying: Payer):
    service = engine(served, paying)
    settings = EngineSettings(engine="openai_compatible", model="whisper-1", base_url=served.url)
    assert load_engine(settings, payment(paying.billing())) is not None
    service._paid.__dict__["billing"] = paying.billing(day=Decimal("0.5"))
    with pytest.raises(PostponedError, match="day"):
        service.transcribe(SPEECH, None)
    assert (served.seen, paying.calls()) == ([], [])


BUSY = (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}})


@pytest.mark.usefixtures("hasty")
def test_busy_without_retry_after_is_asked_again(served: Service, paying: Payer):
    served.answers += [BUSY, BUSY, (200, VERBOSE)]
    assert engine(served, paying).transcribe(SPEECH, None).pieces
    assert [outcome for _, outcome, _ in outcomes(paying)] == [
        "rate_limited",
        "rate_limited",
        "answered",
    ]
    assert sum(cost for _, _, cost in outcomes(paying)) == Decimal("0.6")


def in_a_second() -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize("wait", [lambda: "1", in_a_second])
def test_retry_after_is_waited_for(
    served: Service, paying: Payer, wait: Callable[[], str], replace_here
):
    pauses: list[float] = []
    replace_here(time, "sleep", pauses.append)
    until = time.time() + 1
    served.answers += [(*BUSY, {"Retry-After": wait()}), (200, VERBOSE)]
    engine(served, paying).transcribe(SPEECH, None)
    (pause,) = pauses
    assert until - time.time() <= pause <= 2


def test_a_long_retry_after_leaves_the_service_alone_so_long(served: Service, paying: Payer):
    served.answers.append((*BUSY, {"Retry-After": "7200"}))
    with pytest.raises(PostponedError, match="slow down") as postponed:
        engine(served, paying).transcribe(SPEECH, None)
    assert postponed.value.until is not None
    wait = postponed.value.until - datetime.now(timezone.utc)
    assert timedelta(hours=1.9) < wait < timedelta(hours=2.1)
    with pytest.raises(PostponedError):  # for everybody, and nothing is sent
        engine(served, paying).transcribe(SPEECH, None)
    assert len(served.seen) == 1
    assert outcomes(paying) == [("settled", "rate_limited", Decimal(0))]


def slowly(_: bytes) -> tuple[int, Any]:
    time.sleep(1)
    return 200, VERBOSE


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("answer", "said", "usd"),
    [
        pytest.param((500, {"error": {"message": "oops"}}), "HTTP 500: oops", "0", id="500"),
        pytest.param((502, b"<html>"), "HTTP 502", "0", id="502"),
        pytest.param(slowly, "in time", "0.6", id="slow"),
        pytest.param((200, None), "RemoteProtocol", "0.6", id="cut off"),
        pytest.param((200, b'{"text": "Hel'), "no JSON", "0.6", id="invalid JSON"),
        pytest.param((200, b"Hello there"), "no JSON", "0.6", id="plain text"),
    ],
)
def test_a_broken_service_is_asked_a_few_times_and_what_may_be_charged_counts(
    served: Service, paying: Payer, answer: Any, said: str, usd: str
):
    served.answers.append(answer)
    # What comes at once may take a busy machine longer.
    timeout_s = 0.3 if answer is slowly else 30
    with pytest.raises(UnreachableError, match=said):
        engine(served, paying, timeout_s=timeout_s).transcribe(SPEECH, None)
    assert outcomes(paying) == [("settled", "failed", Decimal(usd))] * 4
    assert [said in call["error"] for call in paying.calls()] == [True] * 4


def test_nobody_there_costs_nothing(served: Service, paying: Payer):
    service = engine(served, paying)
    service._client.base_url = "http://127.0.0.1:9/v1"
    with pytest.raises(PostponedError, match="no server answers"):
        service.transcribe(SPEECH, None)
    assert {cost for _, _, cost in outcomes(paying)} == {Decimal(0)}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param([], "the answer", id="list"),
        pytest.param({"words": []}, "text", id="no text"),
        pytest.param({"text": "a", "segments": [{"start": "soon"}]}, "segments.0.start", id="time"),
        pytest.param(VERBOSE | {"segments": [SEGMENT | {"end": None}]}, "segments.0.end", id="end"),
    ],
)
def test_another_shape_is_kept_and_not_asked_for_again(
    served: Service, paying: Payer, document: Any, said: str
):
    served.answers.append((200, document))
    for _ in range(2):
        with pytest.raises(RefusedByServiceError, match=said):
            engine(served, paying).transcribe(SPEECH, None)
    (call,) = paying.calls()
    assert (call["outcome"], call["cost_usd"], call["answer"]) == (
        "invalid",
        Decimal("0.6"),
        document,
    )
    assert len(served.seen) == 1


def test_a_server_that_writes_no_numbers_is_read(served: Service, paying: Payer):
    said = b'{"text": "a", "segments": [{"start": 0, "end": 1, "text": "a", "avg_logprob": NaN}]}'
    served.answers.append((200, said))
    (heard,) = engine(served, paying).transcribe(SPEECH, None).pieces
    assert heard.mean_log_probability is None


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (400, {"message": "the file is too short"}, "does not take this"),
        (413, {"message": "25 MB at most"}, "does not take this"),
        (400, {"message": "no", "code": "content_policy_violation"}, "does not take this"),
    ],
)
def test_a_refusal_is_of_this_clip_alone(
    served: Service, paying: Payer, status: int, error: Any, said: str
):
    served.answers.append((status, {"error": error}))
    with pytest.raises(RefusedByServiceError, match=said):
        engine(served, paying).transcribe(SPEECH, None)
    assert outcomes(paying) == [("settled", "refused", Decimal(0))]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, {"message": f"Incorrect API key provided: {KEY}"}),
        (404, {"message": "no such model"}),
        (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}),
    ],
)
def test_a_fault_of_the_account_leaves_the_service_alone(
    served: Service, paying: Payer, status: int, error: Any
):
    served.answers.append((status, {"error": error}))
    with pytest.raises(PostponedError) as postponed:
        engine(served, paying).transcribe(SPEECH, None)
    assert (len(served.seen), postponed.value.until is None) == (1, False)
    (call,) = paying.calls()
    assert KEY not in str(call)


def test_a_clip_that_is_local_only_is_heard_only_here(
    served: Service, paying: Payer, tmp_path: Path
):
    served.answers.append((200, VERBOSE))
    kept = paying.billing(local_only=(tmp_path,))
    near = EngineSettings(engine="openai_compatible", model="whisper-1", base_url=served.url)
    assert open_service(near, payment(kept)).transcribe(SPEECH, None).pieces
    far = near.model_copy(update={"base_url": "https://api.openai.com/v1"})
    with pytest.raises(PostponedError, match=LOCAL_ONLY):
        open_service(far, payment(kept)).transcribe(SPEECH, None)
    assert len(paying.calls()) == 1


def test_openai_is_not_asked_without_a_key(paying: Payer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("VIDEO_ASSETS_SPEECH_API_KEY", raising=False)
    with pytest.raises(ToolMissingError, match="SPEECH_API_KEY"):
        open_service(EngineSettings(model="whisper-1"), payment(paying.billing()))
