"""The plan: which assets a preset makes of every clip, and what makes each of them current."""

import importlib
import pkgutil
from collections.abc import Mapping

from video_assets import assets
from video_assets.clip_asset import CLIP_ASSETS, ClipAsset, planned
from video_assets.presets.model import PipelineConfiguration
from video_assets.presets.strict import PresetError, nearest
from video_assets.storage.ledger import PlannedAsset


def analyzers() -> Mapping[str, ClipAsset]:
    """Load every module below `assets/` and give the analyzers found there, by name."""
    for module in pkgutil.walk_packages(assets.__path__, f"{assets.__name__}."):
        importlib.import_module(module.name)
    return CLIP_ASSETS


def plan_of(preset: PipelineConfiguration) -> tuple[PlannedAsset, ...]:
    """Lay out the enabled steps of a preset in the order of the asset graph.

    Raises PresetError for a step that no asset makes, or one whose settings the asset refuses.
    """
    known = analyzers()
    params = {}
    for step in preset.enabled_steps():
        if step.name not in known:
            raise PresetError(
                f"preset {preset.name}: no asset makes step {step.name!r}; "
                f"{nearest(step.name, known)}"
            )
        params[step.name] = step.params
    try:
        return tuple(
            planned(known[name], place, params[name])
            for place, name in enumerate(name for name in in_graph_order(known) if name in params)
        )
    except ValueError as error:
        raise PresetError(f"preset {preset.name}: {error}") from None


def in_graph_order(known: Mapping[str, ClipAsset]) -> list[str]:
    """Order assets so that each comes after those it reads."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name not in ordered:
            for upstream in known[name].upstream:
                visit(upstream)
            ordered.append(name)

    for name in sorted(known):
        visit(name)
    return ordered
