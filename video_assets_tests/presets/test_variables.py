"""Variables of presets: resolved where a setting is used, and nowhere kept with their value."""

import pytest

from video_assets.automation.plan import filled_in, plan_of
from video_assets.interfaces.cli.planned import plan_for
from video_assets.presets.model import PipelineConfiguration, parse_preset
from video_assets.presets.strict import PresetError
from video_assets.presets.variables import resolve_variables, variables_in
from video_assets.settings import Settings

HIDDEN = "whisper-of-ours"
PLACE = "preset heard, step transcript, params: "


def heard(**params: str) -> PipelineConfiguration:
    """A preset of one step, set by what is given."""
    lines = "".join(f"      {name}: {value!r}\n" for name, value in params.items())
    return parse_preset(
        "name: heard\nsteps:\n  - category: analyze\n    name: transcript\n    params:\n" + lines,
        "heard",
    )


def fault_of(**params: str) -> str:
    with pytest.raises(PresetError) as fault:
        plan_of(heard(**params))
    return str(fault.value)


def fingerprint(preset: PipelineConfiguration) -> str:
    return plan_of(preset)[0].settings_fingerprint


def test_a_variable_counts_as_its_value_would(monkeypatch):
    monkeypatch.setenv("SPEECH_MODEL", HIDDEN)
    monkeypatch.setenv("SPEECH_HOST", "localhost:9")
    assert fingerprint(heard(model="${SPEECH_MODEL}")) == fingerprint(heard(model=HIDDEN))
    by_variable, by_value = (
        heard(base_url=f"http://{host}/v1") for host in ("${SPEECH_HOST}", "localhost:9")
    )
    assert fingerprint(by_variable) == fingerprint(by_value)


def test_a_value_is_text_whatever_stands_in_it(monkeypatch):
    for value in ('a: "b"', "${HOME}", "yes", "{x}\n- y", "#"):
        monkeypatch.setenv("SPEECH_MODEL", value)
        params = {"model": "${SPEECH_MODEL}"}
        assert resolve_variables(params, allowed=["model"], where="here") == {"model": value}


def test_nothing_that_is_kept_of_a_preset_holds_a_value(monkeypatch, tmp_path):
    monkeypatch.setenv("SPEECH_MODEL", HIDDEN)
    preset = heard(model="${SPEECH_MODEL}")
    plan = plan_for(Settings(home=tmp_path), preset)
    (kept,) = (tmp_path / "plans").iterdir()
    shown = filled_in(preset)
    for text in (kept.read_text(), repr(preset), repr(plan), shown.model_dump_json()):
        assert HIDDEN not in text
    step = shown.step("transcript")
    assert step is not None
    assert step.params["model"] == "${SPEECH_MODEL}"


def test_another_value_makes_another_plan_although_the_preset_is_remembered(monkeypatch, tmp_path):
    plans = []
    for value in ("small", "large", "small"):
        monkeypatch.setenv("SPEECH_MODEL", value)
        plans.append(plan_for(Settings(home=tmp_path), heard(model="${SPEECH_MODEL}")))
    assert plans[0] == plans[2] != plans[1]


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named_with_preset_and_place(monkeypatch, value):
    monkeypatch.delenv("SPEECH_MODEL", raising=False)
    if value is not None:
        monkeypatch.setenv("SPEECH_MODEL", value)
    assert fault_of(model="${SPEECH_MODEL}", base_url="http://${SPEECH_MODEL}/").splitlines() == [
        f"{PLACE}{name}: the variable ${{SPEECH_MODEL}} is not set; set it, or write the value "
        "into the preset"
        for name in ("model", "base_url")
    ]


@pytest.mark.parametrize("name", ["HF_TOKEN", "OPENAI_API_KEY", "SUPABASE_DB_URL", "my_password"])
def test_a_secret_is_refused_by_its_name(monkeypatch, name):
    monkeypatch.setenv(name, HIDDEN)
    said = fault_of(model=f"${{{name}}}")
    assert said.startswith(f"{PLACE}model: the variable ${{{name}}} is a secret")
    assert HIDDEN not in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("http://me:whisper-of-ours@host", "holds a user or a password"),
        ("http://host/?key=whisper-of-ours", "expected http(s)://host/path"),
    ],
)
def test_a_value_that_is_refused_is_not_shown(monkeypatch, value, said):
    monkeypatch.setenv("SPEECH_URL", value)
    told = fault_of(base_url="${SPEECH_URL}")
    assert said in told
    assert HIDDEN not in told


@pytest.mark.parametrize("written", ["${}", "${A-B}", "${HOME", "a${1}"])
def test_a_misspelt_variable_is_no_text(written):
    assert "is misspelt" in fault_of(model=written)


def test_a_setting_that_does_not_say_so_takes_none(monkeypatch):
    monkeypatch.setenv("SPEECH_ENGINE", "subtitles")
    assert fault_of(engine="${SPEECH_ENGINE}") == (
        f"{PLACE}engine: a variable cannot stand here, only base_url, model may name one; "
        "found '${SPEECH_ENGINE}'"
    )


def test_a_variable_hides_in_no_list_and_no_key():
    for value in (["${HOME}"], {"${HOME}": 1}, {"a": [{"b": "${HOME}"}]}):
        assert variables_in(value) == {"HOME"}
        with pytest.raises(PresetError, match="cannot stand here"):
            resolve_variables({"model": value}, allowed=["model"], where="here")


def test_names_and_comments_are_never_read_for_variables(monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    text = """
name: small # ${NOWHERE}
description: costs ${NOWHERE}
steps: [{category: measure, name: probe}]
"""
    preset = parse_preset(text, "small")
    assert preset.description == "costs ${NOWHERE}"
    plan_of(preset)
    with pytest.raises(PresetError, match="name: String should match"):
        parse_preset(text.replace("name: small", "name: ${HOME}"), "small")
    with pytest.raises(PresetError, match=r"there is no '\$\{HOME\}'"):
        parse_preset(text.replace("description", "${HOME}"), "small")
