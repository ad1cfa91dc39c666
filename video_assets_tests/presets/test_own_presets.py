"""The user's own presets: files of the home folder, found by name, that may change another one."""

from pathlib import Path

import pytest

from video_assets.automation.plan import filled_in, plan_of
from video_assets.presets.model import load_preset, shipped_preset
from video_assets.presets.strict import PresetError

HEARD = """
name: heard
description: default, with speech written down
extends: default
steps:
  - name: transcript
    params: {engine: faster_whisper}
  - {name: opencv_thumbs, enabled: false}
worker_config: {ai_analysis: 2}
"""
ALONE = """
name: alone
steps: [{category: measure, name: probe, queue: metadata}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    (tmp_path / "presets").mkdir()
    return tmp_path / "presets"


def own(folder: Path, text: str, name: str = "heard") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return file


def fault_of(name: str) -> str:
    with pytest.raises(PresetError) as fault:
        load_preset(name)
    return str(fault.value)


def test_a_file_of_the_home_is_a_preset_and_is_read_anew_when_it_changed(folder):
    own(folder, ALONE, "alone")
    assert load_preset("alone").enabled_steps()
    own(folder, ALONE.replace("queue: metadata", "enabled: false"), "alone")
    assert not load_preset("alone").enabled_steps()


@pytest.mark.parametrize("name", ["default", "ai_comparison"])
def test_a_name_of_the_program_cannot_be_taken(folder, name):
    own(folder, ALONE, name)
    assert f"{name}.yaml: {name} is a preset of the program" in fault_of(name)
    assert load_preset("fast").name == "fast"


def test_an_own_preset_is_never_reached_by_a_path(folder):
    own(folder, ALONE, "alone")
    own(folder.parent, ALONE, "outside")
    for name in ("../outside", str(folder / "alone"), "alone.yaml", "./alone"):
        assert "there is no preset" in fault_of(name)


def test_a_misspelt_own_preset_is_told_with_its_folder(folder):
    own(folder, ALONE, "alone")
    assert "did you mean alone?" in fault_of("alnoe")
    assert str(folder) in fault_of("alnoe")


def test_what_is_not_said_is_as_in_the_preset_that_is_extended(folder):
    own(folder, HEARD)
    base, heard = shipped_preset("default"), load_preset("heard")
    assert [step.name for step in heard.steps] == [step.name for step in base.steps]
    changed = [b.name for a, b in zip(base.steps, heard.steps, strict=True) if a != b]
    assert changed == ["thumbnails", "transcript"]
    transcript, thumbnails = heard.step("transcript"), heard.step("thumbnails")
    assert transcript is not None
    assert (transcript.params, transcript.timeout) == ({"engine": "faster_whisper"}, 1800)
    assert thumbnails is not None
    assert thumbnails.params == {
        **{"count": 5, "width": 1920, "quality": 90},
        "implementation": "opencv_thumbs",
    }
    assert heard.worker_config == {**base.worker_config, "ai_analysis": 2}
    assert (heard.name, heard.description) == ("heard", "default, with speech written down")


def test_an_implementation_stays_when_only_its_settings_change(folder):
    own(folder, "name: heard\nextends: fast\nsteps: [{name: thumbnails, params: {count: 9}}]")
    step = load_preset("heard").step("thumbnails")
    assert step is not None
    assert step.implementation == "ffmpeg_thumbs"
    assert step.params == {"count": 9, "width": 1280, "implementation": "ffmpeg_thumbs"}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("params:", "parms:", "heard.yaml, line 7: steps.transcript: there is no 'parms'; did you"),
        ("enabled: false", "queue: gpu", "heard.yaml, line 8: steps.thumbnails.queue: step thumb"),
        ("extends: default", "extends: defualt", "heard.yaml, line 4: extends 'defualt'"),
        ("opencv_thumbs,", "transcript,", "step transcript stands there twice"),
        ("opencv_thumbs,", "brightness,", "line 8: steps.brightness.category is missing"),
        ("name: heard", "name: herd", "heard.yaml, line 2: preset heard calls itself herd"),
        ("{ai_analysis: 2}", "2", "line 9: worker_config: expected keys with values"),
    ],
)
def test_a_fault_is_named_with_file_and_line(folder, right, wrong, said):
    own(folder, HEARD.replace(right, wrong))
    assert said in fault_of("heard")


def test_a_lane_that_is_taken_away_from_a_step_is_a_fault_where_the_preset_extends(folder):
    own(folder, "name: heard\nextends: default\nsteps: [{name: proxy, queue: gpu}]\n")
    assert "heard.yaml, line 3: steps.proxy.queue: " in fault_of("heard")


def test_a_file_that_is_no_text_is_named(folder):
    (folder / "heard.yaml").write_bytes(b"name: \xff")
    assert fault_of("heard").endswith("heard.yaml: byte 6 is no UTF-8; save it as UTF-8")
    (folder / "alone.yaml").mkdir()
    assert "alone.yaml cannot be read: Is a directory" in fault_of("alone")


def test_an_own_preset_is_laid_out_like_any_other(folder):
    own(folder, HEARD)
    planned = {asset.asset for asset in plan_of(load_preset("heard"))}
    assert planned == {step.name for step in load_preset("heard").enabled_steps()}
    settings = filled_in(load_preset("heard")).step("transcript")
    assert settings is not None
    assert settings.params["engine"] == "faster_whisper"
    assert settings.params["beam_size"] == 5
