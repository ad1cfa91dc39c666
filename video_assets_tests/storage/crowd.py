"""A worker and many people on one catalogue at once, and bystanders who see what is left behind."""

import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg

from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres

BATCH = 50
LOOK_S = 0.05
WORKERS, PEOPLE, BYSTANDERS = 4, 12, 4
MADE = ledger.Made("1", "", "")

SEEN = """
SELECT current_user AS role, auth.uid() AS owner,
       ARRAY(SELECT DISTINCT user_id FROM clips) AS clips,
       ARRAY(SELECT DISTINCT user_id FROM processing_events) AS events,
       (SELECT count(*)::int FROM clip_steps()) AS steps,
       (SELECT count(*)::int FROM clip_steps() JOIN clips ON clips.id = clip_id) AS own_steps
"""
# What a client finds that says nothing of itself: no role, no claims, nothing prepared by others.
LEFT_BEHIND = """
SELECT current_user, coalesce(current_setting('request.jwt.claims', true), ''),
       ARRAY(SELECT statement FROM pg_prepared_statements)
"""


@dataclass
class Crowd:
    """Owners with clips, and whatever anybody found that is not theirs.

    direct  the catalogue without a pooler, to which the clips are added
    """

    direct: Postgres
    owners: Sequence[uuid.UUID]
    size: int
    leaks: set[str] = field(default_factory=set)
    looks: int = 0

    def __post_init__(self) -> None:
        """Register the clips: every tenth is everybody's, and each other one has one owner."""
        self.checksums = [uuid.uuid4().hex * 2 for _ in range(self.size)]
        with self.direct.transaction() as connection:
            connection.cursor().executemany(
                """INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                                      file_size_bytes)
                   VALUES (%s, '/x', '/x', 'x.mov', %s, 1)""",
                [
                    (owner, checksum)
                    for place, checksum in enumerate(self.checksums)
                    for number, owner in enumerate(self.owners)
                    if place % 10 == 0 or place % len(self.owners) == number
                ],
            )

    def meet(self, worker: Postgres, people: Postgres, bystanders: str) -> None:
        """Have the worker save a result of every clip while people look at theirs.

        bystanders  the address at which clients look that are nobody
        """
        over = threading.Event()
        with ThreadPoolExecutor(WORKERS) as saving, ThreadPoolExecutor(PEOPLE + BYSTANDERS) as rest:
            batches = [
                saving.submit(self._save, worker, self.checksums[at : at + BATCH])
                for at in range(0, self.size, BATCH)
            ]
            looking = [rest.submit(self._look, people, n, over) for n in range(PEOPLE)]
            looking += [rest.submit(self._stand_by, bystanders, over) for _ in range(BYSTANDERS)]
            try:
                for each in batches:
                    each.result()
            finally:
                over.set()
            for each in looking:
                each.result()

    def _save(self, worker: Postgres, checksums: Sequence[str]) -> None:
        with ledger.claims(worker, "probe", checksums) as claims:
            if claims.checksums != checksums:
                self.leaks.add("a claim of somebody else's")
            ledger.log_starting(worker, "probe", checksums)
            for checksum in claims.checksums:
                ledger.save_done(
                    worker,
                    asset="probe",
                    checksum=checksum,
                    made=MADE,
                    document={"duration_s": 1.0},
                    problems={},
                    seconds=1.0,
                    cpu_seconds=1.0,
                    run_id="run",
                )
            ledger.mark_reported(worker, "probe", checksums)

    def _look(self, people: Postgres, number: int, over: threading.Event) -> None:
        owner = self.owners[number % len(self.owners)]
        while not over.wait(LOOK_S):
            try:
                with people.transaction(owner) as connection:
                    [seen] = connection.execute(SEEN).fetchall()
            except psycopg.errors.InsufficientPrivilege:
                self.leaks.add("somebody else's rights")
                continue
            if (seen["role"], seen["owner"]) != ("authenticated", owner):
                self.leaks.add("somebody else's identity")
            if seen["clips"] != [owner] or seen["events"] not in ([], [owner]):
                self.leaks.add("somebody else's rows")
            if seen["steps"] != seen["own_steps"]:
                self.leaks.add("somebody else's results")
            self.looks += 1

    def _stand_by(self, address: str, over: threading.Event) -> None:
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as connection:
            me = connection.info.user
            while not over.wait(LOOK_S / 10):
                [(role, claims, prepared)] = connection.execute(LEFT_BEHIND).fetchall()
                if role != me:
                    self.leaks.add("a role that was left behind")
                if claims:
                    self.leaks.add("claims that were left behind")
                if prepared:
                    self.leaks.add("a statement that was left prepared")
