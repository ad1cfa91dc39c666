"""The plan: which assets a preset makes of every clip, and what makes each of them current."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from video_assets import assets
from video_assets.analyzer import ANALYZERS, REGISTERED, Analyzer
from video_assets.presets.model import PipelineConfiguration, StepConfiguration
from video_assets.presets.strict import PresetError, nearest
from video_assets.storage.fingerprints import digest
from video_assets.storage.ledger import PlannedAsset


def analyzers() -> Mapping[str, Analyzer]:
    """Load every module below `assets/` and give the analyzers found there, by name."""
    for module in pkgutil.walk_packages(assets.__path__, f"{assets.__name__}."):
        importlib.import_module(module.name)
    return ANALYZERS


def plan_of(preset: PipelineConfiguration) -> tuple[PlannedAsset, ...]:
    """Lay out the enabled steps of a preset in the order of the asset graph.

    Raises PresetError for a step that no asset makes, or one whose settings the asset refuses.
    """
    known = analyzers()
    steps: dict[str, StepConfiguration] = {}
    for step in preset.enabled_steps():
        if step.name not in known:
            raise PresetError(
                f"preset {preset.name}: no asset makes step {step.name!r}; "
                f"{nearest(step.name, known)}"
            )
        steps[step.name] = step
    try:
        return tuple(
            _planned(known[name], place, steps[name])
            for place, name in enumerate(name for name in in_graph_order(known) if name in steps)
        )
    except ValueError as error:
        raise PresetError(f"preset {preset.name}: {error}") from None


def serve(
    plan: Sequence[PlannedAsset], preset: PipelineConfiguration, queues: Sequence[str]
) -> tuple[PlannedAsset, ...]:
    """Leave the assets of a preset's plan that go through these lanes; none means all."""
    served = {step.name for step in preset.steps if not queues or step.queue in queues}
    return tuple(asset for asset in plan if asset.asset in served)


def narrowed(preset: PipelineConfiguration, assets: Iterable[str]) -> PipelineConfiguration:
    """Give a preset that makes these assets and no others, each by its settings or its defaults.

    Raises PresetError for an asset that there is not.
    """
    known = analyzers()
    steps: list[StepConfiguration] = []
    for name in assets:
        if name not in known:
            raise PresetError(f"there is no asset {name!r}; {nearest(name, known)}")
        step = preset.step(name) or StepConfiguration(
            category=known[name].group, name=name, queue="default"
        )
        steps.append(step.model_copy(update={"enabled": True}))
    return preset.model_copy(update={"steps": tuple(steps)})


def needed_for(assets: Iterable[str]) -> list[str]:
    """Name some assets and everything that they cannot do without."""
    known = analyzers()
    needed = list(dict.fromkeys(assets))
    for name in needed:
        if name in known:
            needed += [each for each in known[name].required if each not in needed]
    return needed


def selection_of(plan: Sequence[PlannedAsset]) -> list[dg.AssetKey]:
    """Select what a run of a plan makes: its steps and no others, without the registration."""
    return [dg.AssetKey(asset.asset) for asset in plan if asset.asset != REGISTERED]


def in_graph_order(known: Mapping[str, Analyzer]) -> list[str]:
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


def _planned(asset: Analyzer, position: int, step: StepConfiguration) -> PlannedAsset:
    """Say what a result of this asset must be made with to count as current."""
    return PlannedAsset(
        asset=asset.name,
        position=position,
        code_version=asset.code_version,
        settings_fingerprint=digest(asset.settings(step.params)),
        required=asset.required,
        upstream=tuple(sorted(asset.upstream)),
        retry=step.retry,
        priority=step.priority,
    )
