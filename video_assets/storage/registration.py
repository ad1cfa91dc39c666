"""Registration: files become clips of an owner, each file read once and only when it is new."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from video_assets.media.discovery import LONGEST_PATH, Candidate
from video_assets.media.errors import MediaError
from video_assets.media.hashing import Algorithm, FileDigest, hash_file
from video_assets.storage import forgotten, history, ledger, locations, projection
from video_assets.storage.fingerprints import digest
from video_assets.storage.postgres import Postgres

READERS = 4  # files hashed at once: a disk is busy with two, a network mount with four
CHECKSUM_CODE_VERSION = "1"

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Registered:
    """What became of one file."""

    path: Path
    state: Literal["new", "duplicate", "moved", "known", "unreadable", "forgotten"]
    checksum: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Registrar:
    """Registers files for one owner.

    preset, steps    by which preset new clips go, and the steps that it wants of them
    lifts_forgotten  whether it takes back what its owner forgot: a person asked for these files
    """

    catalogue: Postgres
    owner: UUID
    algorithm: Algorithm
    preset: str = ""
    steps: tuple[str, ...] = ()
    lifts_forgotten: bool = False

    def register(
        self,
        candidates: Sequence[Candidate],
        *,
        on_bytes: Callable[[int], None] | None = None,
        on_unknown: Callable[[Sequence[Candidate]], None] | None = None,
    ) -> Iterator[Registered]:
        """Register files, giving each as it is committed: the known first, then the new.

        on_bytes    called with every number of bytes that was read, from several threads
        on_unknown  called once with the files that have to be read
        """
        known = locations.recognise(self.catalogue, self.owner, candidates)
        by_path = {candidate.path: candidate for candidate in candidates}
        locations.touch(self.catalogue, self.owner, (by_path[path] for path in known.unchanged))
        for path, checksum in known.unchanged.items():
            yield Registered(path, "known", checksum)
        for path, checksum in known.renamed.items():
            yield self._commit(by_path[path], checksum)
        unknown = known.unknown
        if not self.lifts_forgotten:
            unknown = forgotten.leave_out(self.catalogue, self.owner, unknown)
        if on_unknown is not None:
            on_unknown(unknown)
        yield from self._read(unknown, on_bytes)

    def _read(
        self, candidates: Sequence[Candidate], on_bytes: Callable[[int], None] | None
    ) -> Iterator[Registered]:
        with ThreadPoolExecutor(READERS, thread_name_prefix="hash") as readers:
            reading: dict[Future[FileDigest], Candidate] = {
                readers.submit(
                    hash_file, candidate.path, self.algorithm, on_bytes=on_bytes
                ): candidate
                for candidate in candidates
            }
            try:
                for future in as_completed(reading):
                    yield self._settle(future, reading[future])
            finally:
                readers.shutdown(wait=False, cancel_futures=True)

    def _settle(self, future: "Future[FileDigest]", candidate: Candidate) -> Registered:
        try:
            found = future.result()
        except MediaError as error:
            return self.refuse(candidate.path, str(error), candidate)
        if found.size_bytes == 0:
            return self.refuse(candidate.path, "the file is empty; copy it again", candidate)
        seen = Candidate(
            candidate.path, found.size_bytes, found.mtime_ns, found.inode, candidate.volume
        )
        return self._commit(seen, found.hexdigest)

    def refuse(self, path: Path, reason: str, candidate: Candidate | None = None) -> Registered:
        """Record a file that cannot become a clip, and why."""
        _log.warning("%s: %s", locations.display(path), reason)
        if len(os.fsencode(path)) > LONGEST_PATH:  # the index of places does not take it
            return Registered(path, "unreadable", reason=reason)
        with self.catalogue.transaction() as connection:
            locations.queries.save_unreadable(
                connection,
                owner=self.owner,
                host=locations.HOST,
                path_bytes=os.fsencode(path),
                path=locations.display(path),
                size_bytes=candidate.size_bytes if candidate else None,
                mtime_ns=candidate.mtime_ns if candidate else None,
                reason=reason,
            )
        return Registered(path, "unreadable", reason=reason)

    def _commit(self, seen: Candidate, checksum: str) -> Registered:
        """Write clip, location and ledger row of one file in one transaction."""
        path, path_bytes = locations.display(seen.path), os.fsencode(seen.path)
        named = {"path": path, "file_name": locations.display(Path(seen.path.name))}
        place = {"owner": self.owner, "host": locations.HOST}
        with self.catalogue.transaction() as connection:
            if self.lifts_forgotten:
                forgotten.lift(connection, self.owner, checksum)
            elif forgotten.is_forgotten(connection, self.owner, checksum):
                names = forgotten.identities(locations.HOST, path_bytes, seen)
                forgotten.add(connection, self.owner, checksum, names)
                return Registered(seen.path, "forgotten")
            clip = locations.queries.upsert_clip(
                connection,
                owner=self.owner,
                checksum=checksum,
                algorithm=self.algorithm,
                size_bytes=seen.size_bytes,
                preset=self.preset,
                steps=list(self.steps),
                **named,
            )
            others = locations.other_places(connection, clip["id"], seen)
            locations.queries.forget(connection, **place, paths=others.renamed)
            locations.queries.mark_missing(connection, **place, paths=others.missing)
            locations.queries.upsert_location(
                connection,
                **place,
                clip_id=clip["id"],
                volume=seen.volume,
                inode=seen.inode,
                path_bytes=path_bytes,
                path=path,
                size_bytes=seen.size_bytes,
                mtime_ns=seen.mtime_ns,
            )
            locations.queries.forget_unreadable(connection, **place, paths=[path_bytes])
            self._save_checksum(connection, checksum, seen.size_bytes)
            if clip["is_new"]:
                projection.project_clip(connection, checksum, self.owner)
            elif not others.present:
                locations.queries.name_clip(connection, clip_id=clip["id"], **named)
        state = _state(others, is_new=clip["is_new"])
        history.tell_registered(checksum, state, path)
        return Registered(seen.path, state, checksum)

    def _save_checksum(self, connection: Any, checksum: str, size_bytes: int) -> None:
        """Registering a file is the `checksum` asset's work: its ledger row is written here."""
        document = {
            "file_checksum": checksum,
            "checksum_algorithm": self.algorithm,
            "file_size_bytes": size_bytes,
        }
        ledger.queries.save_registered(
            connection,
            checksum=checksum,
            code_version=CHECKSUM_CODE_VERSION,
            settings_fingerprint=digest({}),
            result=Jsonb(document),
            result_digest=digest(document),
        )


def _state(
    others: locations.OtherPlaces, *, is_new: bool
) -> Literal["new", "known", "duplicate", "moved"]:
    if is_new:
        return "new"
    if others.is_known_here:  # written again as it was, or registered by another process meanwhile
        return "known"
    return "duplicate" if others.present else "moved"
