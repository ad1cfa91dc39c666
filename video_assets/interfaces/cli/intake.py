"""Intake: the files of an ingest become clips, and what became of each is counted."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.stopping import Stop
from video_assets.media.discovery import Candidate, Listing
from video_assets.storage import locations
from video_assets.storage.registration import Registered, Registrar


@dataclass
class Intake:
    """What became of the files of one or more looks at the same places."""

    roots: tuple[Path, ...]
    states: dict[Path, Registered] = field(default_factory=dict)
    unreachable: dict[Path, str] = field(default_factory=dict)

    @property
    def checksums(self) -> list[str]:
        """The clips of all readable files, each once."""
        return list(self.places())

    def places(self) -> dict[str, Path]:
        """Find each clip's first file, in the order of the files' names."""
        found: dict[str, Path] = {}
        for file in sorted(self.states.values(), key=lambda file: file.path):
            if file.checksum is not None:
                found.setdefault(file.checksum, file.path)
        return found

    def count(self, state: str) -> int:
        """Count the files of one state."""
        return sum(file.state == state for file in self.states.values())

    def of_state(self, state: str) -> list[Registered]:
        """List the files of one state by name."""
        return sorted(
            (file for file in self.states.values() if file.state == state),
            key=lambda file: file.path,
        )

    def name(self, path: Path) -> str:
        """Write a file as its owner knows it: below the folder that was named."""
        for root in self.roots:
            if path != root and path.is_relative_to(root):
                return locations.display(path.relative_to(root))
        return locations.display(Path(path.name) if path in self.roots else path)


def take_in(
    intake: Intake,
    registrar: Registrar,
    listing: Listing,
    meter: Meter,
    stop: Stop,
    on_file: Callable[[Registered], None],
) -> Intake:
    """Register what a listing holds: files are read once, and only if they are new.

    on_file  called with each file when it is registered or refused
    """

    def on_bytes(count: int) -> None:
        stop.check()
        meter.advance_bytes(count)

    def on_unknown(unknown: Sequence[Candidate]) -> None:
        meter.start_reading(len(unknown), sum(file.size_bytes for file in unknown))

    for reject in listing.rejects:
        intake.states[reject.path] = registrar.refuse(reject.path, reject.reason)
        on_file(intake.states[reject.path])
    intake.unreachable.update((each.path, each.reason) for each in listing.unreachable)
    files = registrar.register(listing.candidates, on_bytes=on_bytes, on_unknown=on_unknown)
    for file in files:
        stop.check()
        intake.states[file.path] = file
        meter.note_file(file)
        on_file(file)
    meter.end_reading()
    return intake


def absolute(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Make paths absolute without following links, as discovery does."""
    return tuple(Path(os.path.abspath(path)) for path in paths)  # noqa: PTH100
