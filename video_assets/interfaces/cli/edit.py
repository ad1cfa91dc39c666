"""`video-assets edit`: say oneself what a clip is about; no analyzer overwrites it."""

from typing import Annotated

import typer

from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    leave,
    one_clip,
    reading,
)
from video_assets.interfaces.cli.wording import clean, listed, say, say_json
from video_assets.storage import descriptions
from video_assets.storage.descriptions import Field


def edit(
    clip: Annotated[
        str, typer.Argument(help="Id or checksum, or the beginning of one; file name or path.")
    ],
    summary: Annotated[
        str | None, typer.Option("--summary", help="What the clip shows; '' for nothing.")
    ] = None,
    tags: Annotated[
        str | None, typer.Option("--tags", help="Words to find it by, with commas between.")
    ] = None,
    category: Annotated[str | None, typer.Option("--category", help="What kind it is.")] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="First take back all that was set by hand.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say yourself what a clip is about; what you set stays, whatever analyzers say later.

    It holds for your clip alone, and search by words finds it at once.
    """
    values = _values(summary, tags, category)
    if not values and not clear:
        leave("nothing to change; give --summary, --tags, --category or --clear")
    with reading() as opened:
        if opened.browser is None:
            leave(NO_CATALOGUE)
        name = one_clip(opened.browser, clip)
        catalogue = opened.browser.catalogue
        edited = descriptions.edit(catalogue, opened.owner, name.id, values, clear=clear)
        details = opened.browser.details(name.id)
    if details is None:
        leave(f"{name.file_path} has just been removed from the catalogue")
    found = details.clip
    if as_json:
        say_json(
            {
                "clip": name.id,
                "edited": edited,
                "summary": found.content_summary,
                "tags": found.content_tags,
                "category": found.content_category,
            }
        )
        return
    say(f"{name.file_name}: {_told(edited)}")
    say(f"  Category: {clean(found.content_category or '—')}")
    say(f"  Tags:     {listed(found.content_tags or ())}")
    say(f"  Summary:  {clean(found.content_summary or '—')}")


def _values(
    summary: str | None, tags: str | None, category: str | None
) -> dict[Field, str | list[str] | None]:
    values: dict[Field, str | list[str] | None] = {}
    if summary is not None:
        values["summary"] = summary.strip() or None
    if tags is not None:
        words = (" ".join(word.split()) for word in tags.split(","))
        values["tags"] = list(dict.fromkeys(word for word in words if word))
    if category is not None:
        values["category"] = category.strip() or None
    return values


def _told(edited: list[str]) -> str:
    return f"{listed(edited)} set by hand" if edited else "nothing is set by hand"
