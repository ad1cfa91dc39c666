"""Watching: the files that appear while an ingest waits, once they are no longer being written."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from video_assets.interfaces.cli.faults import tell
from video_assets.interfaces.cli.wording import counted
from video_assets.media import at_rest
from video_assets.media.discovery import Candidate, Listing, Rules, discover
from video_assets.storage import locations
from video_assets.storage.locations import display
from video_assets.storage.postgres import Postgres
from video_assets.storage.survey import Survey, forget_mended, survey

TICK_S = 2.0
BUSY_FRACTION = 0.05  # of the time that looking may take


class Watcher:
    """Gives listings of new files at rest, and notes which known files are gone or back."""

    def __init__(
        self, roots: Sequence[Path], rules: Rules, catalogue: Postgres, owner: UUID
    ) -> None:
        """Begin to watch places for an owner, each by the same rules."""
        self._roots = roots
        self._rules = rules
        self._catalogue = catalogue
        self._owner = owner
        self._handed: set[Candidate] = set()
        self._looks: at_rest.Looks = {}
        self._remarks: dict[Path, str | None] = {}

    def first(self, listing: Listing) -> Listing:
        """Leave out of a first listing what is still being written: it is given once at rest."""
        new = locations.recognise(self._catalogue, self._owner, listing.candidates).unknown
        in_work = set(new) - set(at_rest.wait_for_rest(new))
        taken = tuple(file for file in listing.candidates if file not in in_work)
        self._handed.update(taken)
        return replace(listing, candidates=taken)

    def wait(self) -> Listing:
        """Look again and again until there are new files at rest."""
        while True:
            began = time.monotonic()
            if ready := self._look():
                return Listing(candidates=tuple(ready))
            time.sleep(max(TICK_S, (time.monotonic() - began) / BUSY_FRACTION))

    def _look(self) -> list[Candidate]:
        moved, new = list[Candidate](), list[Candidate]()
        for root in self._roots:
            found = hold(self._catalogue, self._owner, root, discover([root], self._rules))
            self._say(root, found.remark)
            moved += found.moved
            new += (file for file in found.new if file not in self._handed)
        resting, self._looks = at_rest.part(new, self._looks)
        self._handed.update(resting)
        return [*moved, *resting]

    def _say(self, root: Path, remark: str | None) -> None:
        if remark != self._remarks.get(root):
            self._remarks[root] = remark
            tell(
                f"{display(root)}: {remark}; nothing was changed, and it is looked at again"
                if remark
                else f"{display(root)}: back again"
            )


def hold(catalogue: Postgres, owner: UUID, root: Path, listing: Listing) -> Survey:
    """Hold a look at one place against an owner's catalogue, and say which known files are gone."""
    found = survey(catalogue, owner, root, listing)
    forget_mended(catalogue, owner, root, listing)
    if found.gone:
        tell(
            f"{display(root)}: {counted(found.gone, 'known file')} gone; the clips stay, and are "
            "known again wherever the files come back"
        )
    return found
