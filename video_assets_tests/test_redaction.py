"""Redaction: whatever an error quotes, the secret in it stays inside."""

import base64
import json
from urllib.parse import quote

import pytest

from video_assets.redaction import hide_known, protect, redact, redact_all

HIDDEN = "tr0ub4dor&3"


@pytest.mark.parametrize(
    "text",
    [
        f"connection to postgresql://postgres:{HIDDEN}@127.0.0.1:5432/catalogue failed",
        f"postgresql+psycopg2://user:a/b@{HIDDEN}@host/db",
        f'connection failed: "host=db password={HIDDEN} dbname=x"',
        f"password='{HIDDEN}' is wrong",
        f"Authorization: Bearer {HIDDEN.replace('&', '-')}",
        f"headers={{'authorization': 'Basic {HIDDEN}'}}",
        f"{{'api_key': '{HIDDEN}', 'model': 'whisper-1'}}",
        f'{{"api_key": "{HIDDEN}"}}',
        f"SOME_SERVICE_TOKEN={HIDDEN}",
        f"GET https://api.example.org/v1?model=x&key={HIDDEN}",
        f"https://hooks.example.org/services/T0/B0/{HIDDEN}",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str):
    hidden = redact(text)
    assert "tr0ub4dor" not in hidden
    assert "***" in hidden


@pytest.mark.parametrize(
    "token",
    [
        "sk-proj-abcdefghijklmnop",
        "AIzaSyAbcdefghijklmnopqrstuvwx",
        "eyJhbGciOi.eyJzdWIi.s-g",
    ],
)
def test_a_key_is_known_by_its_form(token: str):
    assert token not in redact(f"401: the key {token} is not valid")


@pytest.mark.parametrize(
    "name",
    [
        "VIDEO_ASSETS_SPEECH_API_KEY",
        "VIDEO_ASSETS_NOTIFY__WEBHOOK",
        "SUPABASE_DB_URL",
        "SUPABASE_ANON_KEY",
        "ANTHROPIC_API_KEY",
    ],
)
def test_the_value_of_a_secret_variable_is_hidden_in_any_guise(
    monkeypatch: pytest.MonkeyPatch, name: str
):
    value = 'a "quoted" v\\lue'
    written = [base64.b64encode(f"{each}{value}:x".encode()).decode() for each in ("", "a", "ab")]
    monkeypatch.setenv(name, value)
    protect([])
    for said in (value, repr(value), json.dumps(value), quote(value), {"deep": [value]}):
        assert "quoted" not in str(redact_all(said)), said
        assert "quoted" not in str(hide_known(said)), said
    for said in written:
        assert len(redact(said)) < len(said) - 12, said
    monkeypatch.delenv(name)
    protect([])


def test_what_a_model_says_is_only_freed_of_what_is_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", HIDDEN)
    protect([])
    said = {"text": f"the password: sesame and {HIDDEN}", "n": 1}
    assert hide_known(said) == {"text": "the password: sesame and ***", "n": 1}
    monkeypatch.delenv("OPENAI_API_KEY")
    protect([])
    assert hide_known(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "A001_C003.mov: no frame decodes; copy it from the card again",
        "stream 0 of 2: token count 55, the password is wrong",
        "https://example.org/a@b and 12:30 x@y",
        "basic information about key=value pairs",
    ],
)
def test_ordinary_words_stay(text: str):
    assert redact(text) == text
