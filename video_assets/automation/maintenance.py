"""Maintenance: what nobody needs any more is removed, every night or when asked.

Files are marked at one look and removed at a later one. Everything else has an age by setting.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import dagster as dg

from video_assets.automation import run_history
from video_assets.automation.in_progress import keys_in_progress, runs_in_progress
from video_assets.automation.plan import analyzers
from video_assets.automation.register_folder import register_folder
from video_assets.automation.reporting import report_results
from video_assets.run_process import end_dead_runs
from video_assets.settings import LOCAL, LOCAL_OWNER, Cleanup, Settings, load_settings
from video_assets.storage import deletions, gone, ledger, owners, run_folder, run_traces
from video_assets.storage.abandoned import Contents
from video_assets.storage.artifact_store import ArtifactStore, open_store
from video_assets.storage.cleanup import FILES, ArtifactCleaner, remove_old_events
from video_assets.storage.copies_cleanup import CopiesCleaner
from video_assets.storage.deletions import Kind, Outcome, Wish
from video_assets.storage.folder import Folder
from video_assets.storage.objects import StoreError
from video_assets.storage.postgres import Postgres
from video_assets.storage.replaced_vectors import remove_replaced

DAY_S = 86_400.0
KINDS: tuple[Kind, ...] = get_args(Kind)
MARKED: tuple[Kind, ...] = (*FILES, "stored", "vectors")  # first, and recorded as they go
# Run folders hold reports that somebody may have handed on: they go when they are named.
USUAL: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "runs")


def ages(
    settings: Cleanup, named: Collection[Kind], older_than_s: float | None
) -> Mapping[Kind, float]:
    """Say how old a thing of each kind must be, in seconds.

    older_than_s  for the kinds that are named, and for files when none is
    """
    days: dict[Kind, float] = {
        "orphans": settings.grace_days,
        "superseded": settings.grace_days,
        "stored": settings.grace_days,
        "vectors": settings.grace_days,
        "events": settings.keep_events_days,
        "sources": settings.missing_after_days,
        "dagster": settings.keep_dagster_days,
        "logs": settings.keep_logs_days,
    }
    found: dict[Kind, float] = {kind: count * DAY_S for kind, count in days.items()}
    if older_than_s is not None:
        found.update(dict.fromkeys(named or (*FILES, "stored"), older_than_s))
    return found


class Home:
    """One home to keep in order: its catalogue, its artifact store, its Dagster."""

    def __init__(
        self, instance: dg.DagsterInstance, catalogue: Postgres, settings: Settings, *, by: str
    ) -> None:
        """Take the home, and who asks, for the record."""
        self.catalogue = catalogue
        self.store = Folder(settings.artifacts_dir)
        self._instance = instance
        self._settings = settings
        self._by = by

    def clean(
        self, kinds: Collection[Kind], age_s: Mapping[Kind, float], *, dry_run: bool = False
    ) -> list[Outcome]:
        """Clean up these kinds, and give what became of each; a dry run changes nothing."""
        others: dict[Kind, Callable[[Wish], Outcome]] = {
            "stored": self._clean_stored,
            "vectors": lambda wish: remove_replaced(self.catalogue, wish),
            "events": lambda wish: remove_old_events(self.catalogue, wish),
            "sources": lambda wish: gone.mark_gone(self.catalogue, wish),
            "dagster": self._prune_dagster,
            "logs": self._remove_old_logs,
            "runs": self._remove_old_runs,
        }
        files: list[Kind] = [kind for kind in FILES if kind in kinds]
        outcomes = self._clean_files(files, age_s, dry_run)
        outcomes += [
            clean(Wish(self._by, age_s.get(kind, 0.0), dry_run))
            for kind, clean in others.items()
            if kind in kinds
        ]
        if not dry_run:
            self._record(outcomes)
        return outcomes

    def in_hand(self, checksums: Collection[str]) -> str | None:
        """Say who works on one of these clips now, or is about to; None if nobody does."""
        if ledger.in_hand(self.catalogue, list(analyzers()), list(checksums)):
            return "a run"
        end_dead_runs(self._instance)
        runs = runs_in_progress(self._instance)
        if not keys_in_progress(self._instance, runs).isdisjoint(checksums):
            return "a run that Dagster has begun or queued"
        return None

    def watched(self, owner: UUID) -> list[Path]:
        """List the folders whose files would become clips of an owner again."""
        folders = self._settings.watch
        return [folder.path for folder in folders if folder.owner_id == owner]

    def finish_forgotten(self) -> None:
        """Remove what owners gave up and nobody else has, here and in Dagster."""
        try:
            self._finish_stored()
        finally:
            self._contents(Wish(self._by, 0.0)).finish(Outcome("orphans"))
            run_traces.remove_marked(self.catalogue, self._settings.home)
            report_results(self._instance, self.catalogue)

    def forget_registrations(self, owner: UUID) -> None:
        """Remove the runs of Dagster that looked into an owner's folders: they name files."""
        names = {str(owner), *([LOCAL] if owner == LOCAL_OWNER else [])}
        self._forget_registrations(names.__contains__)

    def _forget_registrations(self, is_gone: Callable[[str], bool]) -> None:
        for run in self._instance.get_runs(dg.RunsFilter(job_name=register_folder.name)):
            config: Any = run.run_config
            if run.is_finished and is_gone(
                config["ops"]["register_files"]["config"].get("owner", LOCAL)
            ):
                self._instance.delete_run(run.run_id)

    def _clean_files(
        self, kinds: Sequence[Kind], age_s: Mapping[Kind, float], dry_run: bool
    ) -> list[Outcome]:
        if not kinds:
            return []
        wish = Wish(self._by, age_s[kinds[0]], dry_run)
        outcomes = self._cleaner(wish).clean(kinds)
        if orphans := outcomes.get("orphans"):
            with suppress(StoreError):  # what is left there waits as everything else does
                orphans.add(self._finish_stored(dry_run=dry_run))
            self._contents(wish).clean(orphans)
            if not dry_run:  # of an erasure that was killed, or of an account that others deleted
                run_traces.remove_marked(self.catalogue, self._settings.home)
                find = cache(partial(owners.find, self.catalogue))
                self._forget_registrations(lambda owner: find(owner) is None)
        return list(outcomes.values())

    def _cleaner(self, wish: Wish) -> ArtifactCleaner:
        return ArtifactCleaner(self.catalogue, self._settings.artifacts_dir, wish)

    def _contents(self, wish: Wish) -> Contents:
        return Contents(
            self._cleaner(wish),
            list(analyzers()),
            on_gone=lambda checksums: run_history.forget_clips(self._instance, checksums),
            on_kept=lambda checksums: run_history.wipe_events(self._instance, checksums),
        )

    def _clean_stored(self, wish: Wish) -> Outcome:
        store = open_store(self._settings, self.catalogue)
        if store is None:
            return Outcome("stored")
        try:
            if not wish.dry_run:
                store.copies.share()
                store.cache.trim_if_due()
            return self._stored_cleaner(store, wish).clean()
        except StoreError as error:  # everything else can be cleaned up
            return Outcome("stored", note=f"(left out: {error})")

    def _finish_stored(self, *, dry_run: bool = False) -> Outcome:
        store = open_store(self._settings, self.catalogue)
        if store is None:
            return Outcome("stored")
        return self._stored_cleaner(store, Wish(self._by, 0.0, dry_run)).finish()

    def _stored_cleaner(self, store: ArtifactStore, wish: Wish) -> CopiesCleaner:
        return CopiesCleaner(self.catalogue, store.copies.objects, wish)

    def _prune_dagster(self, wish: Wish) -> Outcome:
        outcome, output = Outcome("dagster"), Folder(self._settings.dagster_home / "storage")
        pruned = run_history.prune(
            self._instance, wish.wait_s, dry_run=wish.dry_run, on_gone=output.remove_tree
        )
        outcome.removed = pruned.runs
        if pruned.events:
            outcome.note = f"and {pruned.events:,} events of runs that the UI still needs"
        return outcome

    def _remove_old_logs(self, wish: Wish) -> Outcome:
        outcome, folder = Outcome("logs"), Folder(self._settings.home / "logs")
        for item in list(folder.files()):
            is_old = time.time() - item.mtime_ns / 1e9 >= wish.wait_s
            if is_old and (wish.dry_run or folder.remove(item.name)):
                outcome.remove(item.name, size_bytes=item.size_bytes)
        return outcome

    def _remove_old_runs(self, wish: Wish) -> Outcome:
        """Remove run folders but the newest of each owner, however old those are."""
        outcome = Outcome("runs")
        with self.catalogue.transaction() as connection:
            owners = [row["user_id"] for row in run_traces.queries.owners(connection)]
        for owner in owners:
            for each in run_folder.remove_old(
                self.catalogue,
                self._settings.home,
                owner,
                keep=self._settings.cleanup.keep_runs,
                older_than_s=wish.wait_s,
                dry_run=wish.dry_run,
            ):
                outcome.remove(each.run_id, size_bytes=each.bytes)
        return outcome

    def _record(self, outcomes: Sequence[Outcome]) -> None:
        """Keep count of what went by age."""
        with self.catalogue.transaction() as connection:
            for each in outcomes:
                if each.kind not in MARKED and each.removed:
                    counts = {"items": each.removed, "size_bytes": each.removed_bytes}
                    deletions.record(connection, each.kind, "", by=self._by, **counts)


