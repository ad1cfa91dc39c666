"""An analyzer: a function over one clip, as its decorator found it.

Its parameters say what it needs: `source` is the file, `settings` its part of the preset,
`artifacts` the folder for files it makes, `progress` is called with the share that is done,
`billing` pays for calls of services, and every other one is the result of the upstream asset of
that name.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from video_assets.presets.step_settings import complete
from video_assets.presets.variables import variables_in
from video_assets.services.outgoing import Sender
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.fingerprints import digest

SPECIAL = ("source", "settings", "artifacts", "progress", "billing")
REGISTERED = "checksum"
"""The asset that registration makes; whatever reads a clip's file comes after it."""

Metadata = Callable[[Any, ArtifactFolder], Mapping[str, Any]]
Quoter = Callable[[QuoteFacts, Any], Quote | None]
"""What a clip is likely to cost by the analyzer's settings; None if by these nothing is asked."""


@dataclass(frozen=True)
class Upstream:
    """One upstream asset of an analyzer."""

    model: type[BaseModel]
    is_required: bool


@dataclass(frozen=True)
class Analyzer:
    """A function over one clip, and how it is run."""

    name: str
    module: str
    function: Callable[..., BaseModel]
    result: type[BaseModel]
    inputs: Mapping[str, Upstream]
    settings_model: type[BaseModel] | None
    parameters: tuple[str, ...]
    lane: str
    code_version: str
    metadata: Metadata
    quote: Quoter | None = None
    sends: Sender | None = None
    checks: dict[str, Callable[[Any], str | None]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        function: Callable[..., BaseModel],
        *,
        lane: str,
        code_version: str,
        metadata: Metadata,
        quote: Quoter | None = None,
        sends: Sender | None = None,
    ) -> "Analyzer":
        """Read the parameters and annotations of a function over one clip."""
        hints = typing.get_type_hints(function)
        parameters = tuple(inspect.signature(function).parameters)
        return cls(
            name=function.__name__,
            module=function.__module__,
            function=function,
            result=hints["return"],
            inputs={name: _upstream(hints[name]) for name in parameters if name not in SPECIAL},
            settings_model=hints.get("settings"),
            parameters=parameters,
            lane=lane,
            code_version=code_version,
            metadata=metadata,
            quote=quote,
            sends=sends,
        )

    @property
    def takes_source(self) -> bool:
        """Whether it reads the camera file itself."""
        return "source" in self.parameters

    @property
    def is_paid(self) -> bool:
        """Whether it may call services that cost money."""
        return "billing" in self.parameters

    @property
    def group(self) -> str:
        """The folder it stands in."""
        return self.module.split(".")[-2]

    @property
    def upstream(self) -> tuple[str, ...]:
        """Name the assets that it comes after."""
        reads_file = self.takes_source and self.name != REGISTERED
        return (*((REGISTERED,) if reads_file else ()), *self.inputs)

    @property
    def required(self) -> tuple[str, ...]:
        """Name the upstream assets without which it cannot run."""
        optional = {name for name, upstream in self.inputs.items() if not upstream.is_required}
        return tuple(name for name in self.upstream if name not in optional)

    def settings(self, params: Mapping[str, Any], *, where: str | None = None) -> dict[str, Any]:
        """Complete its part of a preset with its defaults, and with the variables it names.

        where  which preset and step, for errors

        Raises PresetError, with one line for each, for names and values that it does not take.
        """
        model = self.settings_model or _NoSettings
        return complete(model, params, where=where or f"step {self.name}").model_dump(mode="json")

    def fingerprint(self, settings: Mapping[str, Any]) -> str:
        """Digest those of its complete settings on which a result depends.

        A field says by `json_schema_extra={"changes_result": False}` that none depends on it, such
        as how long a service is waited for: nothing is paid for again because of it.
        """
        return digest({name: settings[name] for name in settings if name not in self._aside})

    @property
    def _aside(self) -> set[str]:
        fields = self.settings_model.model_fields if self.settings_model else {}
        extras = {name: field.json_schema_extra for name, field in fields.items()}
        return {
            name
            for name, extra in extras.items()
            if isinstance(extra, dict) and extra.get("changes_result") is False
        }

    def written_settings(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Complete its part of a preset with its defaults, and leave variables as written."""
        written = {name: value for name, value in params.items() if variables_in(value)}
        plain = {name: value for name, value in params.items() if name not in written}
        return {**self.settings(plain), **written}


class _NoSettings(BaseModel):
    """Of an asset that takes none."""

    model_config = ConfigDict(extra="forbid")


ANALYZERS: dict[str, Analyzer] = {}
"""Every analyzer that was imported, by name."""


def _upstream(hint: Any) -> Upstream:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (model,) = (part for part in typing.get_args(hint) if part is not type(None))
        return Upstream(model, is_required=False)
    return Upstream(hint, is_required=True)
