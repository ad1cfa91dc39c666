"""Local analysis: any server of the chat protocol, free on this machine and paid elsewhere."""

import socket
import time
from decimal import Decimal

import pytest
import stamina

from video_assets import redaction
from video_assets.assets.describe.local_analysis import LocalSettings, quote_local
from video_assets.clip_worker import Failed, Measured, Postponed
from video_assets.media.errors import ToolMissingError
from video_assets.services import chat, local_models, partial_answer
from video_assets.services.analysis import ClipAnalysis
from video_assets.services.prices import provider_of
from video_assets.services.quotes import QuoteFacts
from video_assets_tests.assets.analyzed import Analyzed
from video_assets_tests.services import answers
from video_assets_tests.services.loopback_chat import (
    breaks_off,
    ends_early,
    errs_in_the_middle,
    fails,
    is_silent,
    refuses,
    says,
    serve_chat,
)

MODEL = "qwen2.5vl:7b"
KEY = "local-key-that-is-not-real-0123456789"
GOOD = says(answers.text(answers.WHOLE))
HOST = "ai.example"
PRICES = f"""
{HOST}:
  {MODEL}: {{input: 3, output: 15, as_of: 2026-01-01}}
"""


@pytest.fixture
def server():
    chat._taken.clear()
    with serve_chat() as served, stamina.set_testing(True, attempts=4):  # no pauses
        served.acts = [GOOD]
        yield served
    if kept := local_models._kept.pop("chat", None):
        kept[1].close()


@pytest.fixture
def clip(server, catalogue, tmp_path):
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM private.ai_pauses")
    return Analyzed.of("local_analysis", catalogue, tmp_path, base_url=server.url)


@pytest.fixture
def elsewhere(catalogue, tmp_path, monkeypatch):
    """A server whose name is not this machine's, with a price."""
    look_up = socket.getaddrinfo
    names = {HOST: "127.0.0.1"}
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: look_up(names.get(host, host), *rest, **more),
    )
    chat._taken.clear()
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("VIDEO_ASSETS_LOCAL_AI_API_KEY", KEY)
    redaction.protect(())  # the environment is read anew, as at the start of a worker
    (tmp_path / "prices.yaml").write_text(PRICES)
    with serve_chat() as served, stamina.set_testing(True, attempts=4):
        served.acts = [GOOD]
        url = served.url.replace("127.0.0.1", HOST)
        yield served, Analyzed.of("local_analysis", catalogue, tmp_path, base_url=url)
    if kept := local_models._kept.pop("chat", None):
        kept[1].close()


def test_a_model_on_this_machine_answers_for_nothing(clip, server):
    found = clip.ask()
    assert isinstance(found, Measured)
    assert ClipAnalysis.model_validate(
        {name: found.document[name] for name in ClipAnalysis.model_fields}
    ) == ClipAnalysis.model_validate(answers.WHOLE)
    (usage,) = server.charged
    assert clip.calls("status, outcome, provider, model, cost_usd, prices_as_of") == [
        ("settled", "answered", "127.0.0.1", MODEL, 0, None)
    ]
    assert clip.calls("input_tokens, output_tokens") == [
        (usage["prompt_tokens"], usage["completion_tokens"])
    ]
    assert found.document["cost_usd"] == 0


def test_it_is_shown_small_frames_with_their_times_and_told_the_shape(clip, server):
    clip.ask(max_frames=2, longest_px=160)
    (call,) = server.calls
    system, user = call.body["messages"]
    assert '"content_tags":["text' in system["content"]
    kinds = [part["type"] for part in user["content"]]
    assert kinds == ["text", "image_url", "text"]
    assert user["content"][0]["text"] == "Frame at 1.00 s:"
    assert "Hello there." in user["content"][-1]["text"]
    assert call.body["max_tokens"] == 4096
    assert call.headers["authorization"] == "Bearer none"
    assert "S3CR3T" not in str(call.body)


