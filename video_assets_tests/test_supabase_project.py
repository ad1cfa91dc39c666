"""Settings of a Supabase project: every name they go by, and what is refused."""

import base64
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from video_assets.settings import Settings, SettingsError, load_settings

PUBLISHABLE = "sb_publishable_" + "p" * 22
SECRET = "sb_secret_" + "s" * 22


def token(role: str) -> str:
    """An unsigned JSON web token of a role."""
    parts = [{"alg": "HS256"}, {"role": role}]
    coded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts]
    return ".".join([*(each.rstrip("=") for each in coded), "c2lnbmVk"])


def shown(key: SecretStr | None) -> str | None:
    return key.get_secret_value() if key else None


def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "SUPABASE_PUBLISHABLE_KEY",
        "VIDEO_ASSETS_SUPABASE_PUBLISHABLE_KEY",
        "SUPABASE_ANON_KEY",
        "SUPABASE_KEY",
    ],
)
@pytest.mark.parametrize("key", [PUBLISHABLE, token("anon")], ids=["new", "legacy"])
def test_the_publishable_key_has_many_names(tmp_path, monkeypatch, name, key):
    settings = load(tmp_path, monkeypatch, **{name: f"{key}\n"})
    assert shown(settings.supabase_publishable_key) == key


@pytest.mark.parametrize(
    "name",
    [
        "SUPABASE_SECRET_KEY",
        "VIDEO_ASSETS_SUPABASE_SECRET_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_SERVICE_KEY",
    ],
)
@pytest.mark.parametrize("key", [SECRET, token("service_role")], ids=["new", "legacy"])
def test_the_secret_key_has_many_names_and_is_never_shown(tmp_path, monkeypatch, name, key):
    settings = load(tmp_path, monkeypatch, **{name: key})
    assert shown(settings.supabase_secret_key) == key
    assert key in settings.secrets
    assert key not in repr(settings)


def test_the_new_name_wins_over_the_old_one(tmp_path, monkeypatch):
    settings = load(
        tmp_path, monkeypatch, SUPABASE_ANON_KEY=token("anon"), SUPABASE_PUBLISHABLE_KEY=PUBLISHABLE
    )
    assert shown(settings.supabase_publishable_key) == PUBLISHABLE


def test_lines_of_the_file_name_a_project(tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(
        f'supabase_url = "https://abc.supabase.co/"\nsupabase_publishable_key = "{PUBLISHABLE}"\n'
    )
    settings = load_settings(tmp_path)
    assert settings.supabase_url == "https://abc.supabase.co"
    assert settings.supabase_publishable_key
    monkeypatch.setenv("SUPABASE_URL", "https://other.supabase.co")
    assert load_settings(tmp_path).supabase_url == "https://other.supabase.co"


@pytest.mark.parametrize("name", ["SUPABASE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"])
@pytest.mark.parametrize("key", [SECRET, token("service_role")], ids=["new", "legacy"])
def test_a_secret_key_is_never_given_out_as_publishable(tmp_path, monkeypatch, name, key):
    with pytest.raises(SettingsError, match="this is a secret key") as told:
        load(tmp_path, monkeypatch, **{name: key})
    assert key not in str(told.value)
    assert name in str(told.value)


@pytest.mark.parametrize("key", [PUBLISHABLE, token("anon")], ids=["new", "legacy"])
def test_a_publishable_key_is_no_secret_key(tmp_path, monkeypatch, key):
    with pytest.raises(SettingsError, match="this is a publishable key"):
        load(tmp_path, monkeypatch, SUPABASE_SECRET_KEY=key)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        pytest.param(token("authenticated"), "a person's token", id="the token of a session"),
        pytest.param("sbp_" + "a" * 40, "token of the Supabase CLI", id="an access token"),
        pytest.param("two words", "no key looks like this", id="a slip of the clipboard"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path, monkeypatch, key, told):
    for name in ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY"):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SettingsError, match=told):
            load(tmp_path, patch, **{name: key})


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://abc.supabase.co", "https://abc.supabase.co"),
        (" https://ABC.supabase.co/ ", "https://abc.supabase.co"),
        ("http://127.0.0.1:54321", "http://127.0.0.1:54321"),
        ("http://[::1]:54321/", "http://[::1]:54321"),
        ("http://kong:8000", "http://kong:8000"),
        ("http://192.168.1.5:8000", "http://192.168.1.5:8000"),
    ],
)
def test_an_address_is_read(tmp_path, monkeypatch, url, read):
    assert load(tmp_path, monkeypatch, SUPABASE_URL=url).supabase_url == read


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("abc.supabase.co", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("https://abc.supabase.co:port", "no address"),
        ("postgresql://postgres:hunter22@db/x", "which SUPABASE_DB_URL takes"),
        ("https://me:hunter22@abc.supabase.co", "leave the name and the password out"),
        ("https://abc.supabase.co/rest/v1", "write https://abc.supabase.co"),
        ("https://supabase.com/dashboard/project/abc/api", "write https://abc.supabase.co"),
        ("http://abc.supabase.co", "over http://"),
        ("http://8.8.8.8", "over http://"),
    ],
)
def test_what_is_no_address_of_a_project_is_refused(tmp_path, monkeypatch, url, told):
    with pytest.raises(SettingsError, match="SUPABASE_URL") as error:
        load(tmp_path, monkeypatch, SUPABASE_URL=url)
    assert told in str(error.value)
    assert "hunter22" not in str(error.value)
