import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from video_assets.presets.model import load_preset, parse_preset, preset_names
from video_assets.presets.strict import PresetError, read_strictly

SMALL = """
name: small
steps:
  - {category: measure, name: probe, queue: metadata}
worker_config: {metadata: 2}
"""


def fault_of(text: str) -> str:
    with pytest.raises(PresetError) as fault:
        parse_preset(text, "small")
    return str(fault.value)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_of_the_package_loads(name):
    assert load_preset(name).name == name


def test_default_makes_what_the_specification_says():
    preset = load_preset("default")
    assert [(s.name, s.queue, s.priority, s.retry, s.timeout) for s in preset.enabled_steps()] == [
        ("checksum", "metadata", 10, 2, 300),
        ("probe", "metadata", 20, 3, 300),
        ("media_info", "metadata", 22, 3, 300),
        ("color", "metadata", 23, 3, 300),
        ("camera", "metadata", 25, 3, 300),
        ("thumbnails", "thumbnails", 30, 3, 300),
        ("proxy", "compression", 40, 3, 300),
        ("audio_track", "default", 45, 3, 300),
        ("scenes", "default", 50, 3, 300),
        ("exposure", "default", 55, 3, 300),
        ("transcript", "ai_analysis", 60, 3, 1800),
        ("description", "default", 68, 3, 300),
        ("search_texts", "default", 70, 3, 300),
        ("video_document", "default", 90, 3, 300),
    ]
    thumbnails = preset.step("thumbnails")
    assert thumbnails is not None
    assert thumbnails.params == {"count": 5, "width": 1920, "quality": 90}
    assert preset.worker_config == {
        "default": 4,
        "metadata": 8,
        "thumbnails": 4,
        "compression": 2,
        "ai_analysis": 1,
        "embeddings": 4,
    }


def test_fast_makes_fewer_and_smaller_thumbnails():
    preset = load_preset("fast")
    thumbnails = preset.step("thumbnails")
    assert thumbnails is not None
    assert thumbnails.implementation == "ffmpeg_thumbs"
    assert (thumbnails.params["count"], thumbnails.params["width"]) == (3, 1280)
    assert (preset.worker_config["metadata"], preset.worker_config["thumbnails"]) == (16, 8)


def test_ai_research_asks_three_models_each_in_its_own_lane():
    preset = load_preset("ai_research")
    found_by = {"embeddings", "moment_embeddings"}  # what searches compare, and no model is shown
    names = {step.name for step in load_preset("default").steps}
    asked = {"claude_analysis": "ai_claude", "local_analysis": "ai_local"}
    assert {step.name for step in preset.steps} == (names - found_by) | asked.keys()
    lanes = {step.name: step.queue for step in preset.steps}
    assert (asked | {"gemini_analysis": "ai_gemini"}).items() <= lanes.items()
    assert preset.enabled_steps() == preset.steps
    proxy = preset.step("proxy")
    assert proxy is not None
    assert proxy.params == {"fps": 10, "bitrate": "2000k"}
    assert {preset.worker_config[f"ai_{model}"] for model in ("gemini", "claude", "local")} == {1}


def test_the_default_asks_nobody_until_it_is_told_to_and_describes_what_there_is():
    preset = load_preset("default")
    gemini, description = preset.step("gemini_analysis"), preset.step("description")
    assert gemini is not None
    assert description is not None
    assert (gemini.enabled, gemini.timeout, gemini.params["save_partial"]) == (False, 600, True)
    assert "gemini_analysis" in preset.idle_ai_steps()
    assert description.enabled
    assert description.params["prefer"][0] == "gemini_analysis"


def test_an_alias_is_the_preset_it_stands_for():
    assert load_preset("ai_comparison") is load_preset("ai_research")


def test_a_preset_without_slots_has_those_of_the_specification():
    preset = parse_preset(SMALL.replace("worker_config: {metadata: 2}", ""), "small")
    assert preset.worker_config == load_preset("default").worker_config