@pytest.mark.parametrize(
    ("forms", "asked"),
    [
        pytest.param(("json_schema", "json_object", "text"), ["json_schema"], id="Ollama"),
        pytest.param(("json_schema", "text"), ["json_schema"], id="LM Studio"),
        pytest.param(("json_object", "text"), ["json_schema", "json_object"], id="older ones"),
        pytest.param(("text",), ["json_schema", "json_object", "text"], id="none"),
    ],
)
def test_the_best_form_that_a_server_takes_is_found_and_remembered(clip, server, forms, asked):
    server.forms = forms
    assert isinstance(clip.ask(), Measured)
    assert [call.form for call in server.calls] == asked
    assert isinstance(clip.ask(share_transcript=False), Measured)
    assert [call.form for call in server.calls] == [*asked, asked[-1]]
    assert len(clip.calls("id")) == 2  # looking for it is no call of its own


@pytest.mark.parametrize(
    "text",
    [
        "```json\n{}\n```",
        "Here it is:\n{}\nI hope that helps.",
        '<think>Perhaps {{"a": 1}}?</think>\n{}',
    ],
    ids=["fence", "chatter", "thoughts"],
)
def test_an_answer_is_found_in_what_is_written_around_it(clip, server, text):
    server.acts = [
        says(
            text.replace("{{", "{").replace("}}", "}").replace("{}", "%s")
            % answers.text(answers.WHOLE)
        )
    ]
    assert isinstance(clip.ask(), Measured)


def test_a_server_that_does_not_count_is_taken_for_one_that_needs_many(clip, server):
    server.tells_usage = False
    found = clip.ask()
    assert isinstance(found, Measured)
    assert found.document["input_tokens"] > server.charged[0]["prompt_tokens"]


def test_a_server_that_is_not_there_is_left_alone_and_named(clip, server):
    found = clip.ask(base_url="http://127.0.0.1:9/v1")
    assert isinstance(found, Postponed)
    assert "no server answers at http://127.0.0.1:9/v1; start it or check base_url" in found.reason
    assert found.until is not None
    assert clip.calls("outcome, cost_usd") == [("failed", 0)]  # it is not asked again and again


def test_a_model_that_is_not_there_is_told_with_those_that_are(clip, server):
    found = clip.ask(model="llava-v1.6")
    assert isinstance(found, Postponed)
    assert "it has no model llava-v1.6" in found.reason
    assert "llava:v1.6, qwen2.5vl:7b" in found.reason
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        pytest.param(fails(429), "rate_limited", id="429"),
        pytest.param(fails(429, retry_after="2"), "rate_limited", id="429 in 2 s"),
        pytest.param(fails(503, "loading model"), "rate_limited", id="503"),
        pytest.param(fails(500), "failed", id="500"),
        pytest.param(breaks_off('{"summary"'), "failed", id="cut"),
        pytest.param(ends_early('{"summary"'), "failed", id="ended early"),
        pytest.param(errs_in_the_middle, "failed", id="error in the middle"),
    ],
)
def test_what_passes_is_asked_again(clip, server, act, outcome):
    server.acts = [act, GOOD]
    assert isinstance(clip.ask(), Measured)
    assert [row[0] for row in clip.calls("outcome")] == [outcome, "answered"]


def test_a_server_that_says_nothing_is_given_up(clip, server):
    server.acts = [is_silent(30)]
    began = time.monotonic()
    found = clip.ask(timeout_s=0.2)
    assert isinstance(found, Failed)
    assert "does not answer in time" in found.message
    assert time.monotonic() - began < 30


def test_an_answer_that_takes_too_long_is_given_up(clip, server):
    server.acts = [says(answers.text(answers.WHOLE), pause_s=0.2)]
    with stamina.set_testing(True, attempts=1):
        found = clip.ask(timeout_s=2)  # of a busy machine no piece takes as long
    assert isinstance(found, Failed)
    assert "its answer takes longer than 2 s" in found.message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("I see grey blocks.", "no JSON", id="no JSON"),
        pytest.param('{"colour": "grey"}', "summary: Field required", id="another shape"),
        pytest.param(answers.text(answers.late(65.0)), "the clip lasts 2.00 s", id="late"),
    ],
)
def test_an_answer_that_cannot_be_used_is_repaired_once(clip, server, text, complaint):
    server.acts = [says(text), GOOD]
    found = clip.ask()
    assert isinstance(found, Measured)
    assert found.document["calls"] == 2
    assert complaint in server.calls[1].body["messages"][1]["content"][-1]["text"]
    assert [row[0] for row in clip.calls("outcome")] == ["invalid", "answered"]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        pytest.param(refuses("I cannot help with that."), "declines: I cannot help", id="refusal"),
        pytest.param(says("", reason="content_filter"), "its content filter forbids", id="filter"),
        pytest.param(says('{"a"', reason="length"), "raise max_output_tokens", id="too long"),
    ],
)
def test_a_refusal_is_told_and_not_asked_for_again(clip, server, act, said):
    server.acts = [act]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert found.fault == "refused"
    assert said in found.message
    assert len(server.calls) == 1
    assert [row[0] for row in clip.calls("outcome")] == ["refused"]


