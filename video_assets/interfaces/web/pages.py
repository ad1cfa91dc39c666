"""What all pages share: one file with everything inside, in which nothing of a clip is obeyed."""

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from video_assets.interfaces.cli import wording
from video_assets.media.miniature import shrink_jpeg
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.run_folder import create

STILL_PX = 240
READERS = 4


def environment() -> Environment:
    """Where templates are, with the filters that write values as a terminal shows them."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        clean=wording.clean,
        duration=wording.duration,
        size=wording.size,
        rate=wording.rate,
        moment=wording.moment,
    )
    return made


def write(path: Path, template: Template, values: dict[str, Any]) -> None:
    """Write a page, whole or not at all."""
    stream: Any = template.stream(**values)
    stream.enable_buffering(64)
    with create(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        stream.dump(file)


def stills(names: Sequence[str | None], artifacts: Cache) -> list[str | None]:
    """Make stills of clips a part of a page; None where there is none.

    names  relative to the artifact store
    """
    artifacts.bring_all(name for name in names if name is not None)
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(partial(_still, folder=artifacts.root), names))


def _still(name: str | None, folder: Path) -> str | None:
    if name is None:
        return None
    try:
        data = (folder / name).read_bytes()
    except OSError:
        return None
    small = shrink_jpeg(data, STILL_PX)
    return base64.b64encode(small).decode() if small else None
