"""What an analyzer may do that no one thought of: its clip fails alone, and the ledger says why."""

import pytest

from video_assets_tests.analyzers import HOSTILE
from video_assets_tests.automation.conftest import Pipeline


@pytest.mark.parametrize("text", HOSTILE)
def test_a_clip_fails_alone(pipeline: Pipeline, text: str) -> None:
    clips = pipeline.register(text, f"neighbour of {text}")
    result = pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    assert result.success
    states = pipeline.states(clips)
    assert states[text, "words"] == "failed"
    assert states[f"neighbour of {text}", "report"] == "done"
    (cell,) = (cell for cell in pipeline.cells(clips) if cell.state == "failed")
    assert cell.error
    assert str(pipeline.folder) not in cell.error
    assert pipeline.folder.name not in cell.error
