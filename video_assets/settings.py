"""What the environment and the settings file say, read once by whoever starts something."""

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

import platformdirs
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from video_assets.artifact_place import ArtifactPlace, Artifacts
from video_assets.supabase_project import SupabaseProject

LOCAL_OWNER = UUID("00000000-0000-4000-8000-000000000001")
"""The one owner of an embedded catalogue; sql/embedded/90_local_owner.sql makes them."""

LOCAL = "local"  # what the settings and runs call them

DAGSTER_URL = "VIDEO_ASSETS_DAGSTER_URL"
"""The variable that names Dagster's own database, for Dagster's processes too."""

FILE_NAME = "settings.toml"
HOME_OF_ROOT = Path("/var/lib/video-assets")


class SettingsError(ValueError):
    """The environment or the settings file says something that cannot be meant."""


class WatchFolder(BaseModel):
    """A folder whose new files become clips by themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    owner: str = Field(default=LOCAL, description="whose clips they are: local, or a user's id")
    preset: str | None = Field(default=None, description="which steps they get; None: the default")
    pattern: str | None = Field(default=None, description="file names; None: every video format")
    ignore: tuple[str, ...] = Field(default=(), description="what is left out, as in .gitignore")
    recursive: bool = True
    local_only: bool = Field(default=False, description="nothing of its clips leaves this machine")

    @property
    def owner_id(self) -> UUID:
        """The owner's id."""
        return LOCAL_OWNER if self.owner == LOCAL else UUID(self.owner)

    @field_validator("path")
    @classmethod
    def _is_absolute(cls, path: Path) -> Path:
        return _absolute(path)

    @field_validator("owner")
    @classmethod
    def _is_somebody(cls, owner: str) -> str:
        try:
            return owner if owner == LOCAL else str(UUID(owner))
        except ValueError:
            raise ValueError(f"owner {owner!r} is neither local nor the id of a user") from None

    @field_validator("ignore")
    @classmethod
    def _can_be_read(cls, ignore: tuple[str, ...]) -> tuple[str, ...]:
        from pathspec import GitIgnoreSpec  # 30 ms, for those who watch a folder

        try:
            GitIgnoreSpec.from_lines(ignore)
        except ValueError as error:
            raise ValueError(f"ignore: {error}; write it as in .gitignore") from None
        return ignore


class Privacy(BaseModel):
    """What must not leave this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    local_only: tuple[Path, ...] = Field(
        default=(), description="folders: no service elsewhere is asked about the clips in them"
    )

    @field_validator("local_only")
    @classmethod
    def _are_absolute(cls, folders: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(map(_absolute, folders))


def _absolute(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_absolute():
        raise ValueError(f"{path} is relative, and there is no folder here to start from")
    return Path(os.path.normpath(path))


class Metrics(BaseModel):
    """Where Prometheus may read how the work goes, while `dev` or `worker` runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int | None = Field(default=None, ge=1, le=65535, description="on this machine alone")


class Notify(BaseModel):
    """Who is told when clips fail for good, or a run breaks off; nobody by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: SecretStr | None = Field(default=None, description="an address that takes JSON")
    command: tuple[str, ...] = Field(default=(), description="gets the message on its stdin")
    min_interval_s: float = Field(default=3600, ge=1, description="between two messages")

    @property
    def is_wanted(self) -> bool:
        """Whether there is anybody to tell."""
        return self.webhook is not None or bool(self.command)

    @field_validator("webhook")
    @classmethod
    def _is_an_address(cls, webhook: SecretStr | None) -> SecretStr | None:
        address = urlsplit(webhook.get_secret_value()) if webhook else None
        if address and (address.scheme not in ("http", "https") or not address.hostname):
            raise ValueError("it must begin with https:// or http://")
        return webhook


class Budget(BaseModel):
    """The most that calls of paid services may cost, in dollars; what would exceed it waits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call_usd: Decimal | None = Field(default=Decimal(1), ge=0, description="one call")
    run_usd: Decimal | None = Field(
        default=Decimal(10), ge=0, description="one ingest or backfill, unless --cap says otherwise"
    )
    day_usd: Decimal | None = Field(default=Decimal(25), ge=0, description="all, from midnight UTC")
    owner_month_usd: Decimal | None = Field(
        default=None, ge=0, description="one owner in a calendar month"
    )
    unpriced: tuple[str, ...] = Field(
        default=(),
        description="models that may be asked although no price is known of them, as "
        "provider/model; no cap holds for them",
    )


