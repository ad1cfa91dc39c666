"""`video-assets export`: the catalogue as a table, for spreadsheets, programs and analysis."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from video_assets.interfaces.cli.parts import WhereOption
from video_assets.interfaces.cli.reading import NO_CATALOGUE, leave, reading
from video_assets.interfaces.cli.wording import counted, say
from video_assets.storage.export import TableName, open_rows
from video_assets.storage.export_files import (
    WRITERS,
    Format,
    MissingLibraryError,
    require_parquet,
)
from video_assets.storage.selection import SelectionError, parse, select_clips

SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


def export(
    table: Annotated[TableName, typer.Option("--table", "-t", help="What a row is of.")] = "clips",
    output_format: Annotated[
        Format | None,
        typer.Option(
            "--format", "-f", help="Parquet needs the extra `export`.", show_default="by --output"
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.", show_default="stdout")
    ] = None,
    where: WhereOption = None,
) -> None:
    """Write one row for each clip, scene, transcript or analysis, with what people filter by.

    For instance: video-assets export --where 'duration>60,camera_make=Canon' -o long.csv
    """
    kind = output_format or SUFFIXES.get(output.suffix.lower() if output else "", "csv")
    try:
        conditions = parse(where or "")
        if kind == "parquet":
            require_parquet()
            if output is None:
                leave("Parquet is no text for a terminal; name a file with --output")
        with reading() as looking:
            if looking.browser is None:
                leave(NO_CATALOGUE)
            catalogue = looking.browser.catalogue
            found = select_clips(catalogue, conditions, owner=looking.owner) if conditions else None
            checksums = None if found is None else [clip.checksum for clip in found]
            with (
                open_rows(catalogue, looking.owner, table, checksums=checksums) as rows,
                _target(output) as file,
            ):
                count = WRITERS[kind](rows, file)
    except (SelectionError, MissingLibraryError) as error:
        leave(str(error))
    if output is not None:
        thing = "row" if table == "analyses" else table[:-1]
        say(f"{counted(count, thing)} written to {output}", error=True)


@contextmanager
def _target(output: Path | None) -> Iterator[IO[bytes]]:
    """Open what is written to; a file appears, or is replaced, when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif output.exists() and not output.is_file():  # a pipe or device, which cannot be replaced
        with output.open("wb") as file:
            yield file
    else:
        with tempfile.NamedTemporaryFile(dir=output.parent, delete=False) as file:
            unfinished = Path(file.name)
            try:
                yield file
                file.flush()
                unfinished.chmod(0o666 & ~_umask())
                unfinished.replace(output)
            finally:
                unfinished.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
