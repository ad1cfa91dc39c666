"""Every command: where it lies, and what the list of commands says of it.

Only the command that is asked for is imported: all of them together take a second.
"""

import gc
import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.main import get_group

from video_assets.interfaces.cli.faults import ToldGroup

# name: (module:function or typer.Typer, the first paragraph of its help), in the order of the list
COMMANDS: Mapping[str, tuple[str, str]] = {
    "ingest": (
        "ingest:ingest",
        "Make a catalogue of the video files in folders; run again, it does only what is new.",
    ),
    "quick-process": (
        "quick:quick_process",
        "Process one file with the preset `fast`, and show what was found.",
    ),
    "backfill": (
        "backfill:backfill",
        "Make what clips lack, and touch nothing else: by default what is missing or stale.",
    ),
    "stale": (
        "stale:stale",
        "List what is out of date: by what code, settings or inputs it was made, and what follows.",
    ),
    "failures": (
        "failures:failures",
        "Group what failed by its cause: how many clips, which, what to do, and if it is tried "
        "again.",
    ),
    "list": ("browse:list_clips", "List the clips of the catalogue, newest first."),
    "info": ("browse:info", "Show everything that is known of one clip."),
    "edit": (
        "edit:edit",
        "Say yourself what a clip is about; what you set stays, whatever analyzers say later.",
    ),
    "compare": (
        "compare:compare",
        "Compare what several analyzers say of clips: where they agree, what they cost and take.",
    ),
    "promote": (
        "promote:promote",
        "Choose the analyzer whose words stand for your clips in place of the preset's choice.",
    ),
    "status": (
        "status:status",
        "Count the clips by state, show runs, lanes and pace, and say why steps failed.",
    ),
    "monitor": (
        "monitor:monitor",
        "Show the clips that are being processed, the steps of one, or how far a run has come.",
    ),
    "costs": (
        "costs:costs",
        "Add up what was paid for clips, assets, models, days or owners.",
    ),
    "list-steps": (
        "list_steps:list_steps",
        "List every step by category: its version, its lane and what it finds.",
    ),
    "export": (
        "export:export",
        "Write one row for each clip, scene, transcript or analysis, with what people filter by.",
    ),
    "cleanup": (
        "cleanup:cleanup",
        "Remove what nobody needs any more; sources and unfinished clips are never touched.",
    ),
    "forget": (
        "forget:forget",
        "Remove a clip from the catalogue, with everything that is known of it.",
    ),
    "erase": (
        "erase:erase",
        "Remove an owner: account, clips, and everything known of them that nobody else has too.",
    ),
    "dev": (
        "dev:dev",
        "Run the Dagster UI, its daemon and the watch folders on this catalogue, until Ctrl-C.",
    ),
    "worker": (
        "worker:worker",
        "Process clips in the background, until it is stopped; `dev` is the same with a web UI.",
    ),
    "doctor": (
        "doctor:doctor",
        "Tell what is installed, what is missing and what that costs; exit code 1 if it is needed.",
    ),
    "search": ("search:search", "Find clips and look at them."),
    "runs": (
        "runs:app",
        "What each ingest, backfill and watched folder took in, and what came of it.",
    ),
    "watch": (
        "watch:app",
        "Folders whose new files become clips by themselves, while `video-assets dev` runs.",
    ),
    "presets": (
        "presets:app",
        "Presets: which steps run, and how. Your own are files NAME.yaml in the folder presets of "
        "the home folder; `show NAME --yaml` is a start.",
    ),
    "artifacts": (
        "artifacts:app",
        "Thumbnails, proxies and the like: where they lie, and moving them.",
    ),
    "auth": (
        "auth:app",
        "Accounts of a Supabase project: sign up, in and out, and who is signed in.",
    ),
    "admin": (
        "admin:app",
        "What admins see of all owners; `db admin` makes somebody an admin.",
    ),
    "db": ("db:app", "The database: start, stop, look into, migrate."),
}


class CommandsOnDemand(ToldGroup):
    """Commands that are listed by their table, and imported when they are asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments name."""
        name, listed, rest = super().resolve_command(ctx, args)
        command = load(str(name)) if listed else None
        _collect_from_here()
        return name, command, rest


def list_commands(app: typer.Typer) -> None:
    """Let an app list every command without importing any."""
    for name, (_, text) in COMMANDS.items():
        app.command(name, help=text)(_listed)


def load(name: str) -> Any:
    """Import a command."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(importlib.import_module(f"{__package__}.{module}"), attribute)
    app = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
    else:
        app.command(name)(found)
    return get_group(app).commands[name]


def _collect_from_here() -> None:
    """Look for garbage again, but not in what is imported: that would take a tenth of the time."""
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()


def _listed() -> None:
    """Stand in the list for a command."""