class RateLimit(BaseModel):
    """How much one key may be used, by all processes together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int | None = Field(default=60, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)


class Cleanup(BaseModel):
    """How long things are kept that a clean-up removes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace_days: float = Field(
        default=7, ge=0, description="a file that no result names waits so long"
    )
    missing_after_days: float = Field(
        default=30, ge=0, description="a clip whose files are gone is shown as missing after this"
    )
    keep_events_days: float = Field(default=90, ge=0)
    keep_dagster_days: float = Field(default=90, ge=0)
    keep_logs_days: float = Field(default=30, ge=0)
    keep_runs: int = Field(default=10, ge=0, description="the newest, when old ones are removed")


class Settings(  # pyright: ignore[reportIncompatibleVariableOverride]
    ArtifactPlace, SupabaseProject, BaseSettings
):
    """Where things lie and how a new catalogue is made.

    A variable VIDEO_ASSETS_<NAME> wins over the line <name> of the settings file.
    """

    model_config = SettingsConfigDict(
        env_prefix="VIDEO_ASSETS_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )

    home: Path = Field(default_factory=lambda: default_home())
    checksum_algorithm: Literal["blake3", "md5"] = "blake3"
    watch: tuple[WatchFolder, ...] = ()
    preset: str = Field(default="default", description="of `dev` and `worker`")
    queues: tuple[str, ...] = Field(
        default=(), description="the lanes that `dev` and `worker` work in; none means all"
    )
    workers: int | None = Field(
        default=None, ge=1, description="processes at most in each lane of `dev` and `worker`"
    )
    cleanup: Cleanup = Cleanup()
    budget: Budget = Budget()
    privacy: Privacy = Privacy()
    rate_limits: Mapping[str, RateLimit] = Field(
        default={}, description="by service: gemini, anthropic, openai, or the name of its host"
    )
    speech_api_key: SecretStr | None = Field(
        default=None, description="of the service that the step transcript may ask"
    )
    deepinfra_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DEEPINFRA_API_KEY", "VIDEO_ASSETS_DEEPINFRA_API_KEY"),
        description="of DeepInfra, which the steps of embeddings ask by default",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY", "VIDEO_ASSETS_OPENAI_API_KEY"),
        description="of OpenAI, where a preset has it make embeddings",
    )
    gemini_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("GEMINI_API_KEY", "VIDEO_ASSETS_GEMINI_API_KEY"),
        description="of Google, whose Gemini the step gemini_analysis asks",
    )
    embedding_api_key: SecretStr | None = Field(
        default=None, description="of another service that makes embeddings"
    )

    anthropic_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("ANTHROPIC_API_KEY", "VIDEO_ASSETS_ANTHROPIC_API_KEY"),
        description="of Anthropic, where a preset has Claude describe clips",
    )
    local_ai_api_key: SecretStr | None = Field(
        default=None, description="of a server of your own that describes clips, if it wants one"
    )

    metrics: Metrics = Metrics()
    notify: Notify = Notify()

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, home: Path) -> Path:
        return Path(os.path.normpath(home.expanduser().absolute()))

    @property
    def is_embedded(self) -> bool:
        """Whether the catalogue lies in our own Postgres."""
        return self.db_url is None

    @property
    def is_by_api(self) -> bool:
        """Whether the catalogue is one of a project, of whose database nothing is said."""
        return self.db_url is None and self.supabase_url is not None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown or written down."""
        kept = [value.get_secret_value() for value in _secrets_in(self)]
        urls = (self.db_url or "", self.session_db_url or "")
        return (*kept, *filter(None, (urlsplit(url).password for url in urls)))

    @property
    def local_only(self) -> tuple[Path, ...]:
        """Folders of whose clips nothing may leave this machine, whoever owns them."""
        watched = (folder.path for folder in self.watch if folder.local_only)
        return (*self.privacy.local_only, *watched)

    @property
    def artifacts_dir(self) -> Path:
        """Where thumbnails, proxies and the like are kept."""
        return self.home / "artifacts"

    @property
    def lanes_dir(self) -> Path:
        """Where processes on this machine agree on who works in which lane."""
        return self.home / "lanes"

    @property
    def presets_dir(self) -> Path:
        """Where the user's own presets lie."""
        return self.home / "presets"

    @property
    def dagster_home(self) -> Path:
        """What Dagster calls DAGSTER_HOME."""
        return self.home / "dagster"

    @property
    def settings_file(self) -> Path:
        """The file these settings were read from, if it exists."""
        return self.home / FILE_NAME

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the file of the home that the arguments or the environment name."""
        home = init_settings().get("home") or env_settings().get("home") or default_home()
        file = TomlConfigSettingsSource(settings_cls, Path(home).expanduser() / FILE_NAME)
        return (init_settings, env_settings, file)


def _secrets_in(model: BaseModel) -> Iterator[SecretStr]:
    for _, value in model:
        if isinstance(value, SecretStr):
            yield value
        elif isinstance(value, BaseModel):
            yield from _secrets_in(value)


def default_home() -> Path:
    """Where everything is kept when VIDEO_ASSETS_HOME does not say."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return HOME_OF_ROOT  # Postgres runs under another account, which cannot look into /root
    return Path(platformdirs.user_data_dir("video-assets", appauthor=False))


