"""Engines that turn speech into text here: the real loading code on tiny models."""

import sys
from typing import Any

import numpy as np
import pytest

from video_assets.media.errors import ToolMissingError
from video_assets.services import device, local_models
from video_assets.services.speech_to_text import EngineSettings, load_engine

SPEECH = np.random.default_rng(3).normal(scale=0.1, size=16_000).astype(np.float32)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    pytest.importorskip("transformers")
    from video_assets_tests.services.tiny_whisper import save_whisper

    return save_whisper(tmp_path_factory.mktemp("models") / "tiny")


def load(settings):
    nobody: Any = None  # pays for what is heard here
    return load_engine(settings, nobody)


def ask(settings, language=None):
    engine = load(settings)
    assert engine is not None
    return engine.transcribe(SPEECH, language)


def test_a_tiny_model_of_transformers_answers_and_is_kept(whisper):
    settings = EngineSettings(engine="transformers", model=str(whisper), device="cpu")
    answer = ask(settings)
    assert answer.language in ("en", "fr")
    likelihoods = [piece.mean_log_probability for piece in answer.pieces]
    assert all(each is not None and each <= 0 for each in likelihoods)
    assert load(settings) is load(settings)
    assert settings.model_name == "tiny"


def test_a_tiny_model_of_faster_whisper_answers_and_is_kept(whisper, tmp_path):
    converters = pytest.importorskip("ctranslate2.converters")
    folder = tmp_path / "converted"
    converter = converters.TransformersConverter(str(whisper), copy_files=["tokenizer.json"])
    converter.convert(str(folder))
    settings = EngineSettings(engine="faster_whisper", model=str(folder), device="cpu", beam_size=1)
    answer = ask(settings)  # so few words are taken for an English-only model
    assert answer.language == "en"
    assert all(piece.no_speech_probability is not None for piece in answer.pieces)
    kept = local_models._kept["faster_whisper"][1]
    load(settings)
    assert local_models._kept["faster_whisper"][1] is kept


@pytest.mark.parametrize("engine", ["transformers", "faster_whisper"])
def test_a_model_that_is_not_there_is_a_stated_fault(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = EngineSettings(engine=engine, model=str(tmp_path / "none"), device="cpu")
    with pytest.raises(ToolMissingError, match=r"none .* cannot be loaded") as fault:
        load(settings)
    assert str(tmp_path) not in str(fault.value)


@pytest.mark.parametrize(
    ("engine", "library"), [("transformers", "torch"), ("faster_whisper", "ctranslate2")]
)
def test_the_missing_extra_is_named_with_its_cure(engine, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ToolMissingError, match=r"video-assets\[local\]"):
        load(EngineSettings(engine=engine, device="cpu"))


def test_the_fastest_device_that_is_here_is_chosen():
    assert device._choose("auto", ["mps", "cuda", "cpu"]) == "mps"
    assert device._choose("cpu", ["cuda", "cpu"]) == "cpu"
    with pytest.raises(ToolMissingError, match="only cpu"):
        device._choose("cuda", ["cpu"])
