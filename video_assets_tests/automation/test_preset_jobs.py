"""Presets on Dagster: a job for each of the program's, and runs that load that of their tag."""

import dagster as dg
import pytest

from video_assets.automation.here import QUIET
from video_assets.presets.model import PipelineConfiguration, load_preset, preset_names
from video_assets.resources import PRESET_TAG, SWITCHED_ON_TAG, PresetResource

# Loading Dagster's resources warns of what its next release has to replace.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

OWN = "name: mine\nextends: default\nsteps: [{name: exposure, enabled: false}]\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.yaml").write_text(OWN)


def loaded(**tags: str) -> PipelineConfiguration:
    """The preset that a run with these tags works by."""
    seen: list[PipelineConfiguration] = []

    @dg.op(required_resource_keys={"preset"})
    def look(context: dg.OpExecutionContext) -> None:
        seen.append(context.resources.preset)

    @dg.job(resource_defs={"preset": PresetResource()})
    def job() -> None:
        look()

    job.execute_in_process(tags=tags, run_config=QUIET)
    return seen[0]


@pytest.mark.parametrize("name", preset_names())
def test_a_job_makes_the_enabled_steps_of_its_preset(name: str):
    from video_assets.definitions import defs

    job = defs.resolve_job_def(name)
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert made == {step.name for step in load_preset(name).enabled_steps()} - {"checksum"}
    assert job.run_tags == {PRESET_TAG: name}


def test_a_run_loads_the_preset_of_its_tag_with_what_was_switched_on():
    assert loaded() == load_preset("default")
    mine = loaded(**{PRESET_TAG: "mine", SWITCHED_ON_TAG: "focal_length exposure"})
    waiting = {step.name for step in mine.steps} - {step.name for step in mine.enabled_steps()}
    assert waiting == {"gemini_analysis", "embeddings", "moment_embeddings"}
    assert mine.switched_on == ("exposure", "focal_length")
