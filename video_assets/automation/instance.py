"""The Dagster instance of a home: its folder, its database, its environment."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from video_assets.events import BATCH_SIZE
from video_assets.run_process import keep_connections
from video_assets.settings import DAGSTER_URL, Settings
from video_assets.storage import dagster_database

IN_THIS_PROCESS = {
    # Only a daemon frees the slots of a run that was killed, and none may be running: who works in
    # a process of their own takes none. Claims in the ledger keep two processes from one cell.
    "concurrency": {"pools": {"granularity": "run"}},
    # Capturing output starts two processes a step, which a Ctrl-C in the terminal reaches too.
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
}
EVENT_BATCH = "500"  # measured: a batch of 100 clips takes half the time of events one by one


def prepare_environment(settings: Settings) -> None:
    """Set what Dagster and its children read from the environment; put dagster.yaml in place."""
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["VIDEO_ASSETS_HOME"] = str(settings.home)
    os.environ.setdefault(BATCH_SIZE, EVENT_BATCH)
    os.environ[DAGSTER_URL] = dagster_database.address(settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    wanted = project_file("dagster.yaml").read_bytes()
    installed = settings.dagster_home / "dagster.yaml"
    if not installed.exists() or installed.read_bytes() != wanted:
        unfinished = installed.with_suffix(f".{os.getpid()}.part")
        unfinished.write_bytes(wanted)
        unfinished.replace(installed)


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open Dagster's storage of a home whose database runs, for runs in this process."""
    prepare_environment(settings)
    configured = InstanceRef.from_dir(str(settings.dagster_home), overrides=IN_THIS_PROCESS)
    with dg.DagsterInstance.from_ref(configured) as instance:
        keep_connections(instance)
        yield instance


def set_pools(instance: dg.DagsterInstance, sizes: Mapping[str, int]) -> None:
    """Let the steps of as many runs into a lane's pool as the lane has slots.

    The slots decide how many clips are in work. A pool holds back the runs that would find none, so
    that they begin nothing; its page in the UI shows who is in it. This is what `dagster instance
    concurrency set` does: there is no public call for it.
    """
    for lane, size in sizes.items():
        instance.event_log_storage.set_concurrency_slots(lane, size)


def project_file(name: str) -> Path:
    """Find a file of the repository's root, or its copy in an installed package."""
    package = Path(__file__).parents[1]
    packaged = package / "deploy" / name
    return packaged if packaged.exists() else package.parent / name
