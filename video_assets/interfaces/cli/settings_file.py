"""Changing the settings file, whose comments and order are its owner's."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomlkit
from filelock import FileLock
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from video_assets.settings import Settings, SettingsError, WatchFolder


def add_watched(settings: Settings, folder: WatchFolder) -> None:
    """Add a watched folder at the end; what is as by default is not written."""
    written = folder.model_dump(mode="json", exclude_defaults=True)

    def add(document: tomlkit.TOMLDocument) -> None:
        watched = document.setdefault("watch", tomlkit.aot())
        table = tomlkit.table() if isinstance(watched, AoT) else tomlkit.inline_table()
        table.update(written)
        watched.append(table)

    _change(settings, add, "watch")


def remove_watched(settings: Settings, folder: Path) -> None:
    """Take a watched folder out."""

    def remove(document: tomlkit.TOMLDocument) -> None:
        watched: Any = document["watch"]
        for place in reversed(range(len(watched))):
            if WatchFolder.model_validate(watched[place].unwrap()).path == folder:
                del watched[place]
        if not watched:
            del document["watch"]

    _change(settings, remove, "watch")


def set_artifacts_url(settings: Settings, url: str | None) -> None:
    """Say where artifacts lie; None: in the home folder."""

    def put(document: tomlkit.TOMLDocument) -> None:
        table: Any = document.setdefault("artifacts", tomlkit.table())
        if url is not None:
            table["url"] = url
        elif "url" in table:
            del table["url"]
        if not table:
            del document["artifacts"]

    _change(settings, put, "artifacts")


def refuse_variables(name: str) -> None:
    """Raise SettingsError for a part of the settings that the environment says."""
    variable = f"VIDEO_ASSETS_{name.upper()}"
    for found in os.environ:
        if found.upper() == variable or found.upper().startswith(f"{variable}__"):
            raise SettingsError(
                f"the variable {found} wins over `{name}` of the settings file; change it, or "
                "unset it first"
            )


def _change(settings: Settings, change: Callable[[tomlkit.TOMLDocument], None], name: str) -> None:
    """Change a part of the file, whole or not at all, one process at a time."""
    refuse_variables(name)
    file = settings.settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        text = file.read_text("utf-8") if file.exists() else ""
        try:
            document = tomlkit.parse(text)
        except TOMLKitError as error:
            raise SettingsError(f"{file}: {error}") from None
        change(document)
        goal = file.resolve()  # it may be a link, which stays one
        new = goal.with_name(f"{goal.name}.new")
        new.write_text(tomlkit.dumps(document), "utf-8")
        if goal.exists():
            new.chmod(goal.stat().st_mode)
        new.replace(goal)
