"""`video-assets dev` on a home of its own, spoken to as its web page does: over GraphQL."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from video_assets_tests.commands import start
from video_assets_tests.servers import quiet_port

STARTS_WITHIN_S = 90
ENDS_WITHIN_S = 45
# It waits for the daemon's look and starts a process of its own: 57 s where six others want a core.
RUN_ENDS_WITHIN_S = 240
LOOK_S = 0.5
SELECTOR = {"repositoryLocationName": "video_assets", "repositoryName": "__repository__"}

Answer = TypeVar("Answer")

LAUNCH = """mutation ($run: ExecutionParams!) { launchPipelineExecution(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
BACKFILL = """mutation ($it: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $it) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL_STATE = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status error { message } } } }"""
RUN = """query ($id: ID!) { runOrError(runId: $id) { ... on Run { status eventConnection {
  events { __typename ... on ExecutionStepFailureEvent { stepKey error { message } } } } } } }"""
STATUSES = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetPartitionStatuses { ... on DefaultPartitionStatuses {
  materializedPartitions failedPartitions } } } } }"""
EVENT = """query ($key: AssetKeyInput!, $partitions: [String!]!, $clip: String!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { staleStatus(partition: $clip)
  assetMaterializations(partitions: $partitions, limit: 1) { metadataEntries { label
  ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr } } } } } }"""
TICKS = """query ($of: RepositorySelector!) { sensorsOrError(repositorySelector: $of) {
  ... on Sensors { results { name sensorState { status ticks(limit: 50) { status
  error { message } } } } } } }"""
CHECK = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization {
  status evaluation { description } } } } } } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus
  locationOrLoadError { __typename } } } } instance { daemonHealth { allDaemonStatuses {
  daemonType required healthy } } } }"""


@dataclass(frozen=True)
class DagsterUi:
    """The web server of one `video-assets dev`."""

    url: str
    pid: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, query: str, **variables: Any) -> Any:
        """Send one GraphQL request, and give the data of its answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(f"{self.url}/graphql", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def statuses(self, asset: str) -> dict[str, set[str]]:
        """The partitions of an asset by the colour that its page gives them."""
        found = self.ask(STATUSES, key={"path": [asset]})["assetNodeOrError"]
        return {name: set(keys) for name, keys in found["assetPartitionStatuses"].items()}

    def event(self, asset: str, clip: str) -> dict[str, Any]:
        """What the latest materialization of one clip shows, and whether it is stale."""
        key = {"path": [asset]}
        found = self.ask(EVENT, key=key, partitions=[clip], clip=clip)["assetNodeOrError"]
        entries = found["assetMaterializations"][0]["metadataEntries"]
        shown = {each["label"]: each.get("text") or each.get("mdStr") for each in entries}
        return {**shown, "stale": found["staleStatus"]}

    def check(self, asset: str) -> dict[str, Any]:
        """The latest execution of an asset's only check."""
        found = self.ask(CHECK, key={"path": [asset]})["assetNodeOrError"]
        (check,) = found["assetChecksOrError"]["checks"]
        return check["executionForLatestMaterialization"] or {}

    def materialize(self, asset: str, check: str, clip: str) -> dict[str, Any]:
        """Press Materialize on the page of one partition, and give the run that came of it."""
        key = {"path": [asset]}
        target = {
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [key],
            "assetCheckSelection": [{"name": check, "assetKey": key}],
        }
        tags = [{"key": "dagster/partition", "value": clip}]
        answer = self.ask(
            LAUNCH,
            run={
                "mode": "default",
                "executionMetadata": {"tags": tags},
                "runConfigData": "{}",
                "selector": {**SELECTOR, **target},
            },
        )["launchPipelineExecution"]
        run_id = answer["run"]["runId"]
        return wait_for(RUN_ENDS_WITHIN_S, lambda: self._ended(run_id))

    def _ended(self, run_id: str) -> dict[str, Any] | None:
        run = self.ask(RUN, id=run_id)["runOrError"]
        return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

    def start_backfill(self, assets: Sequence[str], clips: Sequence[str]) -> str:
        """Press Materialize with all partitions selected, and give the backfill's id."""
        keys = [{"path": [asset]} for asset in assets]
        wanted = {"assetSelection": keys, "partitionNames": list(clips), "fromFailure": False}
        return self.ask(BACKFILL, it=wanted)["launchPartitionBackfill"]["backfillId"]

    def workers(self) -> list[int]:
        """The worker processes of runs that are alive below this `dev`."""
        family = psutil.Process(self.pid).children(recursive=True)
        return [each.pid for each in family if "forkserver" in _command(each)]

    def backfill(self, backfill_id: str) -> dict[str, Any] | None:
        """How a backfill ended, or None as long as it runs."""
        state = self.ask(BACKFILL_STATE, id=backfill_id)["partitionBackfillOrError"]
        return None if state["status"] == "REQUESTED" else state


def wait_for(seconds: float, look: Callable[[], Answer | None]) -> Answer:
    """Look until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := look():
            return answer
        time.sleep(LOOK_S)
    raise AssertionError(f"not within {seconds:.0f} s")


@contextmanager
def serve(home: Path) -> Iterator[DagsterUi]:
    """Run `video-assets dev` until the block ends, and see that nothing of it is left."""
    process = start(home, "dev", "--port", str(quiet_port()))
    try:
        yield DagsterUi(wait_for(STARTS_WITHIN_S, lambda: _url(process)), process.pid)
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if _runs(process) else []
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=ENDS_WITHIN_S)
        finally:
            _, left = psutil.wait_procs(family, timeout=5)
            for each in [*left, *([process] if _runs(process) else [])]:
                each.kill()
    assert not left, [each.pid for each in left]


def _runs(process: "subprocess.Popen[str]") -> bool:
    return process.poll() is None


def _url(process: "subprocess.Popen[str]") -> str | None:
    """Read what is said until the address comes."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line or _runs(process), process.communicate()[1]
    found = re.search(r"http://\S+", line)
    return found.group() if found else None


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has just ended
        return ""
