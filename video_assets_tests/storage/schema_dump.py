"""What of a database our migrations have made, in a form in which two databases can be compared."""

import subprocess

from video_assets.storage import binaries

SCHEMAS = ("public", "private", "extensions")


def schema_of(url: str) -> list[str]:
    """The statements that make our schemas, with every grant and policy.

    Left out is who owns them: that is whoever applied the migrations. So are the settings of the
    session that would restore the dump, what it says of the server's release, and who may use the
    schema public: everybody may, and some projects grant it by name once more.
    """
    program = binaries.program(binaries.install_folder(), "pg_dump")
    schemas = [f"--schema={name}" for name in SCHEMAS]
    said = subprocess.run(
        [program, "--schema-only", "--no-owner", *schemas, url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    ignored = ("--", "SET ", "SELECT pg_catalog.set_config(", "\\restrict ", "\\unrestrict ")
    ignored += ("GRANT USAGE ON SCHEMA public ",)
    return [line for line in said.splitlines() if line and not line.startswith(ignored)]
