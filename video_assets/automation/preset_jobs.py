"""The jobs of the program's presets: what each makes, by its settings, for whoever uses the UI.

The user's own presets are no jobs, because what a code location holds must not hang on a home
folder; their clips are processed by `process_clips`, whose runs name the preset in a tag.
"""

import dagster as dg

from video_assets.analyzer import REGISTERED
from video_assets.presets.model import PipelineConfiguration, preset_names, shipped_preset
from video_assets.resources import PRESET_TAG


def _steps_of(preset: PipelineConfiguration) -> dg.AssetSelection:
    names = [step.name for step in preset.enabled_steps() if step.name != REGISTERED]
    return dg.AssetSelection.assets(*names)


preset_jobs = [
    dg.define_asset_job(
        preset.name,
        selection=_steps_of(preset),
        description=f"The steps of the preset {preset.name}: {preset.description}.",
        tags={PRESET_TAG: preset.name},
    )
    for preset in map(shipped_preset, preset_names())
]
