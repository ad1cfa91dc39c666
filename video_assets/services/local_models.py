"""Libraries and models that run on this machine: asked for when needed, loaded once a worker."""

import importlib
from collections.abc import Callable, Hashable
from typing import Any

from video_assets.media.errors import ToolMissingError

HOW_TO = "install them with `pip install 'video-assets[local]'`, then run again"

_kept: dict[str, tuple[Hashable, Any]] = {}


def load_library(name: str) -> Any:
    """Import a library of the extra `local`.

    Raises ToolMissingError if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ToolMissingError(
            f"local models need {error.name or name}, which is not installed; {HOW_TO}"
        ) from None


def keep(kind: str, settings: Hashable, load: Callable[[], Any]) -> Any:
    """Give the model of a kind that this worker holds, loaded again only for other settings.

    The earlier one is let go first: two of them may not fit into memory. If it is a client of a
    service, it is closed: its connections would stay open until somebody collects garbage.
    """
    kept = _kept.get(kind)
    if kept is not None and kept[0] == settings:
        return kept[1]
    del kept
    _close(_kept.pop(kind, (None, None))[1])
    model = load()
    _kept[kind] = (settings, model)
    return model


def _close(model: Any) -> None:
    close = getattr(model, "close", None)
    if close is not None:
        close()
