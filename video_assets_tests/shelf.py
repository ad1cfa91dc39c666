"""A catalogue of two owners, one of whom is the local one that the command line shows.

The local owner has a clip in every state, a file that is no clip, and one content in common with
the neighbour, who calls it otherwise.
"""

import uuid
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import psycopg

from video_assets.media.discovery import discover
from video_assets.media.probe import probe_media
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar
from video_assets_tests.clips import Clip, make_clip

STEPS = ("checksum", "probe", "thumbnails")
MADE = ledger.Made("1", "", "")
MARKUP = "[red]x.mp4"
LONG = "a clip 日本語 with a very long name that ends in 0042.mp4"
PROBLEM = "the header claims 9.0 s, but the file holds 2.0 s"


@dataclass(frozen=True)
class Shelf:
    """Where the files lie, and what their contents are called."""

    catalogue: Postgres
    folder: Path
    neighbour: uuid.UUID
    checksums: dict[str, str]


def fill(catalogue: Postgres, admin_url: str, folder: Path) -> Shelf:
    """Make the files and what the catalogue says of them."""
    neighbour = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, 'ben@example.org')", (neighbour,)
        )
    ours, theirs = folder / "ours", folder / "theirs"
    ours.mkdir()
    theirs.mkdir()
    movie = Clip(rotation=90, rate=Fraction(30000, 1001), timecode="01:00:00;02", audio_tracks=1)
    make_clip(ours / "complete.mov", movie)
    for name in (MARKUP, LONG, "waiting.mp4", "twin.mp4"):
        (ours / name).write_bytes(name.encode())
    (ours / "empty.mp4").touch()
    (ours / "again").mkdir()
    (ours / "again" / "twin.mp4").write_bytes(b"another with this name")
    (theirs / "neighbour.mp4").write_bytes(b"nobody else has this")
    (theirs / "neighbour too.mp4").write_bytes(MARKUP.encode())
    (theirs / "neighbour empty.mp4").touch()
    checksums = register(catalogue, LOCAL_OWNER, ours) | register(catalogue, neighbour, theirs)
    shelf = Shelf(catalogue, folder, neighbour, checksums)
    for owner in (LOCAL_OWNER, neighbour):
        ledger.plan_clips(catalogue, owner, list(checksums.values()), "default", STEPS)
    document = probe_media(ours / "complete.mov").model_dump(mode="json")
    done(shelf, "complete.mov", "probe", document, {"probe_is_plausible": PROBLEM})
    done(shelf, "complete.mov", "thumbnails", {"thumbnails": [], "contact_sheet": None})
    done(shelf, LONG, "probe", document)
    fail(shelf, MARKUP)
    fail(shelf, "neighbour.mp4")
    with catalogue.transaction() as connection:
        connection.execute(
            """INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path)
               SELECT id, user_id, 'thumbnails', 'contact_sheet', 'ab/abc/contact.jpg'
                 FROM clips WHERE file_name = 'complete.mov'"""
        )
    return shelf


def register(catalogue: Postgres, owner: uuid.UUID, folder: Path) -> dict[str, str]:
    """Register every file below a folder, and give the checksums of the clips by name."""
    registrar, listing = Registrar(catalogue, owner, "blake3"), discover([folder])
    for reject in listing.rejects:
        registrar.refuse(reject.path, reject.reason)
    found = registrar.register(listing.candidates)
    return {str(each.path.relative_to(folder)): each.checksum for each in found if each.checksum}


def done(
    shelf: Shelf,
    name: str,
    asset: str,
    document: dict[str, object],
    problems: dict[str, str] | None = None,
) -> None:
    """Save a result of 1.25 s."""
    ledger.save_done(
        shelf.catalogue,
        asset=asset,
        checksum=shelf.checksums[name],
        made=MADE,
        document=document,
        problems=problems or {},
        seconds=1.25,
        cpu_seconds=1.0,
        run_id="run",
    )


def fail(shelf: Shelf, name: str, asset: str = "probe") -> None:
    """Save that a step found no picture, in words that would turn a terminal red."""
    ledger.save_failed(
        shelf.catalogue,
        asset=asset,
        checksum=shelf.checksums[name],
        made=MADE,
        error_class="UndecodableError",
        error="no \x1b[31mframe decodes",
        fault="file",
        seconds=0.5,
        run_id="run",
    )
