"""A result counts by the settings that its asset reads, and by nothing else of a preset."""

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
import yaml

from video_assets.automation.plan import analyzers, plan_of
from video_assets.presets.model import PACKAGE, parse_preset
from video_assets.storage.ledger import PlannedAsset

Document = dict[str, Any]


def plan(change: Callable[[Document], object]) -> dict[str, PlannedAsset]:
    """What results must be made with by `default` after a change, by asset."""
    document = yaml.safe_load(files(PACKAGE).joinpath("default.yaml").read_text("utf-8"))
    change(document)
    changed = parse_preset(yaml.safe_dump(document), "default")
    planned = [replace(each, priority=0, retry=0) for each in plan_of(changed)]
    return {each.asset: each for each in planned}


def step(document: Document, name: str) -> Document:
    """One step of a preset as it is written."""
    (found,) = (step for step in document["steps"] if step["name"] == name)
    return found


def each_step(**values: Any) -> Callable[[Document], object]:
    """Set the same for every step."""
    return lambda document: [step.update(values) for step in document["steps"]]


def unchanged(document: Document) -> None:
    """Change nothing."""


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(each_step(queue="default"), id="lane"),
        pytest.param(each_step(priority=1), id="priority"),
        pytest.param(each_step(timeout=1), id="timeout"),
        pytest.param(each_step(retry=0), id="retry"),
        pytest.param(each_step(category="other"), id="category"),
        pytest.param(lambda document: document["steps"].reverse(), id="order"),
        pytest.param(lambda document: document["worker_config"].update(default=1), id="slots"),
        pytest.param(lambda document: document.update(description="", version="2"), id="texts"),
        pytest.param(
            lambda document: step(document, "thumbnails").update(name="parallel_thumbs"), id="name"
        ),
        pytest.param(
            lambda document: step(document, "proxy")["params"].update(bitrate=1_000_000, fps=5.0),
            id="the same, written otherwise",
        ),
        pytest.param(
            lambda document: step(document, "transcript").update(params={"engine": "subtitles"}),
            id="a default, written out",
        ),
    ],
)
def test_what_no_result_hangs_on_makes_nothing_stale(change: Callable[[Document], object]):
    assert plan(change) == plan(unchanged)


@pytest.mark.parametrize(
    ("asset", "params"),
    [("proxy", {"fps": 6}), ("thumbnails", {"count": 6}), ("transcript", {"language": "de"})],
)
def test_a_setting_counts_for_its_own_asset_alone(asset: str, params: Document):
    before = plan(unchanged)
    after = plan(lambda document: step(document, asset).setdefault("params", {}).update(params))
    assert [name for name in before if before[name] != after[name]] == [asset]


def test_a_step_that_is_switched_off_changes_no_other():
    before = plan(unchanged)
    after = plan(lambda document: step(document, "scenes").update(enabled=False))
    kept = {name: planned.settings_fingerprint for name, planned in after.items()}
    assert kept == {
        name: planned.settings_fingerprint for name, planned in before.items() if name != "scenes"
    }


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        pytest.param({"timeout_s": 900}, False, id="how long it waits"),
        pytest.param({"save_partial": False}, False, id="what is shown meanwhile"),
        pytest.param({"base_url": "https://gateway.example"}, False, id="by which way"),
        pytest.param({"model": "claude-sonnet-5-5"}, True, id="another model"),
        pytest.param({"max_frames": 12}, True, id="fewer frames"),
        pytest.param({"prompt_version": "other"}, True, id="other instructions"),
    ],
)
def test_nothing_is_paid_for_again_for_a_setting_that_changes_no_answer(settings, counts):
    asset = analyzers()["claude_analysis"]
    one, other = (asset.fingerprint(asset.settings(each)) for each in ({}, settings))
    assert (one != other) is counts
