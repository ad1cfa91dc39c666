"""The launchers in small checkouts of their own, whose installation needs no network."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "video-assets"
version = "1"
"""

# A build backend whose wheel holds one module; that module says where it runs.
BACKEND = '''
import pathlib, time, zipfile

INFO = "video_assets-1.dist-info"
FILES = {
    "stand_in.py": """
import os, sys
def main():
    print("ran", sys.prefix, os.getcwd(), sys.argv[1:])
""",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: video-assets\\nVersion: 1\\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    f"{INFO}/entry_points.txt": "[console_scripts]\\nvideo-assets = stand_in:main\\n",
}

def build_editable(folder, config_settings=None, metadata_directory=None):
    here = pathlib.Path(__file__).parent
    with (here / "installations").open("a") as log:
        log.write("one\\n")
    if (here / "slow").exists():
        time.sleep(60)
    name = "video_assets-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
        record = "".join(f"{path},,\\n" for path in [*FILES, f"{INFO}/RECORD"])
        wheel.writestr(f"{INFO}/RECORD", record)
    return name
'''


class Checkout:
    """A folder with the real launchers and a stand-in for the package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "bin", folder / "bin")
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "constraints.txt").write_text("")
        (folder / "backend.py").write_text(BACKEND)
        (folder / "tools").mkdir()
        (folder / "tools/exiftool").write_text("#!/bin/sh\n")  # so that none is fetched
        (folder / "tools/exiftool").chmod(0o755)

    def start(self, *arguments: str, launcher: Path | None = None, cwd: Path | None = None):
        return subprocess.Popen(
            [launcher or self.folder / "bin/video-assets", *arguments],
            cwd=cwd,
            env={
                **os.environ,
                "VIDEO_ASSETS_PYTHON": sys.executable,
                "PATH": f"{self.folder / 'tools'}:{os.environ['PATH']}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, launcher: Path | None = None, cwd: Path | None = None):
        process = self.start(*arguments, launcher=launcher, cwd=cwd)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out, err

    def installations(self) -> int:
        log = self.folder / "installations"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture(scope="module")
def ready(tmp_path_factory) -> Checkout:
    """Two first calls at once, in a folder with a space in its name."""
    checkout = Checkout(tmp_path_factory.mktemp("first") / "my clone")
    calls = [checkout.start(), checkout.start()]
    ends = [call.communicate(timeout=120) for call in calls]
    assert [call.returncode for call in calls] == [0, 0], ends
    return checkout


def test_two_first_calls_at_once_install_once(ready):
    assert ready.installations() == 1


def test_it_works_from_anywhere_and_through_links(ready, tmp_path):
    (tmp_path / "far").symlink_to(ready.folder / "bin/video-assets")
    (tmp_path / "near").symlink_to("far")
    out, err = ready.run("a b", "--c", launcher=tmp_path / "near", cwd=tmp_path)
    assert out == f"ran {ready.folder}/.venv {tmp_path} ['a b', '--c']\n"
    assert err == ""


def test_a_second_call_installs_nothing(ready):
    before = ready.installations()
    for _ in range(3):
        _, err = ready.run()
        assert "Installing" not in err
    assert ready.installations() == before


def test_what_changed_is_installed_and_a_moved_checkout_again(ready, tmp_path):
    before = ready.installations()
    (ready.folder / "constraints.txt").write_text("# newer\n")
    _, err = ready.run()
    assert "Installing" in err
    assert ready.installations() == before + 1

    ready.folder.rename(tmp_path / "moved")
    moved = tmp_path / "moved"
    try:
        out, _ = ready.run(launcher=moved / "bin/video-assets")
        assert out.startswith(f"ran {moved}/.venv ")
    finally:
        moved.rename(ready.folder)


def test_a_killed_first_call_leaves_nothing_that_harms(tmp_path):
    checkout = Checkout(tmp_path / "clone")
    (checkout.folder / "slow").touch()
    killed = checkout.start()
    deadline = time.monotonic() + 120  # as for every other call
    while not checkout.installations() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()

    (checkout.folder / "slow").unlink()
    half_done = checkout.folder / ".venv/lib/half-done"
    half_done.touch()
    out, _ = checkout.run()
    assert out.startswith("ran ")
    assert not half_done.exists()


def test_a_failed_installation_runs_nothing(tmp_path):
    checkout = Checkout(tmp_path / "clone")
    (checkout.folder / "backend.py").write_text("raise SystemExit('broken backend')")
    process = checkout.start()
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert err.endswith("so nothing was run; the same call tries again.\n")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        pytest.param(None, "none is on the PATH: install one", id="no Python"),
        pytest.param(3, "none is on the PATH: install one", id="only others"),
        pytest.param(4, "package is python3.12-venv", id="no venv module"),
    ],
)
def test_what_is_missing_is_said(tmp_path, answer, sentence):
    checkout = Checkout(tmp_path / "clone")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("cat", "cmp", "dirname", "readlink"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    if answer is not None:
        python = tools / "python3.12"
        python.write_text(f"#!/bin/sh\nexit {answer}\n")
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
    call = subprocess.run(
        ["/bin/sh", checkout.folder / "bin/video-assets"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
    )
    assert (call.returncode, call.stdout) == (1, "")
    assert call.stderr.startswith("video-assets needs Python 3.10 to 3.13 with its venv module")
    assert sentence in call.stderr
    assert not (checkout.folder / ".venv").exists()


def test_a_python_that_was_named_is_not_replaced(tmp_path):
    checkout = Checkout(tmp_path / "clone")
    call = subprocess.run(
        [checkout.folder / "bin/video-assets"],
        env={**os.environ, "VIDEO_ASSETS_PYTHON": "/no/such python"},
        capture_output=True,
        text=True,
    )
    assert call.returncode == 1
    assert "VIDEO_ASSETS_PYTHON=/no/such python is not that" in call.stderr