def load_settings(home: Path | None = None) -> Settings:
    """Read the environment and the settings file; makes nothing on disk.

    Raises SettingsError, which names the file or variable at fault.
    """
    where = Path(home or os.environ.get("VIDEO_ASSETS_HOME") or default_home()) / FILE_NAME
    try:
        settings = Settings() if home is None else Settings(home=home)
    except ValidationError as error:
        raise SettingsError(_explain(error, where)) from None
    except ValueError as error:  # no TOML, or no JSON in a variable
        raise SettingsError(f"{where} or a VIDEO_ASSETS_ variable: {error}") from None
    if "home" in _keys(settings):
        raise SettingsError(
            f"{where}: home cannot be set in the file that is found through it; "
            "set VIDEO_ASSETS_HOME instead"
        )
    return settings


def _keys(settings: Settings) -> set[str]:
    source = TomlConfigSettingsSource(type(settings), settings.settings_file)
    return set(source.toml_data)


_TABLES: dict[str, type[BaseModel]] = {
    "artifacts": Artifacts,
    "watch": WatchFolder,
    "metrics": Metrics,
    "notify": Notify,
    "cleanup": Cleanup,
    "budget": Budget,
    "privacy": Privacy,
}


def _explain(error: ValidationError, where: Path) -> str:
    lines = []
    for found in error.errors():
        name = _as_given(".".join(str(part) for part in found["loc"]))
        if found["type"] == "extra_forbidden":
            model = (
                _TABLES.get(str(found["loc"][0]), Settings) if len(found["loc"]) > 1 else Settings
            )
            known = ", ".join(key for key in model.model_fields if key != "home")
            lines.append(f"unknown key {name}; known are {known}")
        elif name == "watch":
            lines.append("write [[watch]] above each watched folder, with two brackets")
        else:
            is_secret = name.lower().endswith(("key", "webhook", "url"))
            value = "a value that is not shown" if is_secret else repr(found["input"])
            lines.append(f"{name}: {found['msg']} (found {value})")
    return f"{where} or a VIDEO_ASSETS_ variable: " + "; ".join(lines)


def _as_given(name: str) -> str:
    """The variable that is set, of a setting that goes by several."""
    for field in Settings.model_fields.values():
        names = field.validation_alias
        if isinstance(names, AliasChoices) and name in names.choices:
            return next((str(each) for each in names.choices if os.environ.get(str(each))), name)
    return name
