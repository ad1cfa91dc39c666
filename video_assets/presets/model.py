"""What a preset says, and the presets that there are."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from video_assets.presets.step_names import STEP_NAMES, resolve
from video_assets.presets.strict import PresetError, nearest, read_strictly

PACKAGE = "video_assets.presets"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
DEFAULT_PRESET = "default"


class StepConfiguration(BaseModel):
    """How one asset is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    category: Name = Field(description="group of the asset")
    name: Name = Field(description="asset, or one of the step names that stand for it")
    implementation: Name | None = Field(default=None, description="the step name that was written")
    enabled: bool = True
    priority: int = Field(default=50, ge=1, le=100, description="lower goes first")
    queue: Name = Field(default="default", description="lane")
    retry: int = Field(default=3, ge=0, description="more attempts after a passing fault")
    timeout: int = Field(default=300, gt=0, description="seconds for one clip")
    params: Mapping[str, Any] = Field(default={}, description="the asset's own settings")

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_asset(cls, written: Any) -> Any:
        return resolve(written) if isinstance(written, Mapping) else written


class PipelineConfiguration(BaseModel):
    """Which assets are made for every clip, and how many at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    description: str = ""
    version: str = "1.0"
    steps: tuple[StepConfiguration, ...] = Field(strict=False)
    worker_config: Mapping[Name, Annotated[int, Field(gt=0)]] = Field(description="lane to slots")

    @model_validator(mode="after")
    def _every_step_has_a_lane(self) -> "PipelineConfiguration":
        if not self.steps:
            raise ValueError("steps is empty, so there would be nothing to do")
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise ValueError(f"step {step.name} stands there twice")
            seen.add(step.name)
            if step.queue not in self.worker_config:
                raise ValueError(
                    f"step {step.name} waits in queue {step.queue!r}, which has no slots in "
                    f"worker_config; {nearest(step.queue, self.worker_config)}"
                )
        return self

    def step(self, asset: str) -> StepConfiguration | None:
        """Return how the asset is made, or None when this preset does not name it."""
        return next((step for step in self.steps if step.name == asset), None)

    def refuse_other_checksums(self, algorithm: str) -> None:
        """Raise PresetError where a step asks for another algorithm than the catalogue's."""
        step = self.step("checksum")
        wanted = STEP_NAMES[step.implementation].requires if step and step.implementation else None
        if wanted not in (None, algorithm):
            raise PresetError(
                f"preset {self.name} asks for {step.implementation if step else wanted}, but this "
                f"catalogue knows its clips by {algorithm}; one catalogue has one algorithm, which "
                "VIDEO_ASSETS_CHECKSUM_ALGORITHM chooses before it is made"
            )

    def enabled_steps(self) -> tuple[StepConfiguration, ...]:
        """Return the steps that run."""
        return tuple(step for step in self.steps if step.enabled)


def preset_names() -> tuple[str, ...]:
    """List the presets that the package brings."""
    stems = (entry.name.partition(".yaml") for entry in files(PACKAGE).iterdir())
    return tuple(sorted(stem for stem, suffix, rest in stems if suffix and not rest))


@cache
def load_preset(name: str) -> PipelineConfiguration:
    """Read one of the package's presets.

    A preset is a name and never a path. Raises PresetError for a name that is not there.
    """
    if name not in preset_names():
        raise PresetError(f"there is no preset {name!r}; {nearest(name, preset_names())}")
    return parse_preset(files(PACKAGE).joinpath(f"{name}.yaml").read_text("utf-8"), name)


def parse_preset(text: str, name: str) -> PipelineConfiguration:
    """Read a preset's YAML; `name` is what it goes by in errors and must be its own."""
    try:
        written = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        one_line = re.sub(r"\s+", " ", str(fault))
        raise PresetError(f"preset {name} is not YAML: {one_line}") from None
    preset = read_strictly(PipelineConfiguration, written, where=f"preset {name}")
    if preset.name != name:
        raise PresetError(f"preset {name} calls itself {preset.name}; the two must agree")
    return preset
