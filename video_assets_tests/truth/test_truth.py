"""Every analyzer against files whose truth is known. Run with `-s` to see the table."""

import pytest

from video_assets.clip_worker import Measured
from video_assets.presets.model import load_preset
from video_assets_tests.test_manifest import MEDIA, ROWS, missing
from video_assets_tests.truth.comparing import Fact, table
from video_assets_tests.truth.gathering import Answers, gather
from video_assets_tests.truth.known import facts_of

NOT_KNOWN: dict[tuple[str, str], str] = {}
"""File and asset.field that we leave unknown although somebody knows it, and why."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, Answers]:
    steps = load_preset("default").enabled_steps()
    settings = {step.name: step.params for step in steps}
    store = tmp_path_factory.mktemp("artifacts")
    found = gather([MEDIA / row["file"] for row in ROWS], store, settings)
    return {path.relative_to(MEDIA).as_posix(): each for path, each in found.items()}


@pytest.fixture(scope="module")
def facts(answers) -> list[Fact]:
    return [
        fact
        for row in ROWS
        for fact in facts_of(
            row,
            {n: a.document for n, a in answers[row["file"]].items() if isinstance(a, Measured)},
        )
    ]


@missing
@pytest.mark.timeout(1200)
def test_nothing_that_is_known_is_told_wrong(facts):
    print("\n" + table(facts))
    assert [str(fact) for fact in facts if fact.verdict == "wrong"] == []


@missing
@pytest.mark.timeout(1200)
def test_what_is_left_unknown_has_a_reason(facts):
    unknown = [fact for fact in facts if fact.verdict == "not known"]
    unexplained = [f for f in unknown if (f.file, f"{f.asset}.{f.field}") not in NOT_KNOWN]
    assert [str(fact) for fact in unexplained] == []
