"""The proxy that deploy/ ships for the Dagster UI, as Caddy runs it."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video_assets_tests.commands import ROOT
from video_assets_tests.servers import quiet_port

CADDY = shutil.which("caddy")
USER, PASSWORD = "ann", "a long password"
# Around the file that is shipped: only this machine is listened to, no other Caddy disturbed.
AROUND = """{{
	admin off
	default_bind 127.0.0.1
}}
import {}
"""


@contextmanager
def guard(upstream: str, folder: Path) -> Iterator[str]:
    """Run Caddy before a server on this machine, and give the address at which it asks."""
    assert CADDY is not None
    (folder / "Caddyfile").write_text(AROUND.format(ROOT / "deploy" / "Caddyfile"))
    hashed = subprocess.run(
        [CADDY, "hash-password", "--plaintext", PASSWORD],
        capture_output=True,
        text=True,
        check=True,
    )
    address = f"http://127.0.0.1:{quiet_port()}"
    variables = {
        "UI_ADDRESS": address,
        "UI_USER": USER,
        "UI_PASSWORD": hashed.stdout.strip(),
        "UI_UPSTREAM": upstream,
        **dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder)),
    }
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [CADDY, "run", "--config", folder / "Caddyfile"],
            env={**os.environ, **variables},
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 20
        while status(address) is None:
            assert process.poll() is None, (folder / "caddy.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def authorization(password: str = PASSWORD) -> dict[str, str]:
    """The header with which a browser answers."""
    word = b64encode(f"{USER}:{password}".encode()).decode()
    return {"Authorization": f"Basic {word}"}


def status(url: str, headers: dict[str, str] | None = None) -> int | None:
    """Ask for a page, and give the status of the answer, or None where nobody answers."""
    try:
        with urllib.request.urlopen(  # noqa: S310  our own
            urllib.request.Request(url, headers=headers or {}),  # noqa: S310
            timeout=20,
        ) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return None