def test_switching_on_enables_what_waits_for_ai_and_nothing_else():
    idle = """
  - {category: derive, name: proxy, enabled: false, queue: metadata}
  - {category: analyze, name: exposure, enabled: false, queue: embeddings}
  - {category: analyze, name: scenes, enabled: false, queue: ai_gemini}
worker_config: {ai_gemini: 1, embeddings: 1, """
    preset = parse_preset(SMALL.replace("\nworker_config: {", idle), "small")
    assert preset.idle_ai_steps() == ("exposure", "scenes")
    switched = preset.switch_on(["scenes"])
    assert [step.name for step in switched.enabled_steps()] == ["probe", "scenes"]
    assert (switched.switched_on, preset.switched_on) == (("scenes",), ())


def test_a_step_that_is_not_named_is_none():
    assert load_preset("fast").step("transcript") is None


@pytest.mark.parametrize("name", ["../presets/default", "default.yaml", "/etc/passwd", "", "model"])
def test_a_name_is_never_a_path(name):
    with pytest.raises(PresetError, match="there is no preset"):
        load_preset(name)


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(PresetError, match="did you mean default"):
        load_preset("defualt")
    with pytest.raises(PresetError, match="known: ai_comparison, ai_research, default, fast"):
        load_preset("xyz")


def test_an_unknown_key_is_told_its_nearest():
    assert fault_of(SMALL + "worker_cfg: {}\n") == (
        "preset small, line 6: there is no 'worker_cfg'; did you mean worker_config?"
    )
    assert fault_of(SMALL.replace("queue:", "que:")) == (
        "preset small, line 4: steps.probe: there is no 'que'; did you mean queue?"
    )


@pytest.mark.parametrize(
    ("right", "wrong", "text"),
    [
        pytest.param("metadata: 2", "metadata: 0", "worker_config.metadata: ", id="no slot"),
        pytest.param("queue: metadata", "queue: meta", "has no slots", id="queue without slots"),
        pytest.param("queue: metadata", "priority: 101", "line 4: steps.probe.pri", id="priority"),
        pytest.param("queue: metadata", "enabled: 'yes'", "steps.probe.enabled: ", id="a word"),
        pytest.param("queue: metadata", "queue: a, queue: b", "'queue' stands there", id="a key"),
        pytest.param("metadata: 2", "m: 2029-02-30", "day is out of range", id="no date"),
        pytest.param("{metadata: 2}", "2", "expected keys with values, found 2", id="no keys"),
        pytest.param("name: small", "name: large", "calls itself large", id="another name"),
        pytest.param(
            "name: small", "name: [", ": no preset can be read from this YAML: ", id="not YAML"
        ),
        pytest.param("name: probe,", "", "steps.0.name is missing", id="no name"),
    ],
)
def test_a_fault_is_named_with_its_place(right, wrong, text):
    assert text in fault_of(SMALL.replace(right, wrong))


def test_every_fault_is_named_at_once():
    broken = SMALL.replace("metadata}", "meta}").replace("name: small", "name: small\nversion: '2'")
    broken = broken.replace("  - {", "  - {category: measure, name: color, queue: colour}\n  - {")
    assert [line.partition(":")[0] for line in fault_of(broken).splitlines()] == [
        "preset small, line 5",
        "preset small, line 6",
    ]


def test_a_step_stands_there_once():
    twice = SMALL.replace("worker_config", "  - {category: measure, name: probe}\nworker_config")
    assert "step probe stands there twice" in fault_of(twice)


def test_no_step_is_a_fault():
    assert "steps is empty" in fault_of("name: small\nsteps: []\nworker_config: {}")


def test_an_empty_file_is_a_fault():
    assert "found None" in fault_of("")


def test_a_preset_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        load_preset("default").name = "other"


def test_an_assets_own_settings_are_read_as_strictly():
    class Look(BaseModel):
        model_config = ConfigDict(extra="forbid")
        width: int = 1

    with pytest.raises(PresetError, match=r"^thumbnails: there is no 'widht'; did you mean width"):
        read_strictly(Look, {"widht": 2}, where="thumbnails")
