"""`video-assets list-steps`: what can be found out about a clip."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.reading import JsonOption
from video_assets.interfaces.cli.wording import cell, console, new_table, say_json
from video_assets.presets.step_names import names_of


@dataclass(frozen=True)
class ListedStep:
    """An analyzer as its file describes it."""

    category: str
    name: str
    version: str
    lane: str
    needs: tuple[str, ...]
    description: str
    names: dict[str, str]


def list_steps(as_json: JsonOption = False) -> None:
    """List every step by category: its version, its lane and what it finds.

    Below a step stand the other names that a preset may use for it, and what each means.
    """
    steps = sorted(_known_steps(), key=lambda step: (step.category, step.name))
    if as_json:
        say_json({"steps": steps})
        return
    for category, members in groupby(steps, key=lambda step: step.category):
        console().print(Text(category.upper(), style="bold"))
        console().print(_table(list(members)), Text())


def _known_steps() -> Iterator[ListedStep]:
    # Here, because it loads Dagster, for which no other command that looks should wait.
    from video_assets.automation.plan import analyzers

    for analyzer in analyzers().values():
        yield ListedStep(
            category=analyzer.group,
            name=analyzer.name,
            version=analyzer.code_version,
            lane=analyzer.lane,
            needs=analyzer.upstream,
            description=(analyzer.function.__doc__ or "").strip().partition("\n")[0],
            names=names_of(analyzer.name),
        )


def _table(steps: list[ListedStep]) -> Table:
    table = new_table(header=False)
    for width in (24, 12):
        table.add_column(no_wrap=True, min_width=width)
    table.add_column(overflow="fold")
    for step in steps:
        table.add_row(
            cell(f"{step.name} (v{step.version})"), cell(step.lane, "dim"), cell(step.description)
        )
        for name, meaning in step.names.items():
            table.add_row(cell(f"  {name}", "dim"), Text(), cell(meaning, "dim"))
    return table