class CleanupConfig(dg.Config):
    """What to clean up: by default the usual kinds, with the ages of the settings file."""

    kinds: list[str] = []  # noqa: RUF012  pydantic copies it
    older_than_days: float | None = None
    dry_run: bool = False


@dg.op(required_resource_keys={"catalogue"})
def remove_unneeded(context: dg.OpExecutionContext, config: CleanupConfig) -> None:
    """Mark what nothing refers to, and remove what nothing has referred to for long enough."""
    if unknown := set(config.kinds) - set(KINDS):
        raise ValueError(f"there is no kind {sorted(unknown)[0]!r}; known are {', '.join(KINDS)}")
    settings, days = load_settings(), config.older_than_days
    named: list[Kind] = [kind for kind in KINDS if kind in config.kinds]
    home = Home(context.instance, context.resources.catalogue, settings, by=f"run {context.run_id}")
    age_s = ages(settings.cleanup, named, None if days is None else days * DAY_S)
    outcomes = home.clean(named or USUAL, age_s, dry_run=config.dry_run)
    counts: dict[str, int] = {}
    for each in outcomes:
        context.log.info(f"{each.kind}: {each.removed} removed, {each.waiting} waiting")
        counts[f"{each.kind}_removed"] = each.removed
        if each.kind in MARKED:
            counts[f"{each.kind}_waiting"] = each.waiting
    size_bytes = sum(each.removed_bytes for each in outcomes)
    told = {"dry_run": config.dry_run, "removed_bytes": size_bytes, **counts}
    context.add_output_metadata(told)


@dg.job(description="Remove files that no result names, and what is old by the settings.")
def cleanup_artifacts() -> None:
    """Clean up."""
    remove_unneeded()


cleanup_daily = dg.ScheduleDefinition(
    name="cleanup_daily",
    job=cleanup_artifacts,
    cron_schedule="0 4 * * *",
    # Files are marked and wait; clips, sources and run folders are never touched.
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Cleans up every night; the settings file says what is old.",
)
