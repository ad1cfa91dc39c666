"""No key gets anywhere: an ingest whose services quote the keys back at it in every way."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from video_assets.storage.embedded import CATALOGUE, DAGSTER, EmbeddedServer
from video_assets_tests.clips import Clip, make_clip, voice
from video_assets_tests.commands import command, environment
from video_assets_tests.planted_keys import (
    FORMS,
    KEYS,
    forms_of,
    found_below,
    found_in,
    found_in_database,
)
from video_assets_tests.servers import remove_server
from video_assets_tests.services.loopback import Answer, Service, serve

# From the file alone, so that no process finds it in its environment.
IN_FILE = "VIDEO_ASSETS_SPEECH_API_KEY"
HEARD = {"text": "Hello", "segments": [{"start": 0.0, "end": 1.0, "text": "Hello"}]}


def quoting(status: int, key: str) -> tuple[int, object]:
    """Refuse, and quote a key in every form."""
    header = base64.b64encode(f"user:{key}".encode()).decode()
    url = f"https://api.example.org/v1?model=x&key={quote(key, safe='')}"
    said = f"Incorrect API key provided: {key} at {url} with Authorization: Basic {header}"
    return status, {"error": {"message": said, "code": "invalid"}}


PRESET = """
name: leaky
steps:
  - {{category: measure, name: probe, queue: metadata}}
  - {{category: derive, name: audio_track}}
  - category: analyze
    name: transcript
    queue: ai_analysis
    params: {{engine: openai_compatible, model: whisper-1, base_url: "{speech}"}}
  - {{category: index, name: search_texts}}
  - category: index
    name: embeddings
    queue: embeddings
    params: {{model: letters, base_url: "{texts}"}}
  - {{category: index, name: video_document}}
worker_config: {{default: 1, metadata: 1, ai_analysis: 1, embeddings: 1}}
"""


class House:
    """A home whose commands hold the keys."""

    def __init__(self, home: Path) -> None:
        self.home = home
        held = {name: key for name, key in KEYS.items() if name != IN_FILE}
        limits = '{"127.0.0.1": {"requests_per_minute": 6000}}'
        self.environment = environment(home) | held | {"VIDEO_ASSETS_RATE_LIMITS": limits}

    def furnish(self, speech: Service, texts: Service, webhook: Service) -> None:
        """Write the settings and the preset."""
        (self.home / "presets").mkdir(parents=True)
        preset = PRESET.format(speech=speech.url, texts=texts.url)
        (self.home / "presets" / "leaky.yaml").write_text(preset)
        hook = f"{webhook.url}/{quote(KEYS['OPENAI_API_KEY'], safe='')}"
        (self.home / "settings.toml").write_text(
            f"speech_api_key = {json.dumps(KEYS[IN_FILE])}\n\n"
            f"[notify]\nwebhook = {json.dumps(hook)}\n"
        )

    def say(self, *arguments: str | Path) -> str:
        """Run a command, and give all that it says."""
        done = subprocess.run(
            command(*arguments),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    yield house
    remove_server(EmbeddedServer(house.home))


COMMANDS = (
    ("status",),
    ("status", "--json"),
    ("failures",),
    ("failures", "--json"),
    ("doctor", "--json"),
    ("runs", "report"),
    ("list",),
    ("info", "0.mov", "--json"),
    ("stale", "--json"),
)


def test_no_key_is_found_after_an_ingest_that_fails_in_every_way(house: House, tmp_path: Path):
    speech_key, texts_key = KEYS[IN_FILE], KEYS["VIDEO_ASSETS_EMBEDDING_API_KEY"]
    heard: list[Answer] = [
        quoting(400, speech_key),
        (200, {"error": {"message": f"no such key: {speech_key}"}}),
        quoting(500, speech_key),
        (200, HEARD),
        quoting(401, speech_key),
    ]
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(5):
        made = Clip(frames=30 + number, audio_tracks=1, sound=voice)
        make_clip(clips / f"{number}.mov", made)
    make_clip(clips / "told.mkv", Clip(subtitles=["Somebody speaks"]))
    with ExitStack() as services:
        speech, texts, webhook = (services.enter_context(serve()) for _ in range(3))
        speech.answers += heard
        texts.answers.append(quoting(401, texts_key))
        webhook.answers.append(quoting(500, KEYS["OPENAI_API_KEY"]))
        house.furnish(speech, texts, webhook)
        said = house.say("ingest", "--config", "leaky", "--json", clips)
        said += "".join(house.say(*each) for each in COMMANDS)
        assert {key for _, key, _ in speech.seen} == {f"Bearer {speech_key}"}
        assert len(speech.seen) >= 5
        assert {key for _, key, _ in texts.seen} == {f"Bearer {texts_key}"}

    assert [line for line in said.splitlines() if found_in(line)] == []
    server = EmbeddedServer(house.home)
    with psycopg.connect(server.admin_url()) as connection:
        calls = connection.execute("SELECT outcome, answer, error FROM ai_calls").fetchall()
    assert [outcome for outcome, _, _ in calls].count("answered") == 1
    for told in ("no such key: ***", "Incorrect API key provided: ***"):
        assert told in str(calls)
    for database in (CATALOGUE, DAGSTER):
        assert found_in_database(server.admin_url(database)) == set()
    server.stop()
    assert found_below(house.home) == set()
    assert found_below(tmp_path / "clips") == set()


def test_a_key_is_found_wherever_it_lies(catalogue, admin_url: str, tmp_path: Path):
    (name, key), *_ = KEYS.items()
    for number, form in enumerate(forms_of(key)):
        (tmp_path / str(number)).write_bytes(b"\0\xff" + form.encode() + b"\n")
    (tmp_path / "settings.toml").write_text(key)
    (tmp_path / "harmless").write_text(key[:-1])
    assert found_below(tmp_path) == {str(number) for number in range(len(forms_of(key)))}
    for file in tmp_path.iterdir():
        file.unlink()
    for before in ("", "x", "xy"):
        assert found_in(base64.b64encode(f"{before}{key}:".encode()).decode()) == {name}
    with catalogue.transaction() as connection:
        connection.execute(
            """INSERT INTO results (file_checksum, asset, status, code_version, error, error_class)
               VALUES (%s, 'camera', 'failed', '1', %s, 'x')""",
            ("c" * 64, f"line\nwith {key} in it"),
        )
    assert found_in_database(admin_url) == {f"results: {name}"}
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM results WHERE file_checksum = %s", ("c" * 64,))
    assert len(FORMS) > len(KEYS) * 4
