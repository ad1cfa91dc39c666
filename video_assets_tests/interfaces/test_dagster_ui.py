"""The Dagster UI of `video-assets dev`: what it shows is what the ledger says, whatever is run."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from websockets import Subprotocol
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from video_assets.settings import load_settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets.storage.postmaster import HOST
from video_assets_tests.clips import Clip, flat, make_clip
from video_assets_tests.commands import run
from video_assets_tests.interfaces.authenticating_proxy import (
    CADDY,
    authorization,
    guard,
    status,
)
from video_assets_tests.interfaces.chromium import CHROMIUM, open_page
from video_assets_tests.interfaces.dagster_ui import (
    LOCATIONS,
    SELECTOR,
    TICKS,
    DagsterUi,
    serve,
    wait_for,
)
from video_assets_tests.servers import remove_server

MADE = ("probe", "thumbnails", "video_document")
FAILS_WITH = "expected a video, found text"
SHOW_SHEET = """(() => {
  const shows = (image) => image.src.startsWith("data:image/jpeg") && image.naturalWidth > 0;
  const seen = [...document.images].find(shows);
  if (seen) return [seen.naturalWidth, seen.naturalHeight];
  const names = (node) => !node.children.length && node.textContent === "[Show Markdown]";
  [...document.querySelectorAll("*")].find(names)?.click();
  return null;
})()"""


@dataclass(frozen=True)
class Studio:
    """A catalogue of two good clips and a bad one, its UI, and a watched folder."""

    ui: DagsterUi
    catalogue: Postgres
    watched: Path
    good: tuple[str, ...]
    bad: str

    def ledger(self, status: str, asset: str) -> set[str]:
        """The clips for which the ledger has such a row."""
        with self.catalogue.transaction() as connection:
            rows = connection.execute(
                "SELECT file_checksum FROM results WHERE status = %s AND asset = %s",
                (status, asset),
            )
            return {row["file_checksum"] for row in rows.fetchall()}

    def known(self, name: str) -> str | None:
        """The checksum of a file, once it is a clip."""
        with self.catalogue.transaction() as connection:
            row = connection.execute(
                "SELECT file_checksum FROM clips WHERE file_name = %s", (name,)
            ).fetchone()
            return row["file_checksum"] if row else None


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home, media = tmp_path_factory.mktemp("studio"), tmp_path_factory.mktemp("media")
    watched = tmp_path_factory.mktemp("watched")
    make_clip(media / "one.mp4", Clip(frames=24))
    make_clip(media / "two.mov", Clip(frames=12, picture=flat(200, 80, 20)))
    (media / "letter.mp4").write_text("Dear editor, this is no video at all. " * 20)
    (home / "settings.toml").write_text(f'[[watch]]\npath = "{watched}"\n')
    server = EmbeddedServer(home)
    try:
        assert run(home, "ingest", media).returncode == 1  # one of three failed
        catalogue = open_catalogue(load_settings(home))
        with serve(home) as ui:
            make_clip(watched / "dropped.mp4", Clip(frames=30))  # taken up while other tests run
            studio = Studio(ui, catalogue, watched, (), "")
            names = ("one.mp4", "two.mov", "letter.mp4")
            one, two, letter = (studio.known(name) or "" for name in names)
            yield Studio(ui, catalogue, watched, (one, two), letter)
        catalogue.close()
    finally:
        remove_server(server)


def test_everything_loads_and_runs(studio: Studio) -> None:
    found = studio.ui.ask(LOCATIONS)
    (location,) = found["workspaceOrError"]["locationEntries"]
    assert location == {
        "name": "video_assets",
        "loadStatus": "LOADED",
        "locationOrLoadError": {"__typename": "RepositoryLocation"},
    }
    wait_for(60, lambda: _is_well(studio))  # the page may be there before the daemons first beat


def test_partitions_are_filled_and_failed_as_the_ledger_says(studio: Studio) -> None:
    for asset in ("checksum", *MADE):
        shown = studio.ui.statuses(asset)
        mine = {*studio.good, studio.bad}
        assert shown["materializedPartitions"] & mine == studio.ledger("done", asset) & mine
        assert shown["failedPartitions"] & mine == studio.ledger("failed", asset) & mine


def test_a_clip_is_told_by_its_name_and_its_pictures(studio: Studio) -> None:
    shown = studio.ui.event("thumbnails", studio.good[0])
    assert shown["clip"] == "one.mp4"
    assert shown["contact_sheet"].startswith("![contact sheet](data:image/jpeg;base64,")
    assert shown["stale"] == "FRESH"


def test_a_failed_clip_made_again_alone_says_why_it_failed(studio: Studio) -> None:
    run = studio.ui.materialize("probe", "probe_is_plausible", studio.bad)

    assert run["status"] == "FAILURE"
    events = run["eventConnection"]["events"]
    (failure,) = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
    assert failure["stepKey"] == "probe"
    assert f"letter.mp4: {FAILS_WITH}" in failure["error"]["message"]
    assert studio.bad in studio.ui.statuses("probe")["failedPartitions"]


def test_a_good_clip_asked_for_alone_is_made_again_and_told_in_full(studio: Studio) -> None:
    before = studio.ui.event("probe", studio.good[0])
    run = studio.ui.materialize("probe", "probe_is_plausible", studio.good[0])

    assert run["status"] == "SUCCESS"
    after = studio.ui.event("probe", studio.good[0])
    assert after.keys() == before.keys()
    timed = {"seconds", "cpu_seconds"}
    assert {name: after[name] for name in after.keys() - timed} == {
        name: before[name] for name in before.keys() - timed
    }


def test_a_backfill_of_everything_fails_for_the_bad_clip_alone(studio: Studio) -> None:
    clips = [*studio.good, studio.bad]
    backfill_id = studio.ui.start_backfill(MADE, clips)
    ended = wait_for(240, lambda: studio.ui.backfill(backfill_id))

    assert ended == {"status": "COMPLETED_FAILED", "error": None}
    for asset in MADE:
        shown = studio.ui.statuses(asset)
        assert shown["failedPartitions"] == {studio.bad}
        assert shown["materializedPartitions"] >= set(studio.good)


def test_a_file_dropped_into_a_watched_folder_is_made_by_itself(studio: Studio) -> None:
    clip = wait_for(90, lambda: studio.known("dropped.mp4"))
    for asset in MADE:
        wait_for(90, lambda asset=asset: clip in studio.ledger("done", asset))
        wait_for(30, lambda asset=asset: _is_shown(studio, asset, clip))


def test_the_sensors_never_stumble_and_the_checks_are_answered(studio: Studio) -> None:
    found = studio.ui.ask(TICKS, of=SELECTOR)["sensorsOrError"]["results"]
    assert {sensor["name"] for sensor in found} == {
        "reconcile",
        "watch_folders",
        "tell_of_failures",
        "tell_of_failed_run",
        "request_backfill",
    }
    for sensor in found:
        ticks = sensor["sensorState"]["ticks"]
        assert ticks
        assert [tick["error"] for tick in ticks if tick["error"]] == []
    for asset in ("probe", "thumbnails"):  # some by the next look of `reconcile`, within 30 s
        wait_for(100, lambda asset=asset: studio.ui.check(asset).get("evaluation"))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_contact_sheet_is_seen_in_a_browser(studio: Studio, tmp_path: Path) -> None:
    with open_page(f"{studio.ui.url}/assets/thumbnails?view=overview", tmp_path) as page:
        width, height = wait_for(60, lambda: page.evaluate(SHOW_SHEET))
    assert width > height > 0


@pytest.mark.skipif(CADDY is None, reason="no Caddy on this machine")
def test_behind_the_proxy_a_password_is_asked_for(studio: Studio, tmp_path: Path) -> None:
    upstream = studio.ui.url.removeprefix("http://")
    with guard(upstream, tmp_path) as address:
        for path in ("/", "/graphql", "/server_info"):
            assert status(f"{address}{path}") == 401
            assert status(f"{address}{path}", authorization("another")) == 401
        assert status(address, authorization()) == 200
        behind = replace(studio.ui, url=address, headers=authorization())
        assert behind.ask(LOCATIONS) == studio.ui.ask(LOCATIONS)
        graphql = address.replace("http", "ws", 1) + "/graphql"
        with pytest.raises(InvalidStatus, match="401"):
            say_hello(graphql, {})
        assert say_hello(graphql, authorization()) == "connection_ack"


def say_hello(address: str, headers: dict[str, str]) -> str:
    """Begin to speak GraphQL over a web socket, as the pages of the UI do."""
    protocols = [Subprotocol("graphql-ws")]
    with connect(address, additional_headers=headers, subprotocols=protocols) as spoken:
        spoken.send(json.dumps({"type": "connection_init", "payload": {}}))
        return json.loads(spoken.recv(timeout=20))["type"]


def test_no_other_address_of_the_machine_reaches_it(studio: Studio) -> None:
    port = int(studio.ui.url.rpartition(":")[2])
    own = {each.address for some in psutil.net_if_addrs().values() for each in some
           if each.family == socket.AF_INET}  # fmt: skip
    for address in (own - {HOST}) | {"127.0.0.2"}:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=5)


def test_no_worker_outlives_its_run(studio: Studio) -> None:
    def is_quiet() -> bool:
        return not studio.ui.workers()

    wait_for(30, is_quiet)


def _is_well(studio: Studio) -> bool:
    daemons = studio.ui.ask(LOCATIONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return all(each["healthy"] for each in daemons if each["required"])


def _is_shown(studio: Studio, asset: str, clip: str) -> bool:
    return clip in studio.ui.statuses(asset)["materializedPartitions"]
