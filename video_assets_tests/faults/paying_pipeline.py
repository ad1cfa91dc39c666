"""A process that has a service say something of every clip, for tests that kill it."""

import json
import os
import sys
from pathlib import Path

import dagster as dg

from video_assets.lanes import Lanes
from video_assets.run_process import end_dead_runs, keep_connections
from video_assets.storage.postgres import Postgres
from video_assets_tests import paying
from video_assets_tests.automation.conftest import Pipeline, preset


def main(given: dict[str, str]) -> None:
    """Process every clip of a catalogue as far as it goes."""
    catalogue, folder = Postgres(given["catalogue"]), Path(given["folder"])
    # As the program has it: what workers need is loaded once, in the process they are forked from.
    lanes = Lanes({}, folder / "lanes", preload=["video_assets_tests.paying"])
    wanted = preset("loud", "report", opinion={"base_url": given["service"]})
    with dg.DagsterInstance.from_config(given["dagster"]) as instance:
        keep_connections(instance)
        end_dead_runs(instance)
        pipeline = Pipeline(catalogue, instance, lanes, folder, wanted, paying.ASSETS)
        with catalogue.transaction() as connection:
            found = connection.execute("SELECT file_checksum FROM clips").fetchall()
        pipeline.process({row["file_checksum"]: row["file_checksum"] for row in found})
    lanes.close()
    catalogue.close()


if __name__ == "__main__":
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    main(json.loads(sys.argv[1]))
