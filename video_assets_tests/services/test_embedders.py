"""Models that turn text into vectors: the real loading code on a tiny one, a service on loopback,
and texts that are too long.
"""

import json
import sys

import numpy as np
import pytest

from video_assets.media.errors import MediaError, ToolMissingError, UnreachableError
from video_assets.services import local_models, openai_client
from video_assets.services.embedder import EmbedderSettings, fit, load_embedder
from video_assets.services.tokens import EstimatedTokens, load_tokens
from video_assets.services.truncation import cut_to_fit, truncate
from video_assets.services.vectors import DIMENSIONS, written
from video_assets_tests.planted_keys import KEYS, plant
from video_assets_tests.services.loopback import embed, serve

KEY = KEYS["VIDEO_ASSETS_EMBEDDING_API_KEY"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    pytest.importorskip("transformers")
    from video_assets_tests.services.tiny_bert import save_bert

    return save_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture
def service(monkeypatch):
    plant(monkeypatch)
    monkeypatch.setattr(openai_client, "RETRIES", 1)
    with serve() as served:
        yield served
    local_models._kept.pop("embedding service")[1].close()


def settings_of(served, **more) -> EmbedderSettings:
    return EmbedderSettings(model="letters", base_url=served.url, **more)


def test_vectors_are_as_long_as_one_and_end_in_zeros():
    found = fit([[3.0, 4.0], [0.0, -2.0]], 2)
    assert found.shape == (2, DIMENSIONS)
    assert found[:, :2].tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, -1.0]]
    assert not found[:, 2:].any()
    assert written(found[0][:3]) == "[0.6,0.8,0]"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([[0.0, 0.0]], id="no direction"),
        pytest.param([[float("nan"), 1.0]], id="no number"),
        pytest.param([[1.0]] * 2, id="one too many"),
        pytest.param([], id="none"),
        pytest.param([[]], id="empty"),
        pytest.param([[1.0] * (DIMENSIONS + 1)], id="too long"),
    ],
)
def test_what_is_no_vector_is_refused(found):
    with pytest.raises(ToolMissingError):
        fit(found, 1)


def test_texts_of_different_lengths_of_vectors_are_refused():
    with pytest.raises(ToolMissingError):
        fit([[1.0], [1.0, 2.0]], 2)


def test_a_service_gets_all_texts_at_once_and_its_order_is_kept(service):
    service.answers.append(embed)
    embedded = load_embedder(settings_of(service)).embed(["aab", "ccc b"])
    ((path, key, body),) = service.seen
    assert (path, key) == ("/v1/embeddings", f"Bearer {KEY}")
    asked = {"input": ["aab", "ccc b"], "model": "letters", "encoding_format": "float"}
    assert json.loads(body) == asked
    assert embedded.vectors[0, :3].tolist() == pytest.approx([2 / 5**0.5, 1 / 5**0.5, 0])
    assert embedded.vectors[1, :3].tolist() == pytest.approx([0, 1 / 10**0.5, 3 / 10**0.5])
    assert embedded.tokens == 3


def test_many_texts_are_several_requests(service):
    service.answers.append(embed)
    embedded = load_embedder(settings_of(service)).embed(["a"] * 65)
    assert [len(json.loads(body)["input"]) for _, _, body in service.seen] == [64, 1]
    assert embedded.vectors.shape == (65, DIMENSIONS)


def test_fewer_dimensions_are_asked_for_and_are_another_model(service):
    service.answers.append(embed)
    settings = settings_of(service, dimensions=26)
    load_embedder(settings).embed(["a"])
    assert json.loads(service.seen[0][2])["dimensions"] == 26
    assert settings.model_name == "letters@26"


def test_a_busy_service_is_asked_again(service):
    service.answers += [(429, {}), embed]
    assert load_embedder(settings_of(service)).embed(["a"]).vectors.shape == (1, DIMENSIONS)
    assert len(service.seen) == 2


