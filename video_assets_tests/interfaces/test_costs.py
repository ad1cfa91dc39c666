"""What paid steps cost, as commands tell it: quotes, caps, what waits, and what was spent."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from video_assets.services import local_models
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import at_home, run, run_here
from video_assets_tests.servers import remove_server
from video_assets_tests.services.loopback import Service, embed, serve

# Loading Dagster's resources warns of what its next release has to replace.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PRESET = """
name: paid
steps:
  - {{category: measure, name: probe, queue: metadata}}
  - {{category: derive, name: audio_track}}
  - {{category: analyze, name: transcript, queue: ai_analysis}}
  - {{category: index, name: search_texts}}
  - category: index
    name: embeddings
    queue: embeddings
    params: {{model: {0}, base_url: "{1}"}}
worker_config: {{default: 1, metadata: 1, ai_analysis: 1, embeddings: 1}}
"""
PRICES = "127.0.0.1: {letters: {input: 1000, as_of: 2026-11-30}}"
SAID = ("a bridge at night", "two boats", "the harbour")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    with at_home(home):
        yield home
    server = EmbeddedServer(home)
    if server.folder.exists():
        remove_server(server)


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Service]:
    with serve() as service:
        service.answers = [embed]
        (home / "presets").mkdir()
        (home / "presets" / "paid.yaml").write_text(PRESET.format("letters", service.url))
        (home / "prices.yaml").write_text(PRICES)
        yield service


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    for number, text in enumerate(SAID):
        make_clip(folder / f"{number}.mkv", Clip(subtitles=(text,), audio_tracks=1))
    return folder


def said_by(*arguments: str | Path, code: int = 0) -> str:
    if arguments[0] not in ("ingest", "backfill") or "--dry-run" in arguments:
        return run_here(*arguments, code=code).stdout
    # Workers see the environment in which a process starts its first: this one's was another home.
    made = run(Path(os.environ["VIDEO_ASSETS_HOME"]), *arguments)
    assert made.returncode == code, (made.stdout, made.stderr)
    return made.stdout


def ask(*arguments: str | Path, code: int = 0) -> Any:
    return json.loads(said_by(*arguments, "--json", code=code))


def words(*arguments: str | Path) -> str:
    return " ".join(said_by(*arguments).split())


def test_nothing_is_asked_before_it_was_quoted(home, service, footage):
    told = ask("ingest", footage, "-c", "paid", "--dry-run", "--cap", "0.01")["quote"]
    (step,) = told["steps"]
    assert (step["asset"], step["clips"], step["calls"]) == ("embeddings", 3, 3)
    assert step["minutes"] == pytest.approx(6 / 60, rel=0.1)
    assert step["usd"] == pytest.approx(step["input_tokens"] * 3 * 0.001, rel=0.01)
    assert told["caps"] == ["it would stop at this run's cap (--cap) of $0.01: the rest waits"]
    shown = words("ingest", footage, "-c", "paid", "--dry-run")
    assert "embeddings: 3 clips, 0.1 minutes, letters at this machine: about $" in shown
    assert "somebody speaks all the time, 3 tokens a second" in shown
    assert service.seen == []


def test_what_leaves_this_machine_is_named(home, service, footage, monkeypatch):
    elsewhere = PRESET.format("BAAI/bge-m3", "https://api.deepinfra.com/v1/openai")
    (home / "presets" / "elsewhere.yaml").write_text(elsewhere.replace("paid", "elsewhere"))
    shown = words("ingest", footage, "-c", "elsewhere", "--dry-run")
    assert "BAAI/bge-m3 at api.deepinfra.com: about $0.0000" in shown
    left = shown.partition("leaves this machine: ")[2]
    assert "the place's name" in left
    unknown = PRESET.format("nobodys", "https://api.deepinfra.com/v1/openai")
    (home / "presets" / "unknown.yaml").write_text(unknown.replace("paid", "unknown"))
    assert "no price is known of deepinfra/nobodys" in words(
        "ingest", footage, "-c", "unknown", "--dry-run"
    )
    monkeypatch.setenv("VIDEO_ASSETS_BUDGET__UNPRICED", '["deepinfra/nobodys"]')
    allowed = words("ingest", footage, "-c", "unknown", "--dry-run")
    assert "the settings allow it, and no cap holds for it" in allowed


def test_a_cap_leaves_clips_for_later_and_says_how_to_go_on(home, service, footage):
    done = ask("ingest", footage, "-c", "paid", "--cap", "0.001")
    (waits,) = done["waits"]
    assert (waits["asset"], waits["clips"], done["unfinished"]) == ("embeddings", 3, 0)
    reason = "the run's cap of $0.001 is reached; run again with another --cap"
    assert (waits["reason"], done["spent_usd"]) == (reason, 0)
    assert service.seen == []
    again = words("ingest", footage, "-c", "paid", "--cap", "0.001")
    assert f"embeddings: 3 clips wait: {reason}" in again

    assert [each["clips"] for each in ask("status")["left_for_later"]] == [3]
    assert f"embeddings: 3 clips wait: {reason}" in words("status")
    assert [each["clips"] for each in ask("failures")["left_for_later"]] == [3]
    assert f"embeddings: 3 clips wait: {reason}" in words("failures")

    told = ask("backfill", "--dry-run")
    assert told["chosen"] == [
        {"asset": "embeddings", "clips": 3, "reason": f"was left for later: {reason}"}
    ]
    assert told["quote"]["steps"][0]["clips"] == 3


def test_what_was_spent_is_told_by_whatever_it_was_spent_for(home, service, footage):
    assert words("costs") == "Nothing was paid for."
    made = ask("backfill", "--cap", "5", "--limit", "1")
    assert (made["made"], len(service.seen)) == (1, 1)
    done = ask("ingest", footage, "-c", "paid", "--cap", "5")
    assert (done["complete"], done["waits"]) == (3, [])
    assert done["spent_usd"] > 0
    assert len(service.seen) == 3
    tokens = sum(
        len(text.split()) for _, _, body in service.seen for text in json.loads(body)["input"]
    )
    for by, names in (("asset", ["embeddings"]), ("model", ["127.0.0.1/letters"])):
        told = ask("costs", "--by", by)
        assert [each["name"] for each in told["costs"]] == names
        assert told["costs"][0]["input_tokens"] == tokens
        assert told["usd"] == pytest.approx(tokens * 0.001)
    clips = ask("costs", "--by", "clip")["costs"]
    assert sorted(Path(each["clip"]).name for each in clips) == ["0.mkv", "1.mkv", "2.mkv"]
    assert ask("costs", "--by", "day", "--since", "2026-01-01")["calls"] == 3
    assert ask("costs", "--since", "2999-01-01")["calls"] == 0
    shown = words("costs", "--by", "owner")
    assert "3 calls, $" in shown
    assert "Spent today $" in shown
    assert words("costs", "--answers", "0.mkv").startswith("No answer is kept")
    assert "Spent today $" in words("status")


def test_a_cap_without_anybody_to_keep_it_is_refused(home, service, footage):
    run_here("ingest", footage, "--workers", "0", "--cap", "1", code=2)


@pytest.fixture(autouse=True, scope="module")
def _let_go() -> Iterator[None]:
    yield
    if kept := local_models._kept.pop("embedding service", None):
        kept[1].close()
