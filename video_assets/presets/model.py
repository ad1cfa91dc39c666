"""What a preset says, and the presets that there are."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from video_assets.presets.extending import extend
from video_assets.presets.step_names import STEP_NAMES, contradiction, resolve
from video_assets.presets.strict import SAYS_ALL, PresetError, nearest, read_strictly
from video_assets.presets.written import Written, read_yaml
from video_assets.settings import load_settings

PACKAGE = "video_assets.presets"
ALIASES = {"ai_comparison": "ai_research"}
AI_LANES = re.compile(r"ai_.+|embeddings")
SLOTS = {
    "default": 4,
    "metadata": 8,
    "thumbnails": 4,
    "compression": 2,
    "ai_analysis": 1,
    "embeddings": 4,
}
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
DEFAULT_PRESET = "default"


class StepConfiguration(BaseModel):
    """How one asset is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    category: Name = Field(description="group of the asset")
    name: Name = Field(description="asset, or one of the step names that stand for it")
    implementation: Name | None = Field(default=None, description="step name: which way to make it")
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
    extends: Name | None = Field(default=None, description="preset that this one changes")
    steps: tuple[StepConfiguration, ...] = Field(strict=False)
    worker_config: Mapping[Name, Annotated[int, Field(gt=0)]] = Field(
        default=SLOTS, description="lane to slots"
    )

    _switched_on: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _fits_together(self) -> "PipelineConfiguration":
        faults = list(self._misfits())
        if faults:
            raise ValidationError.from_exception_data(type(self).__name__, faults)
        return self

    def _misfits(self) -> Iterator[InitErrorDetails]:
        if not self.steps:
            yield _fault("steps is empty, so there would be nothing to do", "steps")
        seen: set[str] = set()
        for number, step in enumerate(self.steps):
            if step.name in seen:
                yield _fault(f"step {step.name} stands there twice", "steps", number)
            seen.add(step.name)
            if step.queue not in self.worker_config:
                text = (
                    f"step {step.name} waits in queue {step.queue!r}, which has no slots in "
                    f"worker_config; {nearest(step.queue, self.worker_config)}"
                )
                yield _fault(text, "steps", number, "queue")
            if wrong := contradiction(step.name, step.implementation, step.params):
                yield _fault(f"step {step.name}: {wrong}", "steps", number)

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

    def idle_ai_steps(self) -> tuple[str, ...]:
        """Name the disabled steps that wait in lanes of AI."""
        return tuple(s.name for s in self.steps if not s.enabled and AI_LANES.fullmatch(s.queue))

    def switch_on(self, names: Collection[str]) -> "PipelineConfiguration":
        """Enable some of the disabled steps."""
        steps = tuple(
            step.model_copy(update={"enabled": True}) if step.name in names else step
            for step in self.steps
        )
        switched = self.model_copy(update={"steps": steps})
        switched._switched_on = tuple(s.name for s in self.steps if s.name in names)
        return switched

    @property
    def switched_on(self) -> tuple[str, ...]:
        """The steps that were enabled although the preset has them disabled."""
        return self._switched_on


def preset_names() -> tuple[str, ...]:
    """List the presets that the program brings."""
    stems = (entry.name.partition(".yaml") for entry in files(PACKAGE).iterdir())
    return tuple(sorted(stem for stem, suffix, rest in stems if suffix and not rest))


def own_presets() -> dict[str, Path]:
    """Find the user's presets: the files NAME.yaml below `presets` in the home folder."""
    return {path.stem: path for path in sorted(load_settings().presets_dir.glob("*.yaml"))}


def load_preset(name: str) -> PipelineConfiguration:
    """Read a preset of the program or of the user, by its name or an alias.

    A preset is a name and never a path. Raises PresetError for a name that is not there, or a file
    that cannot be meant.
    """
    own, shipped = own_presets(), preset_names()
    if name in own and name in (*shipped, *ALIASES):
        raise PresetError(
            f"{own[name]}: {name} is a preset of the program, which yours cannot stand for; give "
            "yours another name, and let it say `extends` to change only a part"
        )
    name = known_name(name)
    return _read_own(own[name], name) if name in own else shipped_preset(name)


def known_name(name: str) -> str:
    """Give the name of a preset that may be called by an alias.

    Raises PresetError when there is none.
    """
    own, shipped = own_presets(), preset_names()
    if name in own:
        return name
    if ALIASES.get(name, name) in shipped:
        return ALIASES.get(name, name)
    raise PresetError(
        f"there is no preset {name!r}; {nearest(name, {*own, *shipped, *ALIASES})}; your own lie "
        f"in {load_settings().presets_dir} as NAME.yaml"
    )


@cache
def shipped_preset(name: str) -> PipelineConfiguration:
    """Read one of the program's presets, whatever the user has."""
    return parse_preset(files(PACKAGE).joinpath(f"{name}.yaml").read_text("utf-8"), name)


def _read_own(path: Path, name: str) -> PipelineConfiguration:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise PresetError(f"{path}: byte {error.start} is no UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise PresetError(f"{path} cannot be read: {error.strerror}") from None
    return parse_preset(text, name, where=str(path))


def parse_preset(text: str, name: str, *, where: str | None = None) -> PipelineConfiguration:
    """Read a preset's YAML.

    name   what it must call itself
    where  its file, for errors
    """
    where = where or f"preset {name}"
    written = _extended(read_yaml(text, where=where), where)
    preset = read_strictly(
        PipelineConfiguration, written.document, where=where, line_of=written.line_of
    )
    if preset.name != name:
        where = f"{where}, line {written.line_of(['name'])}"
        raise PresetError(f"{where}: preset {name} calls itself {preset.name}; the two must agree")
    return preset


def _extended(written: Written, where: str) -> Written:
    document = written.document
    if not isinstance(document, Mapping) or document.get("extends") is None:
        return written
    base = str(document["extends"])
    base = ALIASES.get(base, base)
    if base not in preset_names():
        raise PresetError(
            f"{where}, line {written.line_of(['extends'])}: extends {base!r}, which is no preset "
            f"of the program; {nearest(base, preset_names())}"
        )
    return extend(written, shipped_preset(base).model_dump())


def _fault(text: str, *place: str | int) -> InitErrorDetails:
    escaped: Any = text
    return InitErrorDetails(type=PydanticCustomError(SAYS_ALL, escaped), loc=place, input=None)
