"""`list` and `info`: what they show, of whom, and how a clip may be called."""

import json

import pytest
from rich.cells import cell_len

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import locations
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import LONG, MARKUP, PROBLEM, Shelf

NAMES = ["complete.mov", MARKUP, LONG, "waiting.mp4", "twin.mp4", "twin.mp4"]


def ids(shell: Shell) -> dict[str, str]:
    return {clip["file_name"]: clip["id"] for clip in shell.json("list")["clips"]}


def test_the_list_has_every_clip_of_the_owner_and_no_other(shell: Shell):
    page = shell.json("list")
    assert sorted(clip["file_name"] for clip in page["clips"]) == sorted(NAMES)
    assert page["total"] == page["shown"] == len(NAMES)
    assert "neighbour" not in json.dumps(page)


def test_the_list_shows_the_size_on_screen_and_the_rate(shell: Shell):
    (line,) = (line for line in shell("list").splitlines() if "complete.mov" in line)
    assert line.split() == [
        *(ids(shell)["complete.mov"][:8], "complete.mov", "1.6s"),
        *("36x64", "29.97", "h264"),
        *line.split()[6:7],
        "100%",
    ]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", [["list"], ["info", LONG], ["status"], ["monitor"]])
def test_only_paths_are_wider_than_the_terminal(shell: Shell, command: list[str], columns: int):
    lines = shell(*command, columns=columns).splitlines()
    assert [line for line in lines if cell_len(line) > columns and "/" not in line] == []


def test_a_path_is_told_whole(shell: Shell):
    (place, *_) = shell.json("info", LONG)["places"]
    assert place["path"] in shell("info", LONG, columns=40).splitlines()


def test_a_long_name_is_shortened_in_the_middle(shell: Shell):
    (line,) = (line for line in shell("list").splitlines() if "42.mp4" in line)
    assert "a clip" in line
    assert "…" in line


def test_markup_in_a_name_is_only_a_name(shell: Shell):
    assert MARKUP in shell("list")
    assert f"Clip Details: {MARKUP}" in shell("info", MARKUP)


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("complete", {"complete.mov"}),
        ("failed", {MARKUP}),
        ("processing", {LONG}),
        ("waiting", {"waiting.mp4", "twin.mp4"}),
    ],
)
def test_clips_are_listed_by_state(shell: Shell, state: str, names: set[str]):
    clips = shell.json("list", "--status", state)["clips"]
    assert {clip["file_name"] for clip in clips} == names


def test_a_page_says_that_there_is_more(shell: Shell):
    assert "2 of 6; --limit 6 shows all" in shell("list", "--limit", "2")
    assert "6 clips" in shell("list", "--limit", "6")
    assert shell.json("list", "--limit", "2")["total"] == 6


def test_the_order_is_chosen(shell: Shell):
    def order(*options: str) -> list[str]:
        return [clip["file_name"] for clip in shell.json("list", *options)["clips"]]

    assert order("--sort", "oldest") == order()[::-1]
    assert order("--sort", "name") == sorted(NAMES, key=str.lower)
    assert set(order("--sort", "duration")[:2]) == {LONG, "complete.mov"}
    assert order("--sort", "size")[0] == "complete.mov"
    assert order("--sort", "progress")[-1] == "complete.mov"
    assert "'newest'" in shell.error("list", "--sort", "luck")


def test_info_tells_the_facts(shell: Shell, filled: Shelf):
    printed = " ".join(shell("info", "complete.mov").split())
    for fact in (
        "Clip Details: complete.mov",
        "Duration 1.6s (1.602 s)",
        "Resolution 36x64 (stored as 64x36)",
        "FPS 29.97 (30000/1001)",
        "Rotation 90°",
        "Timecode 01:00:00;02",
        "Codec h264",
        "Container mov",
        "Audio pcm_s16le, stereo, 48 kHz",
        "Subtitles none",
        "Camera —",
        "✓ probe 1.2 done",
        f"probe_is_plausible: {PROBLEM}",
    ):
        assert fact in printed
    unfolded = shell("info", "complete.mov").replace("\n", "").replace(" ", "")
    assert filled.checksums["complete.mov"] in unfolded
    assert str(filled.folder / "ours/complete.mov") in unfolded
    assert "/home/artifacts/ab/abc/contact.jpg" in unfolded


def test_info_tells_why_a_step_failed(shell: Shell):
    printed = " ".join(shell("info", MARKUP).split())
    assert "UndecodableError: no \\x1b[31mframe decodes" in printed
    assert "failed, 33%" in printed
    assert "thumbnails — blocked" in printed


def test_info_in_json_is_everything(shell: Shell, filled: Shelf, settings):
    found = shell.json("info", "complete.mov")
    assert found["exact_frame_rate"] == "30000/1001"
    assert found["steps"][1]["result"]["container"] == "mov"
    assert found["steps"][1]["problems"] == {"probe_is_plausible": PROBLEM}
    assert [place["path"] for place in found["places"]] == [
        str(filled.folder / "ours/complete.mov")
    ]
    (artifact,) = found["artifacts"]
    assert artifact["path"] == str(settings.artifacts_dir / "ab/abc/contact.jpg")