@pytest.mark.parametrize(
    ("status", "fault"),
    [(503, UnreachableError), (429, UnreachableError), (401, ToolMissingError), (400, MediaError)],
)
def test_a_refusal_says_whether_it_passes(service, status, fault):
    service.answers.append((status, {"error": {"message": f"no, {KEY}"}}))
    with pytest.raises(MediaError, match="embedding service") as refused:
        load_embedder(settings_of(service)).embed(["a"])
    assert type(refused.value) is fault
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "variable"),
    [
        ("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    ],
)
def test_a_missing_key_is_named_and_each_goes_to_its_own_host(url, variable, monkeypatch):
    for name in ("DEEPINFRA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ToolMissingError, match=variable):
        load_embedder(EmbedderSettings(base_url=url))
    monkeypatch.setenv(variable, KEY)
    load_embedder(EmbedderSettings(base_url=url))
    with serve() as other:
        other.answers.append(embed)
        load_embedder(settings_of(other)).embed(["a"])
    assert other.seen[0][1] == "Bearer none"
    local_models._kept.pop("embedding service")[1].close()


def test_of_two_clients_the_earlier_is_closed():
    about = openai_client.Service("embedding service", "text", "KEY")
    first, second = (about.open("http://127.0.0.1:9/v1", None, each) for each in (1.0, 2.0))
    assert (first.is_closed(), second.is_closed()) == (True, False)
    local_models._kept.pop("embedding service")[1].close()


def test_a_tiny_model_of_transformers_answers_and_is_kept(tiny):
    settings = EmbedderSettings(engine="transformers", model=str(tiny), device="cpu")
    embedder = load_embedder(settings)
    alone = embedder.embed(["a bridge at night"])
    beside = embedder.embed(["a bridge at night", "a boat " * 20])
    assert np.linalg.norm(alone.vectors, axis=1) == pytest.approx([1.0], abs=1e-5)
    assert alone.vectors[0] == pytest.approx(beside.vectors[0], abs=1e-5)
    assert alone.tokens == 6  # with the two that mark begin and end
    assert load_embedder(settings) is embedder
    assert settings.model_name == "tiny-bert"


def test_a_model_s_own_pooling_is_used(tiny, tmp_path):
    import shutil

    other = tmp_path / "first-token"
    shutil.copytree(tiny, other)
    (other / "1_Pooling").mkdir()
    (other / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    mean, first = (
        load_embedder(EmbedderSettings(engine="transformers", model=str(model), device="cpu"))
        .embed(["a bridge"])
        .vectors
        for model in (tiny, other)
    )
    assert not np.allclose(mean, first, atol=1e-3)


def test_a_text_longer_than_the_model_is_cut_by_its_own_tokens(tiny):
    settings = EmbedderSettings(engine="transformers", model=str(tiny), device="cpu")
    embedder = load_embedder(settings)
    assert embedder.longest == 62  # of 64 positions, two mark begin and end
    (cut,) = cut_to_fit(["boat " * 200], embedder)
    assert (cut.original_tokens, cut.method) == (200, "token_boundary")
    assert cut.tokens <= embedder.longest
    assert embedder.embed([cut.text]).tokens == cut.tokens + 2


def test_a_model_that_is_not_there_is_a_stated_fault(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = EmbedderSettings(engine="transformers", model=str(tmp_path / "none"), device="cpu")
    with pytest.raises(ToolMissingError, match=r"none .* cannot be loaded") as fault:
        load_embedder(settings)
    assert str(tmp_path) not in str(fault.value)


def test_the_missing_extra_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ToolMissingError, match=r"video-assets\[local\]"):
        load_embedder(EmbedderSettings(engine="transformers", device="cpu"))


def test_without_a_tokenizer_bytes_are_counted(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    tokens = load_tokens("a model without a tokenizer")
    assert not tokens.is_exact
    assert len(tokens.ends("four letters")) == 3
    assert len(tokens.ends("東京東京")) == 3


SENTENCES = "One two three. Four five six. Seven eight nine."


def test_what_fits_stays_as_it_is():
    cut = truncate(SENTENCES, 100, EstimatedTokens())
    assert (cut.text, cut.method, cut.tokens) == (SENTENCES, "none", cut.original_tokens)


def test_whole_sentences_are_kept_while_they_fit(tiny):
    cut = truncate(SENTENCES, 9, load_tokens(str(tiny)))
    assert (cut.text, cut.method) == ("One two three. Four five six.", "sentence_boundary")
    assert (cut.tokens, cut.original_tokens) == (8, 12)


def test_a_first_sentence_that_is_too_long_is_cut_where_a_token_ends(tiny):
    cut = truncate("bridge " * 30 + ". boat", 10, load_tokens(str(tiny)))
    assert cut.method == "token_boundary"
    assert cut.text.endswith("bridge...")
    assert cut.tokens <= 10


@pytest.mark.parametrize("text", ["語" * 10_000, "x" * 20_000, "\U0001f3a5" * 5_000])
def test_a_script_without_sentences_is_cut_too(text):
    cut = truncate(text, 3500, EstimatedTokens())
    assert cut.method == "character_boundary"
    assert 3000 < cut.tokens <= 3500 < cut.original_tokens
    assert cut.text.endswith("...")


def test_by_an_estimate_a_sentence_near_the_cut_is_kept():
    cut = truncate("x" * 300 + ". " + "y" * 300, 100, EstimatedTokens())
    assert (cut.text, cut.method) == ("x" * 300 + ".", "sentence_boundary")
    far = truncate("x" * 100 + ". " + "y" * 500, 100, EstimatedTokens())
    assert far.method == "character_boundary"
    assert far.tokens <= 100
