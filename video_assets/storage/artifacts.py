"""The artifact store on disk: files that analyzers make of a clip, in a folder of its own.

`<root>/<first two of the checksum>/<checksum>/<asset>/<name>`. A name in a result is relative to
the root, so that the store can move. No name leads out of the folder of its clip: one that would
raises ValueError.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

UNFINISHED = ".part"


@dataclass(frozen=True)
class ArtifactFolder:
    """Where one asset keeps its files of one clip.

    bring  fetches a file of the store by its name, where not all of them are on this machine
    """

    path: Path
    bring: Callable[[str], Path] | None = field(default=None, compare=False)
    written: set[str] = field(default_factory=set, compare=False)
    _open: set[str] = field(default_factory=set, init=False, compare=False)

    @classmethod
    def of(cls, root: Path, checksum: str, asset: str) -> "ArtifactFolder":
        """Find the folder of one asset of one clip."""
        return cls(root / checksum[:2] / checksum / asset)

    def write(self, name: str, data: bytes) -> str:
        """Write a file whole or not at all, and give its name relative to the store's root.

        Raises OSError, with nothing left behind, when the disk is full.
        """
        with self.create(name) as unfinished:
            unfinished.write_bytes(data)
        return self.name_of(name)

    @contextmanager
    def create(self, name: str) -> Iterator[Path]:
        """Give the place of a file that a library writes; it gets its name when it is whole.

        Whatever is raised inside the block leaves nothing behind.
        """
        unfinished = self.path / f"{_plain(name)}{UNFINISHED}"
        self._prepare()
        self._open.add(unfinished.name)
        try:
            yield unfinished
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(self.path / name)
        finally:
            unfinished.unlink(missing_ok=True)
            self._open.discard(unfinished.name)
        self.written.add(name)

    def name_of(self, name: str) -> str:
        """Name one of these files relative to the store's root."""
        return "/".join((*self.path.parts[-3:], name))

    def upstream(self, name: str) -> Path:
        """Find a file that another asset made of the same clip, by its name in that result."""
        parts = PurePosixPath(name).parts
        if parts[:-2] != self.path.parts[-3:-1] or ".." in parts or "\\" in name:
            raise ValueError(f"{name!r} is no file that was made of the same clip")
        return self.path.parents[2] / name if self.bring is None else self.bring(name)

    def sweep(self) -> None:
        """Remove what an earlier result left here and this one has not written again."""
        if self.path.is_dir():
            for path in self.path.iterdir():
                if path.name not in self.written:
                    path.unlink(missing_ok=True)

    def path_of(self, name: str) -> Path:
        """Find a file by its name, with or without the folder in front."""
        return self.path / _plain(name.rpartition("/")[2])

    def _prepare(self) -> None:
        """Make the folder, and remove what a killed worker left half-written in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        for unfinished in self.path.glob(f"*{UNFINISHED}"):
            if unfinished.name not in self._open:
                unfinished.unlink(missing_ok=True)


def _plain(name: str) -> str:
    if name in ("", ".", "..") or not {"/", "\\"}.isdisjoint(name):
        raise ValueError(f"{name!r} is not the name of a file in one folder")
    return name
