"""Clips of a few bytes with results and files, for tests of what is removed and what stays."""

import os
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video_assets.media.discovery import discover
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.abandoned import Contents
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.cleanup import ArtifactCleaner
from video_assets.storage.deletions import Kind, Outcome, Wish
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registered, Registrar

STEPS = ("checksum", "loud", "quiet")
MADE = ledger.Made("1", "", "")
WEEK_S = 7 * 86_400.0


@dataclass
class Kept:
    """A catalogue, its artifact store, and a folder of footage."""

    catalogue: Postgres
    root: Path
    footage: Path
    gone: list[str] = field(default_factory=list)
    retold: list[str] = field(default_factory=list)

    def clip(self, text: str, owner: uuid.UUID = LOCAL_OWNER, *, unfinished: bool = False) -> str:
        """Register a clip with a file made by `loud`, complete unless told otherwise."""
        checksum = self.register(text, owner)[0].checksum
        assert checksum is not None
        ledger.plan_clips(self.catalogue, owner, [checksum], "default", STEPS)
        self.make(checksum, "loud", "a.txt")
        if not unfinished:
            self.make(checksum, "quiet")
        return checksum

    def register(
        self, text: str, owner: uuid.UUID = LOCAL_OWNER, *, lifts: bool = False
    ) -> list[Registered]:
        """Register the file that holds a text, at a place of the owner's own."""
        path = self.place(text, owner)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text)
        registrar = Registrar(self.catalogue, owner, "blake3", lifts_forgotten=lifts)
        return list(registrar.register(discover([path]).candidates))

    def place(self, text: str, owner: uuid.UUID = LOCAL_OWNER) -> Path:
        """Where an owner keeps a text."""
        return self.footage / owner.hex / f"{text}.mp4"

    def make(self, checksum: str, asset: str, *names: str) -> None:
        """Do what an analyzer does: write files and save a result that names them."""
        folder = ArtifactFolder.of(self.root, checksum, asset)
        written = [folder.write(name, name.encode()) for name in names]
        self.save(checksum, asset, {"files": [{"name": name} for name in written]})

    def save(self, checksum: str, asset: str, document: dict[str, Any]) -> None:
        """Save a result."""
        ledger.save_done(
            self.catalogue,
            asset=asset,
            checksum=checksum,
            made=MADE,
            document=document,
            problems={},
            seconds=0.1,
            cpu_seconds=0.1,
            run_id="run",
        )

    def put(self, name: str, *, age_s: float = 0.0) -> str:
        """Put a file into the store that nobody made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left over")
        then = time.time() - age_s
        os.utime(path, (then, then))
        return name

    def files(self, checksum: str) -> list[str]:
        """The files of a content, below its folder."""
        folder = self.root / checksum[:2] / checksum
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())

    def clean(
        self, kind: Kind = "orphans", *, wait_s: float = 0.0, dry_run: bool = False
    ) -> Outcome:
        """Clean up one kind of file, and with `orphans` what nobody has."""
        cleaner = ArtifactCleaner(self.catalogue, self.root, Wish("test", wait_s, dry_run))
        outcome = cleaner.clean([kind])[kind]
        if kind == "orphans":
            self.contents(cleaner).clean(outcome)
        return outcome

    def contents(self, cleaner: ArtifactCleaner | None = None) -> Contents:
        """What removes contents, and notes here whom it told of."""
        cleaner = cleaner or ArtifactCleaner(self.catalogue, self.root, Wish("test", 0.0))
        return Contents(cleaner, STEPS, self.gone.extend, self.retold.extend)

    def age_marks(self, seconds: float) -> None:
        """Let time pass for everything that is marked."""
        self.rows("UPDATE deletions SET marked_at = marked_at - make_interval(secs => %s)", seconds)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Ask the catalogue as a worker."""
        with self.catalogue.transaction() as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def count(self, what: str, *values: object) -> int:
        """Count rows, by what follows FROM."""
        return self.rows(f"SELECT count(*) AS rows FROM {what}", *values)[0]["rows"]  # noqa: S608

    def wait_for_the_dead(self) -> None:
        """Wait until the server has noticed that a process was killed, which held cells."""
        locks = """pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE d.datname = current_database() AND l.locktype = 'advisory'"""
        deadline = time.monotonic() + 30
        while self.count(locks):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def removed(self) -> list[str]:
        """What the record says was removed."""
        query = "SELECT target FROM deletions WHERE removed_at IS NOT NULL ORDER BY target"
        return [row["target"] for row in self.rows(query)]


class Cleaning:
    """A clean-up of orphans that runs beside the test."""

    def __init__(self, kept: Kept) -> None:
        self._thread = threading.Thread(target=kept.clean)

    def __enter__(self) -> "Cleaning":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def wait_for_lock(self, watch: Any) -> None:
        """Wait until it waits for a row that somebody else holds."""
        while not watch.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchall():
            assert self._thread.is_alive()
            time.sleep(0.02)
