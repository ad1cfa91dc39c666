"""Makes a data folder whole or not at all, and refuses one that another Postgres made."""

import shutil
import tempfile
from pathlib import Path

from video_assets.storage import binaries
from video_assets.storage.postmaster import HOST, Control
from video_assets.storage.server_file import NAME, EmbeddedServerError, tail

INITDB = (
    # A cheap hash is as safe as a dear one for 32 random bytes, and spares each connection 3 ms.
    *("-U", "postgres", "--auth=scram-sha-256", "-c", "scram_iterations=1"),
    # The same on every system and for ever: no dependence on the locales of the C library.
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    "--text-search-config=english",
)


def make(control: Control, password: str, output: Path) -> None:
    """Make the data folder under another name, so that a killed initdb leaves none."""
    prefix = f"{control.data.name}.new-"
    for left_over in control.data.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        dir=control.data.parent, prefix=prefix, ignore_cleanup_errors=True
    ) as name:
        work = Path(name)
        password_file = work / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        if control.account is not None:
            control.account.owns(work)
            control.account.owns(password_file)
        made = work / "data"
        failed = control.run(["initdb", "-D", made, f"--pwfile={password_file}", *INITDB], output)
        if failed:
            raise EmbeddedServerError(
                f"no data folder could be made in {work.parent}; {output} ends with\n{tail(output)}"
            )
        made.rename(control.data)


def refuse_other_major(data: Path) -> None:
    """Raise EmbeddedServerError if the data here, or beside here, need another Postgres."""
    version = data / "PG_VERSION"
    if version.exists():
        if (found := version.read_text().strip()) != str(binaries.MAJOR):
            raise EmbeddedServerError(_how_to_take_over(data, found))
    elif not data.exists():
        for other in sorted(data.parent.glob("pg[0-9]*/PG_VERSION")):
            if other.parent.name[2:].isdigit():
                found = other.read_text().strip()
                raise EmbeddedServerError(_how_to_take_over(other.parent, found))


def _how_to_take_over(data: Path, found: str) -> str:
    folder, wanted = data.parent, binaries.MAJOR
    told = f"{data} was made by Postgres {found}, and this release runs Postgres {wanted}"
    if not found.isdigit() or int(found) not in binaries.FOLDERS:
        return f"{told}; dump it with pg_dumpall of the release that made it, and restore it here"
    old = binaries.install_folder(int(found)) / "bin"
    address = f"-h {HOST} -p 55432"
    return f"""{told}. To take it over, as the owner of that folder, with PGPASSWORD set to the \
password in {NAME}:
  {old}/pg_ctl -D {data} -w -o "{address} -k ''" -l {data}/server.log start
  {old}/pg_dumpall {address} -U postgres > dump.sql
  {old}/pg_ctl -D {data} stop
  mv {data} {folder}/old-{data.name}
  video-assets db psql -d postgres -c "DROP DATABASE dagster" -c "DROP DATABASE video_assets" \\
    -f dump.sql"""
