"""A folder that is moved and renamed: no step runs again, and the clips are found there."""

import json
from pathlib import Path
from typing import Any

from video_assets.assets.index.document import EnhancedVideoIngestOutput
from video_assets.settings import LOCAL_OWNER, Settings
from video_assets.storage.catalogue import open_catalogue
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import run


def command(settings: Settings, *arguments: str) -> Any:
    """Run a command that answers in JSON."""
    done = run(settings.home, *arguments, "--json")
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_a_moved_folder_runs_no_step(settings: Settings, tmp_path: Path) -> None:
    old, new = tmp_path / "card 1", tmp_path / "archive" / "day -1"
    old.mkdir()
    make_clip(old / "one.mp4")
    make_clip(old / "two.mov", Clip(frames=5))
    assert command(settings, "ingest", str(old))["complete"] == 2

    catalogue = open_catalogue(settings)
    query = "SELECT asset, file_checksum, attempts, measured_at, run_id FROM results ORDER BY 1, 2"
    with catalogue.transaction() as connection:
        before = connection.execute(query).fetchall()
    new.parent.mkdir()
    old.rename(new)
    (new / "two.mov").rename(new / "renamed.mov")
    found = command(settings, "ingest", str(new.parent))

    assert (found["moved"], found["new"], found["complete"]) == (2, 0, 2)
    with catalogue.transaction() as connection:
        assert connection.execute(query).fetchall() == before
    with catalogue.transaction(LOCAL_OWNER) as connection:
        places = connection.execute("SELECT path FROM clip_locations ORDER BY path").fetchall()
    assert [place["path"] for place in places] == [str(new / "one.mp4"), str(new / "renamed.mov")]
    shown = command(settings, "info", "renamed.mov")
    assert str(old) not in json.dumps(shown)
    document = EnhancedVideoIngestOutput.model_validate(shown["document"])
    assert document.user_id == str(LOCAL_OWNER)
    assert document.file_info.file_path == str(new / "renamed.mov")
    assert document.video.resolution.aspect_ratio == "16:9"
    assert len(document.thumbnails) == 5
    catalogue.close()