def test_what_does_not_exist_yet_is_said_to_be_missing(shell: Shell):
    printed = shell("info", "complete.mov", "--transcript", "--analysis")
    assert printed.count("none yet") == 2


def test_search_info_is_info(shell: Shell):
    assert shell("search", "info", MARKUP) == shell("info", MARKUP)


def test_a_clip_goes_by_many_names(shell: Shell, filled: Shelf, monkeypatch: pytest.MonkeyPatch):
    clip_id, checksum = ids(shell)["complete.mov"], filled.checksums["complete.mov"]
    monkeypatch.chdir(filled.folder)
    for name in (
        *(clip_id, clip_id[:8], clip_id[:8].upper(), checksum, checksum[:12]),
        *("complete.mov", "ours/complete.mov", "./ours/../ours/complete.mov"),
        str(filled.folder / "ours" / "complete.mov"),
    ):
        assert shell.json("info", name)["id"] == clip_id


def test_a_name_of_two_clips_lists_both(shell: Shell, filled: Shelf):
    said = shell.error("info", "twin.mp4")
    assert said.startswith("twin.mp4 is 2 clips; name one by its id:")
    assert "/ours/again/twin.mp4" in said.replace(" ", "")
    assert shell.json("info", "again/twin.mp4")["id"] in {
        clip["id"] for clip in shell.json("list")["clips"] if clip["file_name"] == "twin.mp4"
    }


def test_a_prefix_of_two_clips_lists_both(shell: Shell, filled: Shelf):
    with filled.catalogue.transaction() as connection:
        for name, last in (("waiting.mp4", 1), (LONG, 2)):
            connection.execute(
                """INSERT INTO clips (id, user_id, file_path, local_path, file_name, file_checksum,
                                      file_size_bytes)
                   SELECT ('abcdabcd-0000-4000-8000-00000000000' || %(last)s)::uuid, user_id,
                          '/gone/' || file_name, '/gone', 'copy of ' || file_name,
                          %(last)s || substr(file_checksum, 2), 0
                     FROM clips WHERE file_name = %(name)s""",
                {"name": name, "last": str(last)},
            )
    try:
        assert "abcdabcd is 2 clips" in shell.error("info", "abcdabcd")
        found = shell.json("info", "abcdabcd-0000-4000-8000-000000000001")
        assert found["file_size_bytes"] == 0
        printed = shell("info", "copy of waiting.mp4")
        assert "0B" in printed
    finally:
        with filled.catalogue.transaction() as connection:
            connection.execute("DELETE FROM clips WHERE file_name LIKE 'copy of %'")


def test_an_unknown_name_is_said_to_be_unknown(shell: Shell):
    assert shell.error("info", "abc").startswith("no clip is called abc; give a file name")
    assert "no clip is called" in shell.error("info", "\x1b[31m.mp4")
    assert "no clip is called" in shell.error("info", "\udcff.mp4")
    assert "no clip is called" in shell.error("info", "")


def test_a_file_that_is_no_clip_is_told_of(shell: Shell):
    assert "empty.mp4 could not become a clip: the file is empty" in shell.error(
        "info", "empty.mp4"
    )


@pytest.mark.parametrize("name", ["neighbour.mp4", "neighbour too.mp4", "neighbour empty.mp4"])
def test_no_name_of_a_neighbour_is_known(shell: Shell, filled: Shelf, name: str):
    assert "no clip is called" in shell.error("info", name)
    assert "no clip is called" in shell.error("info", str(filled.folder / "theirs" / name))


def test_no_id_or_checksum_of_a_neighbour_is_known(shell: Shell, filled: Shelf):
    with filled.catalogue.transaction(filled.neighbour) as connection:
        rows = connection.execute("SELECT id::text, file_checksum FROM clips").fetchall()
    with filled.catalogue.transaction(LOCAL_OWNER) as connection:
        own = connection.execute("SELECT file_checksum FROM clips").fetchall()
    checksums = {row["file_checksum"] for row in rows} - {row["file_checksum"] for row in own}
    assert len(checksums) == 1
    for name in (*(row["id"] for row in rows), *checksums):
        assert "no clip is called" in shell.error("info", name)
        assert "no clip is called" in shell.error("info", name[:8])


def test_content_in_common_shows_no_place_of_the_neighbour(shell: Shell):
    assert "theirs" not in json.dumps(shell.json("info", MARKUP))


def test_a_place_that_is_gone_is_said_to_be_gone(shell: Shell, filled: Shelf):
    path = filled.folder / "ours" / "waiting.mp4"
    locations.mark_missing(filled.catalogue, LOCAL_OWNER, [path])
    assert "not found since 2" in " ".join(shell("info", "waiting.mp4").split())


def test_without_a_catalogue_none_is_made(bare_shell: Shell, settings):
    assert "no catalogue yet: run `video-assets ingest FOLDER`" in bare_shell("list")
    assert bare_shell.json("list") == {"total": 0, "shown": 0, "clips": []}
    assert "no catalogue yet" in bare_shell.error("info", "x.mp4")
    assert not settings.home.exists()


def test_a_database_that_is_not_there_is_exit_code_3(
    bare_shell: Shell, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://nobody@127.0.0.1:9/none")
    for command in ("list", "status", "monitor"):
        assert bare_shell.error(command, code=3)
