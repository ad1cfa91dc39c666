"""The Supabase CLI, and a project folder for it that holds our migrations."""

import shutil
import subprocess
from pathlib import Path

from video_assets.storage.migrations import sql_folder
from video_assets_tests.lite.server import MODULES

_BROUGHT = MODULES / "@supabase" / "cli-linux-x64" / "bin" / "supabase"
SUPABASE = shutil.which("supabase") or (str(_BROUGHT) if _BROUGHT.exists() else None)
MISSING = "no Supabase CLI: `npm ci` in lite brings it on Linux, elsewhere install it"


def supabase(folder: Path, url: str, *arguments: str) -> str:
    """Run a command of the CLI against a database, and give what it prints."""
    assert SUPABASE
    project = folder / "supabase"
    if not project.exists():
        project.mkdir()
        (project / "migrations").symlink_to(sql_folder() / "migrations")
        (project / "config.toml").write_text('project_id = "test"\n')
    done = subprocess.run(
        [SUPABASE, *arguments, f"--remote={url}"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
