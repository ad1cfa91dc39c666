"""`search`: what a person asks, and what they read."""

import uuid

import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.search.shelves import Shelves, Told, vector
from video_assets_tests.shelf import Shelf

TALK = ("Good morning everybody", "today we look at glaciers", "and then we go home again")
ICE = "People walk over a wide field of ice and snow in the sun"


@pytest.fixture(scope="module")
def clips(filled: Shelf, admin_url: str) -> dict[str, uuid.UUID]:
    """Clips that are found by different things."""
    shelves = Shelves(filled.catalogue, admin_url)
    told = (
        Told("talk.mp4", said=TALK, facts={"duration_seconds": 75}),
        Told(
            "glacier walk.mov", "People walk over a wide field of ice and snow in the sun", ["ice"]
        ),
        Told("ice.mov", facts={"camera_make": "[red]Sony", "camera_model": "A7"}),
        Told("[bold]markup.mp4", "\x1b[31mred", summary_vector=vector(1)),
    )
    return {each.name: shelves.add(LOCAL_OWNER, each) for each in told}


def test_words_are_found_and_shown(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "glacier", columns=120)
    assert said.splitlines()[0] == "Search Results (2 found)"
    rows = {line.split("  ")[0].split()[0]: line for line in said.splitlines()[2:]}
    assert list(rows) == [str(clips[name])[:8] for name in ("glacier walk.mov", "talk.mp4")]
    assert "People walk over a wide field of ice and snow i..." in said
    assert "1:15" in said
    assert shell.json("info", str(clips["talk.mp4"])[:8])["file_name"] == "talk.mp4"


def test_scores_and_types_are_shown_when_asked_for(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "glacier", "--scores", columns=140)
    assert "Score" in said.splitlines()[1]
    assert "0.020" in said
    assert "fulltext" in said
    document = shell.json("search", "query", "glacier")
    assert [hit["id"] for hit in document["clips"]] == [
        str(clips["glacier walk.mov"]),
        str(clips["talk.mp4"]),
    ]
    assert document["clips"][0]["places"] == {"text": 1}


def test_speech_is_found_with_its_time(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "glaciers", "--type", "transcripts", columns=120)
    assert "0:00:10" in said
    assert "today we look at «glaciers»" in said
    assert str(clips["talk.mp4"])[:8] in said


def test_conditions_and_pages(shell: Shell, clips: dict[str, uuid.UUID]):
    found = shell.json("search", "query", "ice OR glacier", "--where", "camera_model=a7")
    assert [hit["file_name"] for hit in found["clips"]] == ["ice.mov"]
    whole = shell.json("search", "query", "ice OR glacier")["clips"]
    second = shell.json("search", "query", "ice OR glacier", "--limit", "1", "--offset", "1")
    assert second["clips"] == whole[1:2]
    assert len(whole) == len(clips) - 1
    assert "did you mean camera_make" in shell.error(
        "search", "query", "x", "--where", "camera_mak=x"
    )
    assert "near is latitude" in shell.error("search", "query", "x", "--where", "near=here")


def test_nothing_found_says_what_was_searched(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "submarine")
    assert said.splitlines()[0] == "No results found"
    assert f"searched the words of {len(clips) + 6} clips" in said
    assert "1 clips have vectors of a model of the tests" in said
    explained = shell("search", "query", "glacier", "--explain", columns=120)
    assert "Search Results" in explained
    assert "searched the words of" in explained
    assert "searched what is said in 1 of" in shell("search", "query", "x", "-t", "transcripts")


def test_what_a_file_says_of_itself_is_never_obeyed(shell: Shell, clips: dict[str, uuid.UUID]):
    assert str(clips["[bold]markup.mp4"])[:8] in shell("search", "query", "markup")
    assert "[bold]markup.mp4" in shell("search", "query", "markup", columns=120)
    assert "[red]Sony A7" in shell("search", "query", "A7", columns=120)


def test_similar_clips_by_a_pasted_id(
    shell: Shell, clips: dict[str, uuid.UUID], admin_url: str, filled: Shelf
):
    source = str(clips["[bold]markup.mp4"])[:8]
    assert "no similar clip found; --threshold 0.25" in shell("search", "similar", source)
    shelves = Shelves(filled.catalogue, admin_url)
    near = shelves.add(LOCAL_OWNER, Told("near.mp4", summary_vector=vector(0.8)))
    said = shell("search", "similar", source, columns=120)
    assert said.splitlines()[0] == "Similar Clips (1 found)"
    assert "0.800" in said
    assert shell.json("search", "similar", source)["clips"][0]["id"] == str(near)
    assert "no clip is called" in shell.error("search", "similar", "ffffffff")


def test_statistics(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "stats")
    assert said.splitlines()[0] == "Video Catalog Statistics"
    assert "With Transcripts" in said
    assert shell.json("search", "stats")["clips_with_transcripts"] == 1


def test_without_a_catalogue_each_says_how_to_make_one(bare_shell: Shell):
    assert "no catalogue yet" in bare_shell("search", "query", "anything")
    assert "no catalogue yet" in bare_shell.error("search", "stats")
    assert "no catalogue yet" in bare_shell.error("search", "similar", "anything")
