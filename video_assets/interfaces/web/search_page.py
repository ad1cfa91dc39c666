"""What a search found, as pictures: one page without scripts, in which everything is inside."""

from collections.abc import Sequence
from pathlib import Path

from video_assets.interfaces.cli.search_table import SAID_WIDTH, cut, timecode
from video_assets.interfaces.cli.wording import camera
from video_assets.interfaces.web import pages
from video_assets.search.queries import Hit
from video_assets.storage.artifact_cache import Cache


def write(
    path: Path, title: str, hits: Sequence[Hit], stills: Sequence[str | None], artifacts: Cache
) -> None:
    """Write the page of a search.

    stills     a file for each hit, relative to the artifact store
    artifacts  where that is
    """
    pictures = pages.stills(stills, artifacts)
    cards = [
        {
            "still": picture,
            "name": hit.file_name,
            "link": Path(hit.local_path).as_uri() if Path(hit.local_path).is_absolute() else None,
            "id": hit.id,
            "at": timecode(hit.at_s),
            "says": cut(hit.excerpt or hit.content_summary, SAID_WIDTH),
            "duration_s": hit.duration_seconds,
            "camera": camera(hit.camera_make, hit.camera_model),
        }
        for hit, picture in zip(hits, pictures, strict=True)
    ]
    environment = pages.environment()
    environment.filters["short"] = lambda clip_id: str(clip_id)[:8]
    template = environment.get_template("search_page.html.j2")
    pages.write(path, template, {"title": title, "cards": cards})
