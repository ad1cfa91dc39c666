"""Watching: the files that appear while an ingest waits, once they are no longer being written."""

import time
from collections.abc import Callable
from pathlib import Path

from video_assets.media.discovery import Candidate, Listing, is_settled
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import locations
from video_assets.storage.postgres import Postgres

TICK_S = 2.0
QUIET_S = 3.0  # a card is written in bursts; a pause this long is the end of a file


class Watcher:
    """Gives listings of new files at rest."""

    def __init__(self, look: Callable[[], Listing], catalogue: Postgres, first: Listing) -> None:
        """Begin after a first listing, whose files were handed out already."""
        self._look = look
        self._catalogue = catalogue
        self._handed = set(first.candidates)
        self._before: dict[Path, Candidate] = {}

    def wait(self) -> Listing:
        """Look again and again until there are new files at rest."""
        while not (ready := self._take_ready()):
            time.sleep(TICK_S)
        self._handed.update(ready)
        return Listing(candidates=tuple(ready), rejects=(), unreachable=())

    def _take_ready(self) -> list[Candidate]:
        fresh = [each for each in self._look().candidates if each not in self._handed]
        if not fresh:
            return []
        known = locations.recognise(self._catalogue, LOCAL_OWNER, fresh)
        settled = [each for each in known.unknown if self._is_settled(each)]
        self._before = {each.path: each for each in known.unknown}
        return [*(each for each in fresh if each.path in known.renamed), *settled]

    def _is_settled(self, now: Candidate) -> bool:
        before = self._before.get(now.path)
        return before is not None and is_settled(
            before, now, now_ns=time.time_ns(), quiet_s=QUIET_S
        )
