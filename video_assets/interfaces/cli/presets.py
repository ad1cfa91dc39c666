"""`video-assets presets`: which presets there are, what each means, and whether it can be used."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.faults import USAGE
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.reading import JsonOption
from video_assets.interfaces.cli.steps import steps_table
from video_assets.interfaces.cli.wording import (
    cell,
    clean,
    console,
    listed,
    new_table,
    say,
    say_json,
    titled,
)
from video_assets.presets.model import (
    ALIASES,
    PipelineConfiguration,
    known_name,
    load_preset,
    own_presets,
    preset_names,
)
from video_assets.presets.strict import PresetError
from video_assets.settings import load_settings

EVERY = "all"
OF_THE_PROGRAM = "the program"

app = typer.Typer(
    help="Presets: which steps run, and how. Your own are files NAME.yaml in the folder presets of "
    "the home folder; `show NAME --yaml` is a start.",
    no_args_is_help=True,
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As `presets list` shows it.")]


@dataclass
class Found:
    """A preset as `list` and `validate` tell of it."""

    name: str
    source: str
    aliases: list[str]
    description: str = ""
    version: str | None = None
    steps: list[str] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@app.command("list")
def list_presets(as_json: JsonOption = False) -> None:
    """List every preset: what it is for, and where it comes from."""
    found = [_read(name)[0] for name in _every_name()]
    if as_json:
        say_json({"presets": [_without_warnings(each) for each in found]})
        return
    table = new_table()
    for heading in ("Name", "Steps", "Description", "From"):
        table.add_column(heading, no_wrap=heading != "Description")
    for each in found:
        told = cell(each.description)
        if each.faults:
            told = cell("cannot be used; `presets validate` says why", "red")
        elif each.aliases:
            told.append(f"\nalso called {listed(each.aliases)}", style="dim")
        source = OF_THE_PROGRAM if each.source == OF_THE_PROGRAM else "yours"
        table.add_row(cell(each.name), str(len(each.steps)), told, cell(source, "dim"))
    console().print(table)
    say(f"Your own are files NAME.yaml in {load_settings().presets_dir}")


@app.command()
def show(
    name: NameArgument,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Answer in YAML, as a preset.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a preset means: every step and setting, also those that it leaves as they are.

    Variables such as ${MODEL} are shown as they are written, never with their value.
    """
    preset = load_preset(name)
    quiet_dagster()
    from video_assets.automation.plan import filled_in

    whole = filled_in(preset)
    document = whole.model_dump(mode="json", exclude_none=True)
    if as_json:
        say_json({**document, "source": _source(whole.name)})
    elif as_yaml:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        typer.echo(text, nl=False)
    else:
        _show(whole)


@app.command()
def validate(
    name: Annotated[str, typer.Argument(metavar="[NAME|all]", help="Which; all of them.")] = EVERY,
    as_json: JsonOption = False,
) -> None:
    """Hold presets against the steps that there are, and name everything that does not fit.

    The exit code is 2 when something does not.
    """
    names = _every_name() if name == EVERY else [known_name(name)]
    quiet_dagster()
    found = [_examined(each) for each in names]
    if as_json:
        keys = ("name", "source", "faults", "warnings")
        say_json({"presets": [{key: getattr(each, key) for key in keys} for each in found]})
    else:
        for each in found:
            _judge(each)
    raise typer.Exit(USAGE if any(each.faults for each in found) else 0)


def _every_name() -> list[str]:
    return sorted({*preset_names(), *own_presets()})


def _read(name: str) -> tuple[Found, PipelineConfiguration | None]:
    aliases = [alias for alias, meant in ALIASES.items() if meant == name]
    found = Found(name, _source(name), aliases)
    try:
        preset = load_preset(name)
    except PresetError as error:
        found.faults = str(error).splitlines()
        return found, None
    found.description, found.version = preset.description, preset.version
    found.steps = [step.name for step in preset.enabled_steps()]
    found.disabled = [step.name for step in preset.steps if not step.enabled]
    return found, preset


def _examined(name: str) -> Found:
    from video_assets.automation.plan import faults_of, unmade_inputs

    found, preset = _read(name)
    if preset is not None:
        found.faults = list(faults_of(preset, preset.steps))
        found.warnings = [] if found.faults else list(unmade_inputs(preset))
    return found


def _source(name: str) -> str:
    own = own_presets()
    return str(own[name]) if name in own else OF_THE_PROGRAM


def _without_warnings(found: Found) -> dict[str, Any]:
    """Leave out what only `validate` looks for."""
    return {name: value for name, value in vars(found).items() if name != "warnings"}


def _judge(found: Found) -> None:
    verdict = Text(f"{clean(found.name)}: ", style="bold")
    told = f"{len(found.faults)} faults" if len(found.faults) > 1 else "1 fault"
    verdict.append(told if found.faults else "fits", style="red" if found.faults else "green")
    verdict.append(f"  {clean(found.source)}", style="dim")
    console().print(verdict, soft_wrap=True)
    for fault in found.faults:
        say(f"- {fault}")
    for warning in found.warnings:
        say(f"- note: {warning}")


def _show(preset: PipelineConfiguration) -> None:
    console().print(Text(f"from {clean(_source(preset.name))}", style="dim"), soft_wrap=True)
    console().print(steps_table(preset), Text())
    how = new_table()
    for heading in ("Step", "Implementation"):
        how.add_column(heading)
    for heading in ("Priority", "Retry", "Timeout"):
        how.add_column(heading, justify="right")
    for step in preset.steps:
        numbers = (str(step.priority), str(step.retry), f"{step.timeout} s")
        how.add_row(cell(step.name), cell(step.implementation), *numbers)
    console().print(titled("How each step runs", how), Text())
    console().print(titled("Settings", _settings_table(preset)), Text())
    slots = new_table(header=False)
    for lane, count in preset.worker_config.items():
        slots.add_row(cell(lane), str(count))
    console().print(titled("Slots of each queue", slots))


def _settings_table(preset: PipelineConfiguration) -> Table:
    table = new_table(header=False)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in preset.steps:
        for name, (setting, value) in _labelled(step.name, step.params.items()):
            written = str(value).lower() if isinstance(value, bool) else value
            table.add_row(cell(name) if name else Text(), cell(setting), cell(written))
    return table


def _labelled(label: str, rows: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    """Give the first row a label, and the others none."""
    return ((label if number == 0 else "", row) for number, row in enumerate(rows))
