"""The plan: which assets a preset makes of every clip, and what makes each of them current."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence

import dagster as dg

from video_assets import assets
from video_assets.analyzer import ANALYZERS, REGISTERED, Analyzer
from video_assets.presets.model import PipelineConfiguration, StepConfiguration
from video_assets.presets.step_names import STEP_NAMES, implementation_of
from video_assets.presets.strict import PresetError, nearest
from video_assets.storage.ledger import PlannedAsset


def analyzers() -> Mapping[str, Analyzer]:
    """Load every module below `assets/` and give the analyzers found there, by name."""
    for module in pkgutil.walk_packages(assets.__path__, f"{assets.__name__}."):
        importlib.import_module(module.name)
    return ANALYZERS


def plan_of(preset: PipelineConfiguration) -> tuple[PlannedAsset, ...]:
    """Lay out the enabled steps of a preset in the order of the asset graph.

    Raises PresetError for every step that no asset makes, or whose settings the asset refuses.
    """
    known = analyzers()
    steps = {step.name: step for step in preset.enabled_steps()}
    faults = list(faults_of(preset, steps.values()))
    if faults:
        raise PresetError("\n".join(faults))
    return tuple(
        _planned(known[name], place, steps[name])
        for place, name in enumerate(name for name in in_graph_order(known) if name in steps)
    )


def faults_of(preset: PipelineConfiguration, steps: Iterable[StepConfiguration]) -> Iterator[str]:
    """Hold steps of a preset against the assets that there are, and say what does not fit."""
    known = analyzers()
    for step in steps:
        where = f"preset {preset.name}, step {step.name}"
        if step.name not in known:
            yield f"{where}: no asset makes it; {nearest(step.name, {*known, *STEP_NAMES})}"
            continue
        try:
            known[step.name].settings(step.params, where=where)
        except PresetError as error:
            yield from str(error).splitlines()


def unmade_inputs(preset: PipelineConfiguration) -> Iterator[str]:
    """Say which enabled steps wait for what no enabled step makes."""
    known = analyzers()
    made = {step.name for step in preset.enabled_steps()} | {REGISTERED}
    for step in preset.enabled_steps():
        lacking = [name for name in known[step.name].required if name not in made]
        if lacking:
            yield (
                f"preset {preset.name}, step {step.name}: waits for {', '.join(lacking)}, which "
                "this preset does not make"
            )


def filled_in(preset: PipelineConfiguration) -> PipelineConfiguration:
    """Write out every setting of every step; variables stay as they are written.

    Raises PresetError as `plan_of` does, for disabled steps too.
    """
    if faults := list(faults_of(preset, preset.steps)):
        raise PresetError("\n".join(faults))
    return preset.model_copy(update={"steps": tuple(map(_filled_in, preset.steps))})


def _filled_in(step: StepConfiguration) -> StepConfiguration:
    params = ANALYZERS[step.name].written_settings(step.params)
    implementation = step.implementation or implementation_of(step.name, params)
    return step.model_copy(update={"params": params, "implementation": implementation})


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
        settings_fingerprint=asset.fingerprint(asset.settings(step.params)),
        required=asset.required,
        upstream=tuple(sorted(asset.upstream)),
        retry=step.retry,
        priority=step.priority,
        is_paid=asset.is_paid,
    )
