"""What commands share that only look: the open catalogue, and a clip by its name."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import UUID

import typer

from video_assets.interfaces.cli.faults import USAGE
from video_assets.interfaces.cli.identity import identify
from video_assets.interfaces.cli.wording import clean, say, short_id
from video_assets.settings import Settings, load_settings
from video_assets.storage.catalogue import open_existing, require_database
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

if TYPE_CHECKING:
    from video_assets.accounts.identity import Identity
    from video_assets.storage.artifact_cache import Cache
    from video_assets.storage.browse import Browser, ClipName
    from video_assets.storage.rest import RestCatalogue

NO_CATALOGUE = "no catalogue yet: run `video-assets ingest FOLDER`"
MATCHES_SHOWN = 10

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
MOST = 100_000_000  # searches count in integers of the database, and five times as far
LimitOption = Annotated[
    int, typer.Option("--limit", "-l", min=1, max=MOST, help="Show at most so many.")
]


@dataclass(frozen=True)
class Reading:
    """The settings, who asks, and the catalogue; None where none was ever made."""

    settings: Settings
    owner: UUID
    catalogue: WayIn | None

    @property
    def database(self) -> Postgres:
        """The catalogue for what needs more than its owner's rows; ends where there is no way."""
        if not isinstance(self.catalogue, Postgres):
            require_database(self.settings)
            leave(NO_CATALOGUE)
        return self.catalogue

    @property
    def browser(self) -> "Browser | None":
        """The clips of the catalogue as their owner sees them."""
        from video_assets.storage.browse import Browser  # 20 ms, for those who show clips

        return Browser(self.catalogue, self.owner) if self.catalogue else None

    @property
    def artifacts(self) -> "Cache":
        """The files that were made of clips."""
        from video_assets.storage.artifact_store import open_cache

        return open_cache(self.settings, self.catalogue)


@contextmanager
def reading() -> Iterator[Reading]:
    """Open the catalogue to look into it, and make none.

    Whoever has the database's password goes by it; of a project alone its API is asked.
    """
    settings = load_settings()
    if settings.is_by_api:
        with _signed_in(settings) as somebody:
            yield Reading(settings, somebody.user_id, by_token(somebody))
        return
    owner = identify(settings).owner
    catalogue = open_existing(settings)
    try:
        yield Reading(settings, owner, catalogue)
    finally:
        if catalogue:
            catalogue.close()


def by_token(identity: "Identity") -> "RestCatalogue":
    """The catalogue of a project, through its API, as whoever is signed in."""
    from video_assets.accounts.refusals import asking
    from video_assets.storage.rest import RestCatalogue

    url = identity.project.url
    return RestCatalogue(lambda: identity.client, identity.user_id, url, partial(asking, url))


def _signed_in(settings: Settings) -> "AbstractContextManager[Identity]":
    from video_assets.accounts import identity

    return closing(identity.identify(settings))


def where_processed(command: str) -> str:
    """Name a command that processes clips; whoever has a token alone is told where it runs."""
    place = " on a machine that has SUPABASE_DB_URL" if load_settings().is_by_api else ""
    return f"`{command}`{place}"


def leave(sentence: str) -> NoReturn:
    """End with a sentence on the error stream: what was named is not there."""
    say(sentence, error=True)
    raise typer.Exit(USAGE)


def one_clip(browser: "Browser | None", name: str) -> "ClipName":
    """The one clip that a name means; without one, end by saying what it may have meant."""
    from video_assets.storage.browse import SHORTEST_PREFIX

    if browser is None:
        leave(NO_CATALOGUE)
    found = browser.find(name)
    if len(found) == 1:
        return found[0]
    if found:
        matches = [f"  {short_id(each.id)}  {each.file_path}" for each in found[:MATCHES_SHOWN]]
        more = len(found) - MATCHES_SHOWN
        say(f"{name} is {len(found)} clips; name one by its id:", error=True)
        for line in [*matches, *([f"  and {more:,} more"] if more > 0 else [])]:
            say(line, error=True)
        raise typer.Exit(USAGE)
    for each in browser.find_unreadable(name)[:1]:
        leave(f"{each.path} could not become a clip: {each.reason}")
    leave(
        f"no clip is called {clean(name)}; give a file name, a path, or at least "
        f"{SHORTEST_PREFIX} characters of an id or checksum, as `video-assets list` shows them"
    )
