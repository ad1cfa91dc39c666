"""`backfill`: a new analyzer is one file, and filling it touches nothing else."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, flat, make_clip
from video_assets_tests.commands import ROOT, environment
from video_assets_tests.servers import remove_server

BRIGHTNESS = '''"""Brightness: how bright the stills of each clip are."""
from pydantic import BaseModel
from video_assets.assets.derive.thumbnails import Thumbnails
from video_assets.clip_asset import clip_asset
class Brightness(BaseModel):
    level: float
@clip_asset(lane="default", code_version="1")
def brightness(thumbnails: Thumbnails) -> Brightness:
    """How bright each clip is."""
    return Brightness(level=max(still.mean_level for still in thumbnails.thumbnails))
'''
SHOWN = (
    "from video_assets.definitions import defs; "
    "print(*(key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()))"
)
LEVELS = (20, 120, 220)


@dataclass
class Checkout:
    """A copy of the program in which an analyzer can be dropped, and a catalogue of its own."""

    source: Path
    home: Path

    def python(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**environment(self.home), "PYTHONPATH": str(self.source)},
            cwd=self.source,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def __call__(self, *arguments: str | Path) -> dict:
        return json.loads(self.python("-m", "video_assets", *arguments, "--json"))

    def results(self) -> dict[tuple[str, str], tuple]:
        """Every result: by clip and asset, what it says and when it was made."""
        with psycopg.connect(EmbeddedServer(self.home).admin_url()) as connection:
            rows = connection.execute(
                "SELECT file_checksum, asset, result, attempts, measured_at FROM results"
            )
            return {(checksum, asset): tuple(rest) for checksum, asset, *rest in rows}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("video_assets", "sql"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / part, folder / part)
    (folder / "footage").mkdir()
    for level in LEVELS:
        clip = Clip(frames=12, picture=flat(level, level, level))
        make_clip(folder / "footage" / f"{level}.mp4", clip)
    checkout = Checkout(folder, folder / "home")
    checkout("ingest", folder / "footage", "--config", "fast")
    yield checkout
    remove_server(EmbeddedServer(checkout.home))


def test_an_analyzer_that_is_dropped_in_is_filled_and_nothing_else_is_touched(checkout: Checkout):
    before = checkout.results()
    dropped = checkout.source / "video_assets/assets/analyze/brightness.py"
    dropped.write_text(BRIGHTNESS)

    assert "brightness" in checkout.python("-c", SHOWN).split()
    steps = {step["name"]: step for step in checkout("list-steps")["steps"]}
    assert steps["brightness"]["category"] == "analyze"
    assert steps["brightness"]["description"] == "How bright each clip is."
    planned = checkout("backfill", "--asset", "brightness", "--dry-run")
    assert (planned["due"], planned["made"], planned["runs"]) == (3, 0, [])
    assert checkout.results() == before

    filled = checkout("backfill", "--asset", "brightness")
    assert (filled["due"], filled["made"], filled["failed"]) == (3, 3, 0)
    after = checkout.results()
    assert {key: after[key] for key in before} == before
    made = {key: row for key, row in after.items() if key not in before}
    assert {asset for _, asset in made} == {"brightness"}
    levels = sorted(row[0]["level"] for row in made.values())
    assert levels == [pytest.approx(level, abs=3) for level in LEVELS]
    (told,) = filled["runs"]
    steps = json.loads(Path(told["report"]).with_suffix(".json").read_text())["steps"]
    assert [step["step"] for step in steps if step["made"]] == ["brightness"]
    assert checkout("backfill", "--asset", "brightness")["due"] == 0


def test_a_raised_code_version_is_told_and_made_again_alone(checkout: Checkout):
    before = checkout.results()
    dropped = checkout.source / "video_assets/assets/analyze/brightness.py"
    dropped.write_text(BRIGHTNESS.replace('code_version="1"', 'code_version="2"'))

    stale = checkout("stale", "--asset", "brightness")["stale"]
    assert [(each["asset"], each["reasons"]) for each in stale] == [
        ("brightness", ["code 1 -> 2"])
    ] * 3
    filled = checkout("backfill", "--stale", "--asset", "brightness", "--where", "file_name=20.mp4")
    assert filled["chosen"] == [{"asset": "brightness", "clips": 1, "reason": "code 1 -> 2"}]
    assert filled["made"] == 1
    after = checkout.results()
    assert [asset for (_, asset), row in after.items() if row != before[_, asset]] == ["brightness"]


def test_what_an_asset_reads_is_made_first_where_it_is_missing(checkout: Checkout):
    filled = checkout("backfill", "--asset", "scenes", "--clip", "120.mp4")
    assert (filled["due"], filled["made"]) == (1, 1)
    made = {(checksum, asset) for checksum, asset in checkout.results() if asset == "proxy"}
    assert len(made) == 1
