"""Digests: what the files are that a result names, where they lie in an object store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.media.hashing import hash_file

DIGEST_SHOWN = 16

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class MadeFile:
    """A file that an asset made of a clip: its name in the artifact store, and what it is."""

    name: str
    size_bytes: int
    blake3: str

    @property
    def checksum(self) -> str:
        """Of which content it was made."""
        return self.name.split("/")[1]

    @property
    def asset(self) -> str:
        """By what it was made."""
        return self.name.split("/")[2]

    def key(self, owner: UUID | None) -> str:
        """Name it in an object store, below its owner where they read by themselves."""
        folder, _, file = self.name.rpartition("/")
        key = f"{folder}/{self.blake3[:DIGEST_SHOWN]}-{file}"
        return key if owner is None else f"{owner}/{key}"


def measure(root: Path, name: str) -> MadeFile:
    """Read a file of the artifact folder to know what it is."""
    found = hash_file(root / name)
    return MadeFile(name, found.size_bytes, found.hexdigest)


def named_in(document: Any, checksum: str, asset: str) -> list[str]:
    """List the files of an asset that a document names, at whatever place in it."""
    folder = f"{checksum[:2]}/{checksum}/{asset}/"
    return sorted({each for each in _words(document) if each.startswith(folder)})


def replace(connection: Any, checksum: str, asset: str, files: Sequence[MadeFile]) -> None:
    """Write down what the files of a result are, in the transaction that saves it."""
    names = [each.name for each in files]
    queries.forget_others(connection, checksum=checksum, asset=asset, names=names)
    if files:
        add(connection, checksum, asset, files)


def add(connection: Any, checksum: str, asset: str, files: Sequence[MadeFile]) -> None:
    """Write down what some files of a result are."""
    queries.add(
        connection,
        checksum=checksum,
        asset=asset,
        names=[each.name for each in files],
        sizes=[each.size_bytes for each in files],
        digests=[each.blake3 for each in files],
    )


def _words(document: Any) -> list[str]:
    if isinstance(document, str):
        return [document]
    if isinstance(document, dict):
        document = document.values()
    elif not isinstance(document, list):
        return []
    return [word for each in document for word in _words(each)]
