"""A headless Chromium, driven over its own protocol: one page, and what a script finds there."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1400,1000",
)
STARTS_WITHIN_S = 60
ANSWERS_WITHIN_S = 60


class Page:
    """A page that is open."""

    def __init__(self, connection: Connection) -> None:
        """Take the page's end of the protocol."""
        self._connection = connection

    def evaluate(self, script: str) -> Any:
        """Run a script and give its value; None while the page is still being loaded."""
        wanted = {"expression": script, "returnByValue": True}
        message = {"id": 1, "method": "Runtime.evaluate", "params": wanted}
        self._connection.send(json.dumps(message))
        while True:
            answer = json.loads(self._connection.recv(timeout=ANSWERS_WITHIN_S))
            if answer.get("id") == 1:
                found = answer.get("result", {})
                assert "exceptionDetails" not in found, found
                return found.get("result", {}).get("value")


@contextmanager
def open_page(url: str, profile: Path) -> Iterator[Page]:
    """Start a browser with a fresh profile on a page; end it with the block."""
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_address(profile, url), max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(20)


def _address(profile: Path, url: str) -> str:
    """Find the page among what the browser has open."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        told = profile / "DevToolsActivePort"
        if not told.exists() or not (lines := told.read_text().splitlines()):
            continue
        for target in _open(int(lines[0])):
            if target["type"] == "page" and target["url"].startswith(url.partition("?")[0]):
                return target["webSocketDebuggerUrl"]
    raise AssertionError(f"Chromium has not opened {url} within {STARTS_WITHIN_S} s")


def _open(port: int) -> list[dict[str, str]]:
    """List what the browser has open; nothing while it is too busy to say so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return []
