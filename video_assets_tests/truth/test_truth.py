"""Every analyzer against files whose truth is known. Run with `-s` to see the table."""

import pytest

from video_assets.clip_worker import Measured
from video_assets.presets.model import load_preset
from video_assets_tests.test_manifest import MEDIA, ROWS, missing
from video_assets_tests.truth import known, pictures_and_sound
from video_assets_tests.truth.comparing import Fact, table
from video_assets_tests.truth.gathering import Answers, gather

EXPLAINED = {
    ("testvideo_cuts_fades.mp4", "scenes.cut 394"): (
        "out of black, frames 360 to 394: a fade for us, which divides in the middle, at 378, as "
        "the stored ThresholdDetector reference does (377); ContentDetector leaps at the end"
    ),
}
"""File and asset.field where ours is another answer on purpose."""
COMPARED = {"camera", "color", "exposure", "media_info", "probe", "proxy", "scenes", "transcript"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, Answers]:
    steps = load_preset("default").enabled_steps()
    settings = {step.name: step.params for step in steps}
    store = tmp_path_factory.mktemp("artifacts")
    found = gather([MEDIA / row["file"] for row in ROWS], store, settings)
    return {path.relative_to(MEDIA).as_posix(): each for path, each in found.items()}


@pytest.fixture(scope="module")
def facts(answers) -> list[Fact]:
    found: list[Fact] = []
    for row in ROWS:
        made = answers[row["file"]].items()
        results = {name: answer.document for name, answer in made if isinstance(answer, Measured)}
        found += known.facts_of(row, results)
        found += pictures_and_sound.facts_of(row, MEDIA / row["file"], results)
    return found


@missing
@pytest.mark.timeout(1200)
def test_nothing_that_is_known_is_told_wrong(facts):
    print("\n" + table(facts))
    wrong = [fact for fact in facts if fact.verdict == "wrong" and key(fact) not in EXPLAINED]
    assert [str(fact) for fact in wrong] == []


@missing
@pytest.mark.timeout(1200)
def test_nothing_that_is_known_is_left_unknown(facts):
    assert [str(fact) for fact in facts if fact.verdict == "not known"] == []


@missing
@pytest.mark.timeout(1200)
def test_every_explanation_is_needed_and_every_asset_is_compared(facts):
    wrong = {key(fact) for fact in facts if fact.verdict == "wrong"}
    assert set(EXPLAINED) - wrong == set()
    assert {fact.asset for fact in facts} == COMPARED


def key(fact: Fact) -> tuple[str, str]:
    return fact.file, f"{fact.asset}.{fact.field}"
