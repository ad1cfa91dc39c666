"""`video-assets doctor` says what leaves this machine, to whom, and what that step lacks."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from video_assets_tests.commands import at_home, run_here
from video_assets_tests.planted_keys import KEYS, found_in, plant

# Loading Dagster's resources warns of what its next release has to replace.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PRESET = """
name: sending
extends: default
steps:
  - name: transcript
    params: {{engine: openai_compatible, model: whisper-1, base_url: "{address}"}}
  - name: embeddings
    enabled: true
  - name: moment_embeddings
    enabled: true
    params: {{engine: transformers}}
"""


def examine(home: Path) -> dict[str, Any]:
    with at_home(home):
        said = run_here("doctor", "--json").stdout
        shown = run_here("doctor").stdout
    assert found_in(said + shown) == set()
    return {each["name"]: each for each in json.loads(said)}


def prepare(home: Path, address: str, settings: str = "") -> Path:
    (home / "presets").mkdir(parents=True)
    (home / "presets" / "sending.yaml").write_text(PRESET.format(address=address))
    (home / "settings.toml").write_text(f'preset = "sending"\n{settings}')
    return home


def test_each_step_that_asks_a_service_is_told_with_all_that_it_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant(monkeypatch)
    home = prepare(tmp_path, "https://speech.example.org/v1")
    found = examine(home)
    heard = found["transcript"]["leaves"]
    assert (heard["host"], heard["sends"]) == (
        "speech.example.org",
        ["sound in which somebody speaks"],
    )
    assert heard["keeps"] == ["coordinates", "serial numbers", "file names and paths"]
    assert (heard["has_key"], heard["key"]) == (True, "VIDEO_ASSETS_SPEECH_API_KEY")
    assert (heard["faults"], found["transcript"]["state"]) == ([], "good")
    embedded = found["embeddings"]["leaves"]
    assert embedded["host"] == "api.deepinfra.com"
    assert "what is said" in embedded["sends"]
    assert "moment_embeddings" not in found
    assert "nothing of a clip" not in json.dumps(found)


def test_a_key_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    found = examine(prepare(tmp_path, "https://api.openai.com/v1"))
    assert found["transcript"]["cost"] == "no key: set VIDEO_ASSETS_SPEECH_API_KEY"
    assert found["embeddings"]["cost"] == "no key: set DEEPINFRA_API_KEY"
    assert found["embeddings"]["state"] == "note"


def test_a_server_here_is_looked_for_and_nothing_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        home = prepare(tmp_path, address)
        found = examine(home)["transcript"]
        assert (found["leaves"]["stays_here"], found["cost"]) == (True, "")
    gone = examine(home)["transcript"]
    assert gone["cost"] == f"no server answers at {address}: start it"


def test_the_default_preset_sends_nothing(tmp_path: Path):
    home = tmp_path / "home"
    (tmp_path / "private").mkdir()
    home.mkdir()
    folders = [str(tmp_path / "private"), "/no/such/drive"]
    (home / "settings.toml").write_text(
        f'[privacy]\nlocal_only = {json.dumps(folders)}\n[notify]\nwebhook = "https://a.org/x/y"\n'
    )
    with at_home(home):
        found = json.loads(run_here("doctor", "--json").stdout)
    said = [each["found"] for each in found]
    assert "nothing of a clip, by the enabled steps" in said
    assert "names of clips that fail, and why, are told to a.org" in said
    assert {each["found"]: each["state"] for each in found if each["name"] == "Local only"} == {
        f"{tmp_path}/private: its clips go to no service elsewhere": "good",
        "/no/such/drive is not there now": "note",
    }
    off = next(each for each in found if each["name"] == "embeddings")
    assert (off["state"], off["leaves"]["is_on"]) == ("note", False)
