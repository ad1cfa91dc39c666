"""`video-assets doctor`: what is installed, what is missing, and what that costs."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli import doctor_embedded, doctor_remote
from video_assets.interfaces.cli.faults import FAILED
from video_assets.interfaces.cli.finding import Finding
from video_assets.interfaces.cli.wording import size
from video_assets.presets.strict import PresetError
from video_assets.settings import Settings, SettingsError, load_settings

PACKAGES = ("dagster", "dagster-webserver", "dagster-postgres", "psycopg", "pydantic", "pebble")
LEAST_FREE_BYTES = 2_000_000_000
SIGNS = {"good": "[green]✓[/]", "note": "[yellow]•[/]", "missing": "[red]✗[/]"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout.")] = False,
) -> None:
    """Tell what is installed, what is missing and what that costs; exit code 1 if it is needed."""
    findings = list(examine(load_settings()))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        Console().print(_table(findings))
    raise typer.Exit(FAILED if any(each.state == "missing" for each in findings) else 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the machine; starts no server and makes no catalogue."""
    yield _python()
    yield from map(_package, PACKAGES)
    yield _pyav()
    yield _hardware()
    yield _opencv()
    if settings.is_embedded and settings.supabase_url is None:
        yield from doctor_embedded.examine(settings)
    else:
        yield from doctor_remote.examine(settings)
    yield _home(settings)
    yield _artifacts(settings)
    yield from _store(settings)
    yield _exiftool()
    yield Finding("Node.js", "good", "not needed")
    yield _graphics()
    yield from _leaving(settings)


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "good", found)
    return Finding("Python", "missing", found, "3.10 to 3.13 are tested; others may not work")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "good", version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", "not installed", "install the package again: bin/test")


def _pyav() -> Finding:
    try:
        import av
    except ImportError as error:
        return Finding("PyAV", "missing", str(error), "no clip can be opened")
    ffmpeg = ".".join(map(str, av.library_versions["libavcodec"]))
    return Finding("PyAV", "good", f"{av.__version__}, with FFmpeg (libavcodec {ffmpeg})")


def _hardware() -> Finding:
    from av.codec.hwaccel import hwdevices_available

    devices = ", ".join(hwdevices_available())
    if devices:
        return Finding("Hardware codecs", "note", f"FFmpeg knows {devices}", "proxies try them")
    return Finding("Hardware codecs", "note", "none in this FFmpeg", "decoding takes the CPU")


def _opencv() -> Finding:
    try:
        import cv2
    except ImportError as error:
        return Finding("OpenCV", "missing", str(error), "no thumbnails")
    return Finding("OpenCV", "good", cv2.__version__)


def _home(settings: Settings) -> Finding:
    place = _existing(settings.home)
    free = shutil.disk_usage(place).free
    found = f"{settings.home}, {size(free)} free"
    if free < LEAST_FREE_BYTES:
        return Finding("Home", "note", found, "room for few artifacts")
    return Finding("Home", "good", found)


def _artifacts(settings: Settings) -> Finding:
    place = _existing(settings.artifacts_dir)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        why = f"{place}: {os.strerror(error.errno or 0)}"
        return Finding("Artifact folder", "missing", why, "no thumbnails can be kept")
    return Finding("Artifact folder", "good", f"{settings.artifacts_dir} can be written")


def _store(settings: Settings) -> Iterator[Finding]:
    """Tell whether the object store has what opens it; asks it nothing."""
    from video_assets.storage.objects import open_objects

    url = settings.artifacts.url
    if url is None or settings.is_by_api:  # people fetch their own with a session
        return
    try:
        open_objects(settings, url)
    except SettingsError as error:
        yield Finding("Object store", "missing", str(error), "no clip is processed without it")
    else:
        yield Finding("Object store", "good", url)


def _exiftool() -> Finding:
    from video_assets.media.exiftool import HOW_TO_GET_IT, find_exiftool

    found = find_exiftool()
    if found is None:
        cost = f"camera, lens, place and capture time wait for it; {HOW_TO_GET_IT}"
        return Finding("exiftool", "note", "not installed", cost)
    try:
        asked = subprocess.run(
            [found, "-ver"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        cost = f"it does not run ({error}), so that camera and capture time wait; {HOW_TO_GET_IT}"
        return Finding("exiftool", "note", found, cost)
    return Finding("exiftool", "good", f"{asked.stdout.strip()}, {found}")


def _graphics() -> Finding:
    found = shutil.which("nvidia-smi")
    if found:
        return Finding("GPU", "good", "NVIDIA; local models run on it where their libraries can")
    return Finding("GPU", "note", "no NVIDIA one", "not needed; local models take longer")


def _leaving(settings: Settings) -> Iterator[Finding]:
    """Say what leaves this machine, and what must not."""
    from video_assets.interfaces.cli.leaving import leaving

    name = f"Leaves this machine (preset {settings.preset})"
    try:
        found = list(leaving(settings))
    except (PresetError, SettingsError) as error:
        yield Finding(name, "note", str(error), "nobody can say what leaves")
        return
    for each in found:
        sent, faults = each.sent, each.faults
        facts: dict[str, Any] = {"step": each.step, "is_on": each.is_on, "host": sent.host}
        facts |= {"stays_here": sent.is_here, "library": sent.library}
        facts |= {"sends": sent.sends, "keeps": sent.keeps, "has_key": sent.has_key}
        facts |= {"key": sent.secret, "faults": faults}
        state = "note" if faults or not each.is_on else "good"
        yield Finding(each.step, state, each.words, "; ".join(faults), facts)
    if all(each.sent.is_here for each in found if each.is_on):
        yield Finding(name, "good", "nothing of a clip, by the enabled steps")
    if settings.db_url is not None:
        host = urlsplit(settings.db_url).hostname
        yield Finding("Catalogue", "note", f"all that is known of clips is kept at {host}")
    if settings.notify.webhook is not None:
        host = urlsplit(settings.notify.webhook.get_secret_value()).hostname
        said = f"names of clips that fail, and why, are told to {host}"
        yield Finding("Notifications", "note", said)
    for folder in settings.local_only:
        if folder.is_dir():
            yield Finding("Local only", "good", f"{folder}: its clips go to no service elsewhere")
        else:
            cost = "until then, clips whose own drives are away are sent nowhere either"
            yield Finding("Local only", "note", f"{folder} is not there now", cost)


def _existing(folder: Path) -> Path:
    """Find the nearest folder that is there: what will be made takes its place from it."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in findings:
        found = Text(each.found)
        if each.cost:
            found.append(f"\n→ {each.cost}", style="green")
        table.add_row(SIGNS[each.state], each.name, found)
    return table
