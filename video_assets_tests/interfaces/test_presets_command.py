"""`presets`: which there are, what each means, and whether it can be used."""

import json
from pathlib import Path

import pytest
import yaml

from video_assets.automation.plan import filled_in
from video_assets.presets.model import load_preset, parse_preset, preset_names
from video_assets.settings import Settings
from video_assets_tests.interfaces.conftest import Shell

OWN = """
name: mine
description: "[/] stills alone"
extends: fast
steps:
  - name: opencv_thumbs
  - {category: analyze, name: transcript, params: {model: "${SPEECH_MODEL}"}}
"""
WRONG = """
name: wrong
steps:
  - {category: analyze, name: transcrpt}
  - {category: derive, name: proxy, params: {fsp: 3, height: 1}}
  - {category: analyze, name: scenes, enabled: false, params: {model: big}}
"""


@pytest.fixture
def folder(bare_shell: Shell, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPEECH_MODEL", "whisper-of-ours")
    settings.presets_dir.mkdir(parents=True)
    return settings.presets_dir


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def test_every_preset_is_listed_with_where_it_comes_from(bare_shell: Shell, folder: Path):
    write(folder, mine=OWN, broken="name: [")
    listed = {each["name"]: each for each in bare_shell.json("presets", "list")["presets"]}
    assert set(listed) == {*preset_names(), "mine", "broken"}
    assert (listed["default"]["source"], listed["default"]["disabled"]) == (
        "the program",
        ["focal_length", "gemini_analysis", "embeddings", "moment_embeddings"],
    )
    assert listed["ai_research"]["aliases"] == ["ai_comparison"]
    assert listed["mine"]["source"] == str(folder / "mine.yaml")
    assert listed["broken"]["faults"][0].startswith(str(folder / "broken.yaml"))
    printed = bare_shell("presets", "list")
    assert "[/] stills alone" in printed
    assert "cannot be used" in printed
    assert max(len(line) for line in printed.splitlines() if "/" not in line) <= 80


def test_a_preset_is_shown_with_all_it_leaves_as_it_is(bare_shell: Shell, folder: Path):
    write(folder, mine=OWN)
    for arguments in (["mine"], ["mine", "--yaml"], ["mine", "--json"]):
        printed = bare_shell("presets", "show", *arguments)
        assert "opencv_thumbs" in printed
        assert "beam_size" in printed
        assert "${SPEECH_MODEL}" in printed
        assert "whisper-of-ours" not in printed
    steps = {each["name"]: each for each in bare_shell.json("presets", "show", "mine")["steps"]}
    assert steps["probe"]["implementation"] == "ffmpeg_extractor"
    assert (steps["thumbnails"]["queue"], steps["thumbnails"]["retry"]) == ("thumbnails", 3)
    assert steps["thumbnails"]["params"] == {
        **{"count": 3, "width": 1280, "quality": 90, "method": "keyframe"},
        "implementation": "opencv_thumbs",
    }


@pytest.mark.parametrize("name", [*preset_names(), "mine"])
def test_what_is_shown_as_yaml_is_the_same_preset(bare_shell: Shell, folder: Path, name: str):
    write(folder, mine=OWN)
    shown = bare_shell("presets", "show", name, "--yaml")
    assert parse_preset(shown, name) == filled_in(load_preset(name))
    write(folder, copied=yaml.safe_dump({**yaml.safe_load(shown), "name": "copied"}))
    assert "copied: fits" in bare_shell("presets", "validate", "copied")


def test_presets_that_fit_are_said_to(bare_shell: Shell, folder: Path):
    write(folder, mine=OWN)
    assert bare_shell("presets", "validate").count(": fits") == len(preset_names()) + 1
    assert bare_shell("presets", "validate", "ai_comparison").startswith("ai_research: fits")


def test_every_fault_is_told_with_what_was_meant(bare_shell: Shell, folder: Path):
    write(folder, wrong=WRONG, broken=OWN.replace("extends", "extend"))
    told = json.loads(bare_shell("presets", "validate", "--json", code=2))["presets"]
    faults = {each["name"]: each["faults"] for each in told}
    assert [name for name, found in faults.items() if found] == ["broken", "wrong"]
    assert faults["wrong"] == [
        "preset wrong, step transcrpt: no asset makes it; did you mean transcript?",
        "preset wrong, step proxy, params: height: Input should be greater than or equal to 64, "
        "found 1",
        "preset wrong, step proxy, params: there is no 'fsp'; did you mean fps?",
        "preset wrong, step scenes, params: there is no 'model'; known: none",
    ]
    assert (
        f"{folder / 'broken.yaml'}, line 4: there is no 'extend'; did you mean extends?"
        in (faults["broken"])
    )
    printed = bare_shell("presets", "validate", "wrong", code=2)
    assert printed.startswith("wrong: 4 faults")
    assert printed.count("\n- ") == 4


def test_a_step_whose_input_nobody_makes_is_noted(bare_shell: Shell, folder: Path):
    write(folder, waits="name: waits\nsteps: [{category: analyze, name: scenes}]")
    told = bare_shell.json("presets", "validate", "waits")["presets"]
    assert told[0]["warnings"] == [
        "preset waits, step scenes: waits for proxy, which this preset does not make"
    ]


def test_a_name_that_is_not_there_is_told_the_nearest(bare_shell: Shell, folder: Path):
    for command in ("show", "validate"):
        assert "did you mean fast?" in bare_shell.error("presets", command, "fats")
    assert "there is no preset '../mine'" in bare_shell.error("presets", "show", "../mine")