def test_a_request_that_no_form_makes_good_is_the_clip_s_own_fault(clip, server):
    server.acts = [fails(400, "the context is 4096 tokens long")]
    found = clip.ask()
    assert isinstance(found, Failed)
    assert "the context is 4096 tokens long" in found.message
    assert [call.form for call in server.calls] == ["json_schema", "json_object", "text"]
    assert chat._taken == {}


def test_nothing_is_left_of_parts_of_an_answer_that_broke_off(clip, server, monkeypatch):
    monkeypatch.setattr(partial_answer, "EVERY_S", 0.0)
    server.acts = [breaks_off(answers.text(answers.WHOLE)[:300])]
    shown = []
    hide = partial_answer.PartialAnswer.show
    monkeypatch.setattr(
        partial_answer.PartialAnswer,
        "show",
        lambda self, text: (hide(self, text), shown.append(clip.shown())),
    )
    assert isinstance(clip.ask(), Failed)
    assert any(rows and rows[0][1]["overall"] for rows in shown if rows and rows[0][1])
    assert clip.shown() == []


def test_a_server_elsewhere_costs_what_the_own_table_says(elsewhere):
    server, clip = elsewhere
    found = clip.ask()
    assert isinstance(found, Measured)
    (usage,) = server.charged
    usd = Decimal(usage["prompt_tokens"] * 3 + usage["completion_tokens"] * 15) / 1_000_000
    assert clip.calls("cost_usd, prices_as_of::text") == [(usd, "2026-01-01")]
    assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert clip.calls("reserved_usd > cost_usd") == [(True,)]


def test_a_server_elsewhere_without_a_price_is_not_asked(elsewhere):
    server, clip = elsewhere
    found = clip.ask(model="llava:v1.6")
    assert isinstance(found, Failed)
    assert "no price is known of ai.example/llava:v1.6" in found.message
    assert server.calls == []


def test_the_key_of_a_server_is_nowhere(elsewhere, caplog):
    caplog.set_level("DEBUG")
    server, clip = elsewhere
    for frames, act in enumerate((GOOD, fails(401, f"bad {KEY}"), fails(500, KEY)), start=1):
        server.acts = [act]
        assert KEY not in repr(clip.ask(max_frames=frames, longest_px=100 * (frames + 1)))
    with clip.catalogue.transaction() as connection:
        for table in ("ai_calls", "private.ai_pauses"):
            rows = connection.execute(f"SELECT t::text AS row FROM {table} AS t".encode())  # noqa: S608
            assert all(KEY not in row["row"] for row in rows.fetchall())
    assert KEY not in caplog.text


def test_openai_itself_needs_its_own_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert provider_of("https://api.openai.com/v1") == "openai"
    with pytest.raises(ToolMissingError, match="OPENAI_API_KEY"):
        chat.key_of("https://api.openai.com/v1")


def test_a_quote_says_how_it_comes_to_its_figure():
    settings = LocalSettings()
    quote = quote_local(QuoteFacts(duration_s=60, has_sound=False), settings)
    assert (quote.provider, quote.base_url) == ("127.0.0.1", settings.base_url)
    assert quote.sends == ()
    far = LocalSettings(base_url="https://ai.example/v1", share_transcript=False)
    assert quote_local(QuoteFacts(60, True), far).sends == ("frames of the proxy",)
    assert "8 frames of 324 tokens" in quote.assumes
