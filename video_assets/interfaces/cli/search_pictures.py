"""The latest search as a page of pictures in the browser."""

import webbrowser
from collections.abc import Sequence

from video_assets.interfaces.cli.reading import Reading
from video_assets.interfaces.cli.wording import say
from video_assets.search import queries
from video_assets.search.queries import Hit

PAGE = "search.html"  # in the home folder


def show_pictures(opened: Reading, title: str, hits: Sequence[Hit]) -> None:
    """Write a page with a still of each hit, and show it."""
    from video_assets.interfaces.web import search_page  # what reads pictures takes long to load

    if opened.browser is None or not hits:
        return
    stills = queries.stills(opened.browser.catalogue, opened.owner, hits)
    path = opened.settings.home / PAGE
    search_page.write(path, title, hits, stills, opened.artifacts)
    if not webbrowser.open(path.as_uri()):
        say(f"there is no browser to show it in; the page lies at {path}", error=True)
