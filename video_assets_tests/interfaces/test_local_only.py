"""Folders that are local only, through a whole ingest: what is sent, and what is told."""

import json
from pathlib import Path

import pytest

from video_assets.services.outgoing import LOCAL_ONLY
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import run
from video_assets_tests.servers import remove_server
from video_assets_tests.services.loopback import embed, serve

PRESET = """
name: sending
steps:
  - {{category: measure, name: probe, queue: metadata}}
  - {{category: derive, name: audio_track}}
  - {{category: analyze, name: transcript, queue: ai_analysis}}
  - {{category: index, name: search_texts}}
  - category: index
    name: embeddings
    queue: embeddings
    params: {{model: letters, base_url: "{address}"}}
worker_config: {{default: 1, metadata: 1, ai_analysis: 1, embeddings: 1}}
"""


@pytest.mark.parametrize("is_watched", [False, True])
def test_of_a_clip_with_a_copy_in_such_a_folder_nothing_is_sent(tmp_path: Path, is_watched: bool):
    home, clips = tmp_path / "home", tmp_path / "clips"
    for name in ("private", "open"):
        (clips / name).mkdir(parents=True)
    make_clip(clips / "private" / "a.mkv", Clip(subtitles=["Between us"]))
    (clips / "open" / "copy.mkv").write_bytes((clips / "private" / "a.mkv").read_bytes())
    make_clip(clips / "open" / "b.mkv", Clip(subtitles=["For everybody"]))
    (home / "presets").mkdir(parents=True)
    private = json.dumps(str(clips / "private"))
    rule = f"[[watch]]\npath = {private}\nlocal_only = true\n"
    (home / "settings.toml").write_text(
        rule if is_watched else f"[privacy]\nlocal_only = [{private}]\n"
    )
    (home / "prices.yaml").write_text("127.0.0.2: {letters: {input: 0.01, as_of: 2026-11-30}}\n")
    try:
        with serve("127.0.0.2") as service:
            service.answers.append(embed)
            preset = PRESET.format(address=service.url)
            (home / "presets" / "sending.yaml").write_text(preset)
            done = run(home, "ingest", "--config", "sending", clips)
            sent = [body for _, _, body in service.seen]
            assert [b"For everybody" in body for body in sent] == [True], done.stdout
            assert LOCAL_ONLY in " ".join(done.stdout.split()), done.stdout
            assert LOCAL_ONLY in " ".join(run(home, "status").stdout.split())
            assert LOCAL_ONLY in run(home, "status", "--json").stdout

            (home / "settings.toml").write_text("")
            run(home, "ingest", "--config", "sending", clips)
            assert any(b"Between us" in body for _, _, body in service.seen)
    finally:
        remove_server(EmbeddedServer(home))
