"""`video-assets ingest` with Gemini on loopback: what the ledger, the money and every file say."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from psycopg import connect

from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.assets.gemini_clip import answer
from video_assets_tests.clips import Clip, flat, make_clip
from video_assets_tests.commands import run
from video_assets_tests.servers import remove_server
from video_assets_tests.services.loopback_gemini import KEY, Gemini, Question, Reaction, says, serve

pytest.importorskip("google.genai", reason="google-genai needs Python 3.11")

PRESET = """
name: seen
steps:
  - {{category: measure, name: probe}}
  - {{category: measure, name: color}}
  - {{category: derive, name: proxy}}
  - category: describe
    name: {name}
    queue: ai_gemini
    params: {{base_url: "{url}", inline_mb: 0}}
worker_config: {{default: 2, ai_gemini: 2}}
"""
COLORS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    home = tmp_path / "home"
    (home / "presets").mkdir(parents=True)
    yield home
    if EmbeddedServer(home).folder.exists():
        remove_server(EmbeddedServer(home))


@pytest.fixture
def footage(tmp_path) -> Path:
    """Three clips of different length, by which the service tells them apart."""
    folder = tmp_path / "Footage"
    folder.mkdir()
    for number, (name, color) in enumerate(COLORS.items(), start=1):
        clip = Clip(frames=12 * number, rate=Fraction(12), picture=flat(*color), audio_tracks=1)
        make_clip(folder / f"{name}.mp4", clip)
    return folder


def react(question: Question) -> Reaction:
    """Refuse the clip of 2 s."""
    if "Length: 2.00 s" in question.texts[0]:
        return Reaction(blocked="SAFETY")
    return says(answer("A colour.", visual={"scenes": []}))


def prepare(home: Path, service: Gemini, name: str = "gemini_streaming") -> None:
    text = PRESET.format(name=name, url=service.url)
    (home / "presets" / "seen.yaml").write_text(text)
    service.reactions = [react]


def rows(home: Path, statement: str) -> list[tuple]:
    with connect(EmbeddedServer(home).admin_url()) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_a_quote_asks_nobody_and_says_what_leaves_the_machine(home, footage):
    with serve() as service:
        prepare(home, service)
        told = run(home, "ingest", footage, "--config", "seen", "--dry-run")
        assert told.returncode == 0, told.stderr
        assert "gemini-2.5-flash" in told.stdout
        assert "sound" in told.stdout
        assert service.requests == []


def test_every_clip_ends_in_its_state_and_all_money_is_accounted_for(home, footage):
    with serve() as service:
        prepare(home, service)
        told = run(home, "ingest", footage, "--config", "seen", "--json")
        document = json.loads(told.stdout)
        assert service.faults == []
        assert service.files == {}
        assert sorted(set(service.uploads)) == sorted(set(service.deleted))
        states = rows(
            home, "SELECT status, fault, error FROM results WHERE asset = 'gemini_analysis'"
        )
        assert sorted((status, fault) for status, fault, _ in states) == [
            ("done", None),
            ("done", None),
            ("failed", "refused"),
        ]
        assert "gemini declines: it was blocked" in str(states)
        assert len(service.questions) == 3  # a refusal is told again without being asked again
        ((calls, usd),) = rows(home, "SELECT count(*), sum(cost_usd) FROM ai_calls")
        assert calls == 3
        assert usd == 3 * Decimal("0.001261")
        assert document
        left = [path for path in home.rglob("*") if path.is_file()]
        assert [path for path in left if KEY.encode() in path.read_bytes()] == []
        assert KEY not in told.stdout + told.stderr

        again = run(home, "ingest", footage, "--config", "seen", "--json")
        assert again.returncode in (0, 1)
        assert len(service.questions) == 3


def test_an_ingest_ends_while_batches_are_out_and_the_next_one_fetches_them(home, footage):
    with serve() as service:
        prepare(home, service)
        preset = home / "presets" / "seen.yaml"
        preset.write_text(preset.read_text().replace("inline_mb: 0", "inline_mb: 0, batch: true"))
        service.batches.looks = 0
        first = run(home, "ingest", footage, "--config", "seen")
        assert first.returncode == 0, first.stderr
        said = " ".join(first.stdout.split())
        assert "gemini_analysis: 3 clips wait: gemini answers in batches, within a day;" in said
        assert len(service.files) == len(service.batches.made) == 3
        waiting = rows(home, "SELECT status, batch IS NULL FROM ai_calls")
        assert waiting == [("waiting", False)] * 3
        standing = run(home, "status")
        assert "3 clips wait: gemini answers in batches" in " ".join(standing.stdout.split())

        again = run(home, "ingest", footage, "--config", "seen")
        assert "gemini declines: it was blocked" in " ".join(again.stdout.split())
        assert service.faults + service.batches.faults == []
        assert len(service.questions) == len(service.batches.made) == 3
        assert service.files == {}
        states = rows(home, "SELECT status FROM results WHERE asset = 'gemini_analysis'")
        assert sorted(states) == [("done",), ("done",), ("failed",)]
        ((calls, usd),) = rows(home, "SELECT count(*), sum(cost_usd) FROM ai_calls")
        assert (calls, usd) == (3, 3 * Decimal("0.0006335"))
        assert [path for path in service.requests if "stream" in path[1]] == []
