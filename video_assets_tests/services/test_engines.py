"""Engines that turn speech into text: the real loading code on tiny models, and a
service on loopback.
"""

import sys
import uuid

import numpy as np
import pytest
import stamina

from video_assets.media.errors import (
    PostponedError,
    RefusedByServiceError,
    ToolMissingError,
    UnreachableError,
)
from video_assets.redaction import redact
from video_assets.services import device, local_models
from video_assets.services.paid_model import Payment
from video_assets.services.speech_to_text import EngineSettings, load_engine
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.postgres import Postgres
from video_assets_tests.services.loopback import serve
from video_assets_tests.storage.kept import Kept

SPEECH = np.random.default_rng(3).normal(scale=0.1, size=16_000).astype(np.float32)
KEY = "not-a-real-key"
NOBODY = Payment(Billing(Postgres(""), "", "transcript", None, Caps()), beat=lambda: None)
"""Who pays for engines that run here."""


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    pytest.importorskip("transformers")
    from video_assets_tests.services.tiny_whisper import save_whisper

    return save_whisper(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def service(monkeypatch, payment):
    """A server that speaks the documented wire format; `answers` says with what."""
    monkeypatch.setenv("VIDEO_ASSETS_SPEECH_API_KEY", KEY)
    with serve() as served, stamina.set_testing(True, attempts=4):
        settings = EngineSettings(engine="openai_compatible", model="w", base_url=served.url)
        yield settings, served.answers, served.seen
    local_models._kept.pop("speech service")[1].close()


@pytest.fixture
def payment(catalogue, tmp_path):
    """Whoever pays for what is asked about a clip."""
    clip = Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage").clip(uuid.uuid4().hex)
    return Payment(Billing(catalogue, clip, "transcript", "a run", Caps()), beat=lambda: None)


def ask(settings, payment, language=None):
    engine = load_engine(settings, payment)
    assert engine is not None
    return engine.transcribe(SPEECH, language)


def test_a_tiny_model_of_transformers_answers_and_is_kept(whisper):
    settings = EngineSettings(engine="transformers", model=str(whisper), device="cpu")
    answer = ask(settings, NOBODY)
    assert answer.language in ("en", "fr")
    likelihoods = [piece.mean_log_probability for piece in answer.pieces]
    assert all(each is not None and each <= 0 for each in likelihoods)
    assert load_engine(settings, NOBODY) is load_engine(settings, NOBODY)
    assert settings.model_name == "tiny"


def test_a_tiny_model_of_faster_whisper_answers_and_is_kept(whisper, tmp_path):
    converters = pytest.importorskip("ctranslate2.converters")
    folder = tmp_path / "converted"
    converter = converters.TransformersConverter(str(whisper), copy_files=["tokenizer.json"])
    converter.convert(str(folder))
    settings = EngineSettings(engine="faster_whisper", model=str(folder), device="cpu", beam_size=1)
    answer = ask(settings, NOBODY)  # so few words are taken for an English-only model
    assert answer.language == "en"
    assert all(piece.no_speech_probability is not None for piece in answer.pieces)
    kept = local_models._kept["faster_whisper"][1]
    load_engine(settings, NOBODY)
    assert local_models._kept["faster_whisper"][1] is kept


@pytest.mark.parametrize("engine", ["transformers", "faster_whisper"])
def test_a_model_that_is_not_there_is_a_stated_fault(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = EngineSettings(engine=engine, model=str(tmp_path / "none"), device="cpu")
    with pytest.raises(ToolMissingError, match=r"none .* cannot be loaded") as fault:
        load_engine(settings, NOBODY)
    assert str(tmp_path) not in str(fault.value)


@pytest.mark.parametrize(
    ("engine", "library"), [("transformers", "torch"), ("faster_whisper", "ctranslate2")]
)
def test_the_missing_extra_is_named_with_its_cure(engine, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ToolMissingError, match=r"video-assets\[local\]"):
        load_engine(EngineSettings(engine=engine, device="cpu"), NOBODY)


def test_the_fastest_device_that_is_here_is_chosen():
    assert device._choose("auto", ["mps", "cuda", "cpu"]) == "mps"
    assert device._choose("cpu", ["cuda", "cpu"]) == "cpu"
    with pytest.raises(ToolMissingError, match="only cpu"):
        device._choose("cuda", ["cpu"])


def test_a_service_gets_the_sound_and_its_answer_is_read(service, payment):
    settings, answers, seen = service
    piece = {"id": 0, "seek": 0, "start": 0.1, "end": 0.9, "text": " Hello", "tokens": []}
    piece |= {"temperature": 0, "avg_logprob": -0.2, "compression_ratio": 1, "no_speech_prob": 0.01}
    document = {"task": "transcribe", "language": "english", "duration": 1.0, "text": "Hello"}
    answers.append((200, document | {"segments": [piece]}))
    answer = ask(settings, payment, "en")
    (path, key, body) = seen[0]
    assert (path, key) == ("/v1/audio/transcriptions", f"Bearer {KEY}")
    assert b"verbose_json" in body
    assert b"RIFF" in body
    assert [(p.start_s, p.end_s, p.text) for p in answer.pieces] == [(0.1, 0.9, "Hello")]
    assert KEY not in settings.model_dump_json()


def test_a_busy_service_is_asked_again(service, payment):
    settings, answers, seen = service
    answers += [(429, {}), (200, {"text": "Hi", "language": "en", "duration": 1.0})]
    assert [piece.text for piece in ask(settings, payment).pieces] == ["Hi"]
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (503, UnreachableError),
        (429, UnreachableError),
        (401, PostponedError),
        (400, RefusedByServiceError),
    ],
)
def test_a_refusal_says_whether_it_passes(service, payment, status, fault):
    settings, answers, _ = service
    answers.append((status, {"error": {"message": f"no, {KEY}"}}))
    with pytest.raises(fault) as refused:
        ask(settings, payment)
    assert type(refused.value) is fault
    assert KEY not in redact(str(refused.value))


def test_sound_is_paid_for_by_the_minute_and_once(service, payment, settings, monkeypatch):
    engine, answers, seen = service
    home = settings.home
    home.mkdir(parents=True)
    (home / "prices.yaml").write_text("127.0.0.1: {w: {minute: 0.6, as_of: 2026-11-30}}")
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(home))
    answers += [(200, {"text": "Hi", "language": "en", "duration": 1.0})]
    first, again = ask(engine, payment), ask(engine, payment)  # a second of sound
    assert first == again
    assert len(seen) == 1
    with payment.billing.catalogue.transaction() as connection:
        query = "SELECT cost_usd FROM ai_calls WHERE file_checksum = %s"
        rows = connection.execute(query, (payment.billing.checksum,)).fetchall()
    assert [float(row["cost_usd"]) for row in rows] == [pytest.approx(0.01)]


def test_openai_without_a_key_is_not_asked(monkeypatch):
    monkeypatch.delenv("VIDEO_ASSETS_SPEECH_API_KEY", raising=False)
    with pytest.raises(ToolMissingError, match="SPEECH_API_KEY"):
        load_engine(EngineSettings(engine="openai_compatible"), NOBODY)
