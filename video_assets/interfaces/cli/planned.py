"""What a preset plans for every clip, remembered, so that nothing to do is found in an instant.

Laying out a plan imports Dagster and every analyzer, which takes longer than looking at a thousand
clips. The plan only changes with the program, so it is kept beside the catalogue with a digest of
the program's files.
"""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from video_assets.presets.model import PipelineConfiguration
from video_assets.presets.variables import variables_in
from video_assets.settings import Settings
from video_assets.storage.ledger import PlannedAsset

PACKAGE = Path(__file__).parents[2]


def plan_for(
    settings: Settings, preset: PipelineConfiguration, *, keep: bool = True
) -> tuple[PlannedAsset, ...]:
    """Lay out the enabled steps of a preset, or remember how they were laid out.

    keep  writes the plan down for the next time

    Raises PresetError for a step that no asset makes, or one whose settings the asset refuses.
    """
    file = settings.home / "plans" / f"{'+'.join((preset.name, *preset.switched_on))}.json"
    program = _digest_program(preset)
    remembered = _read(file, program)
    if remembered is not None:
        return remembered
    quiet_dagster()
    from video_assets.automation.plan import plan_of

    plan = plan_of(preset)
    if keep:
        _write(file, program, plan)
    return plan


def quiet_dagster() -> None:
    """Import Dagster without its warnings about what is new in it: the pinned release has it."""
    import warnings

    import dagster as dg

    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)


def _digest_program(preset: PipelineConfiguration) -> str:
    seen = hashlib.blake2b(digest_size=16)
    seen.update(preset.model_dump_json().encode())
    for name in sorted(variables_in([step.params for step in preset.enabled_steps()])):
        seen.update(f"{name}={os.environ.get(name)}\0".encode("utf-8", "surrogateescape"))
    for folder, _, names in sorted(os.walk(PACKAGE)):
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.join(folder, name)  # noqa: PTH118  200 files in 1 ms
                found = os.stat(path)  # noqa: PTH116
                seen.update(f"{path} {found.st_size} {found.st_mtime_ns}".encode())
    return seen.hexdigest()


def _read(file: Path, program: str) -> tuple[PlannedAsset, ...] | None:
    try:
        kept = json.loads(file.read_bytes())
        if kept["program"] != program:
            return None
        return tuple(
            PlannedAsset(
                **{
                    **asset,
                    "required": tuple(asset["required"]),
                    "upstream": tuple(asset["upstream"]),
                }
            )
            for asset in kept["plan"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, program: str, plan: tuple[PlannedAsset, ...]) -> None:
    kept = {"program": program, "plan": [asdict(asset) for asset in plan]}
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}.part")
    unfinished.write_text(json.dumps(kept), "utf-8")
    unfinished.replace(file)
