"""The clips that a command is about, parted by the presets that they go by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer

from video_assets.interfaces.cli.planned import plan_for
from video_assets.interfaces.cli.reading import leave, one_clip
from video_assets.presets.model import PipelineConfiguration, load_preset
from video_assets.settings import Settings
from video_assets.storage.browse import Browser
from video_assets.storage.ledger import PlannedAsset
from video_assets.storage.selection import SelectionError, parse, select_clips
from video_assets.storage.way_in import WayIn

USUAL_PRESET = "default"

ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        "-c",
        help="Preset that says what is wanted.",
        show_default="the one that each clip was last ingested by",
    ),
]
ClipsOption = Annotated[
    list[str] | None,
    typer.Option("--clip", help="Only this clip: id, checksum, name or path; repeatable."),
]
AssetsOption = Annotated[
    list[str] | None,
    typer.Option("--asset", "-a", help="Only this; `list-steps` names all; repeatable."),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        help="Only clips of which all of this holds, such as camera_make=Canon,duration>60; "
        "~ is for a part of a word.",
    ),
]


@dataclass(frozen=True)
class Part:
    """Clips that go by one preset, in the order of their registration."""

    preset: PipelineConfiguration
    plan: tuple[PlannedAsset, ...]
    checksums: list[str]


def parts_of(
    settings: Settings,
    catalogue: WayIn,
    owner: UUID,
    *,
    config: str | None,
    clips: Sequence[str] | None = None,
    where: str | None = None,
    assets: Sequence[str] | None = None,
) -> list[Part]:
    """Find the clips of an owner that are meant, and what is wanted of them.

    assets  what is wanted, with what that cannot do without; by default all that the preset makes
    """
    try:
        found = select_clips(catalogue, parse(where or ""), owner=owner)
    except SelectionError as error:
        leave(str(error))
    if clips:
        browser = Browser(catalogue, owner)
        named = {one_clip(browser, name).file_checksum for name in clips}
        found = [clip for clip in found if clip.checksum in named]
    by_preset: dict[str, list[str]] = {}
    for clip in found:
        by_preset.setdefault(config or clip.preset or USUAL_PRESET, []).append(clip.checksum)
    return [
        Part(preset, _plan(settings, preset, assets), checksums)
        for name, checksums in by_preset.items()
        for preset in (load_preset(name),)
    ]


def _plan(
    settings: Settings, preset: PipelineConfiguration, assets: Sequence[str] | None
) -> tuple[PlannedAsset, ...]:
    if not assets:
        return plan_for(settings, preset)
    from video_assets.automation.plan import narrowed, needed_for, plan_of

    return plan_of(narrowed(preset, needed_for(assets)))
