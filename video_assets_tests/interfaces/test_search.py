"""`search`: what a person asks, and what they read."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from video_assets.services import local_models, openai_client
from video_assets.settings import LOCAL_OWNER, Settings
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.search.shelves import MODEL, Shelves, Told, vector
from video_assets_tests.services.loopback import Service, embed, serve
from video_assets_tests.shelf import MARKUP, Shelf

TALK = ("Good morning everybody", "today we look at glaciers", "and then we go home again")
ICE = "People walk over a wide field of ice and snow in the sun"

LONG = "a_regatta_with_a_name_of_many_letters.mp4"
WIDE = {
    "duration_seconds": 75,
    "camera_make": "Apple",
    "camera_model": "iPhone 12 mini",
    "content_category": "surveillance",
}


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
        Told(LONG, f"A regatta. {ICE}", facts=WIDE),
    )
    return {each.name: shelves.add(LOCAL_OWNER, each) for each in told}


def test_words_are_found_and_shown(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "glacier", columns=120)
    assert said.splitlines()[0] == "Search Results (2 found)"
    rows = {line.split("  ")[0].split()[0]: line for line in said.splitlines()[2:]}
    assert list(rows) == [str(clips[name])[:8] for name in ("glacier walk.mov", "talk.mp4")]
    assert "People walk over a wide field of ice and snow i..." in said
    assert "1m 15s" in said
    assert shell.json("info", str(clips["talk.mp4"])[:8])["file_name"] == "talk.mp4"


def test_scores_and_types_are_shown_when_asked_for(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "glacier", "--scores", columns=140)
    assert said.splitlines()[1].split()[-2:] == ["Rank", "Type"]
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


@pytest.mark.parametrize("option", ["--limit", "--offset"])
def test_more_than_the_database_can_count_is_refused(
    shell: Shell, clips: dict[str, uuid.UUID], option: str
):
    assert shell.json("search", "query", "ice", option, "100000000")["type"] == "hybrid"
    assert shell.json("search", "moments", "ice", option, "100000000")["type"] == "moments"
    assert "less than or equal to" in shell.error("search", "query", "ice", option, "2000000000")


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_no_number_can_be_compared_with_is_refused(shell: Shell, number: str):
    for command, option in (
        ("query", "--threshold"),
        ("query", "--fulltext-weight"),
        ("query", "--summary-weight"),
        ("query", "--keyword-weight"),
        ("similar", "--threshold"),
        ("moments", "--threshold"),
    ):
        said = shell.error("search", command, "ice", option, number)
        assert f"Invalid value for '{option}'" in said


def test_a_narrow_terminal_shows_every_number(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "regatta", "--scores", columns=80)
    for whole in (str(clips[LONG])[:8], "surveillance", "1m 15s", "0.020", "fulltext"):
        assert whole in said
    assert len(said.splitlines()) < 16


def test_nothing_asked_and_a_page_too_far_are_told_from_nothing_found(
    shell: Shell, clips: dict[str, uuid.UUID]
):
    for command in (("query",), ("query", "--type", "semantic"), ("moments",)):
        said = shell("search", *command, "  ")
        assert "nothing was asked" in said
        assert "--threshold" not in said
    for command in ("query", "moments"):
        said = shell("search", command, "glacier", "--offset", "50")
        what = "results" if command == "query" else command
        assert said.splitlines()[0] == f"No more {what} from --offset 50 on"
        assert "--threshold" not in said


def test_nothing_found_says_what_was_searched(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "query", "submarine")
    assert said.splitlines()[0] == "No results found"
    assert f"searched the words of {len(clips) + 6} clips" in said
    assert "1 clips have vectors of a model of the tests" in said
    assert "No results found" in shell("search", "query", "submarine", "-t", "fulltext")
    assert "'semantic', 'fulltext', 'hybrid', 'transcripts'" in shell.error(
        "search", "query", "x", "--type", "magic"
    )
    explained = shell("search", "query", "glacier", "--explain", columns=120)
    assert "Search Results" in explained
    assert "searched the words of" in explained
    assert "searched what is said in 1 of" in shell("search", "query", "x", "-t", "transcripts")


def test_a_word_that_is_written_wrong_is_answered_by_the_right_one(
    shell: Shell, clips: dict[str, uuid.UUID]
):
    said = shell("search", "query", "glaceir wlak", columns=120)
    assert "did you mean: glacier walk" in said
    assert shell.json("search", "query", "glaceir")["did_you_mean"] == "glacier"
    assert shell.json("search", "query", "glacier")["did_you_mean"] is None
    assert "did you mean" not in shell("search", "query", "submarine")
    assert shell.json("search", "query", "everybody -talk")["did_you_mean"] is None
    said = shell.json("search", "query", "glaceir -everybody")
    assert said["did_you_mean"] == "glacier -everybody"


def test_what_a_file_says_of_itself_is_never_obeyed(shell: Shell, clips: dict[str, uuid.UUID]):
    assert str(clips["[bold]markup.mp4"])[:8] in shell("search", "query", "markup")
    assert "[bold]markup.mp4" in shell("search", "query", "markup", columns=120)
    assert "[red]Sony A7" in shell("search", "query", "A7", columns=120)


def test_similar_clips_by_a_pasted_id(
    shell: Shell, clips: dict[str, uuid.UUID], admin_url: str, filled: Shelf
):
    source = str(clips["[bold]markup.mp4"])[:8]
    assert "No similar clips found; --threshold 0.25" in shell("search", "similar", source)
    shelves = Shelves(filled.catalogue, admin_url)
    near = shelves.add(LOCAL_OWNER, Told("near.mp4", summary_vector=vector(0.8)))
    said = shell("search", "similar", source, columns=120)
    assert said.splitlines()[0] == "Similar Clips (1 found)"
    assert "0.800" in said
    assert shell.json("search", "similar", source)["clips"][0]["id"] == str(near)
    assert "no clip is called" in shell.error("search", "similar", "ffffffff")


def test_a_clip_without_a_vector_is_like_none_because_of_that(
    shell: Shell, clips: dict[str, uuid.UUID]
):
    source = str(clips["talk.mp4"])[:8]
    said = " ".join(shell("search", "similar", source).split())
    assert "talk.mp4 has no vector yet, it waits for `embeddings`" in said
    assert "--threshold" not in said
    assert shell.json("search", "similar", source)["vector"] == "waits"


def test_a_clip_of_which_a_step_failed_is_not_said_to_wait(
    shell: Shell, clips: dict[str, uuid.UUID], filled: Shelf
):
    source = filled.checksums[MARKUP]
    said = " ".join(shell("search", "similar", source).split())
    assert "has no vector, because an earlier step failed; `failures` says why" in said
    assert shell.json("search", "similar", source)["vector"] == "blocked"


@pytest.fixture
def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The model by which the clips were embedded, as a preset of the user's names it."""
    monkeypatch.setenv("VIDEO_ASSETS_EMBEDDING_API_KEY", "not-a-real-key")
    monkeypatch.setattr(openai_client, "RETRIES", 0)
    settings.presets_dir.mkdir(parents=True, exist_ok=True)
    preset = settings.presets_dir / "mine.yaml"
    with serve() as served:
        served.answers.append(embed)
        preset.write_text(
            f"""name: mine
extends: default
steps:
  - name: embeddings
    params: {{model: {MODEL}, base_url: "{served.url}"}}
""",
            "utf-8",
        )
        yield served
    preset.unlink()
    local_models._kept.pop("embedding service")[1].close()


@pytest.fixture(scope="module")
def letters(filled: Shelf, admin_url: str, clips: dict[str, uuid.UUID]) -> dict[str, uuid.UUID]:
    """Clips that are about letters."""
    shelves = Shelves(filled.catalogue, admin_url)
    near, far = vector(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), vector(0, 1)
    return {
        name: shelves.add(LOCAL_OWNER, Told(name, summary_vector=numbers, keyword_vector=numbers))
        for name, numbers in (("q.mp4", near), ("b.mp4", far))
    }


def test_a_question_is_compared_by_the_model_of_the_clips(
    shell: Shell, letters: dict[str, uuid.UUID], service: Service
):
    found = shell.json("search", "query", "qqqqqqqq", "--type", "semantic")
    assert [hit["file_name"] for hit in found["clips"]] == ["q.mp4"]
    (asked,) = service.seen
    assert json.loads(asked[2])["input"] == ["Video content about: qqqqqqqq", "qqqqqqqq"]
    assert asked[1] == "Bearer not-a-real-key"
    both = shell.json("search", "query", "qqqqqqqq bbbbbbb", "--limit", "3")["clips"]
    assert {hit["file_name"] for hit in both[:2]} == {"q.mp4", "b.mp4"}
    said = shell("search", "query", "qqqqqqqq", "-t", "semantic", "--scores", columns=120)
    assert said.splitlines()[1].split()[-1] == "Similarity"
    for kind, text in (("semantic", "qqqqqqqq"), ("hybrid", "zzzzzzzz")):
        none = shell("search", "query", text, "-t", kind, "--threshold", "0.99")
        assert "none is more alike than 0.99" in none
    nonsense = shell.json("search", "query", "zzzzzzzz")
    assert nonsense["clips"] == []  # nothing has the word, and nothing is like it
    every = shell.json("search", "query", "zzzzzzzz", "--threshold", "-1")
    assert {hit["match_type"] for hit in every["clips"]} == {"semantic"}


def test_a_search_explains_how_it_went(
    shell: Shell, letters: dict[str, uuid.UUID], service: Service
):
    said = shell("search", "query", "qqqqqqqq", "--explain", columns=140).splitlines()
    assert "words 'qqqqqqqq': 0 found by " in "\n".join(said)
    (summary,) = [line for line in said if line.startswith("likeness of summaries")]
    assert summary.endswith(
        "found by exact search, every vector read (Index Scan on clip_vectors_pkey)"
    )
    some = shell("search", "query", "q", "--where", "file_name=q.mp4", "--explain", columns=140)
    assert "1 of " in some
    assert "clips are as --where wants them" in some
    document = shell.json("search", "query", "qqqqqqqq", "--explain")
    assert [leg["leg"] for leg in document["legs"]] == ["text", "summary", "keyword"]
    assert document["visible"]["clips_with_vectors"] >= 2
    assert shell.json("search", "query", "qqqqqqqq")["legs"] is None
    words = shell("search", "query", "q", "-t", "fulltext", "--explain", columns=140)
    assert "likeness" not in words
    source = str(letters["q.mp4"])[:8]
    assert "likeness of summaries: " in shell("search", "similar", source, "--explain", columns=140)


def test_a_model_that_is_away_leaves_the_words(
    shell: Shell, letters: dict[str, uuid.UUID], service: Service
):
    service.answers[:] = [(503, {})]
    result = shell._run(("search", "query", "glacier"), 0, 80)
    assert "searched by words alone: the embedding service is busy" in result.stderr
    assert "glacier walk.mov" in result.stdout
    assert "run again later" in shell.error("search", "query", "glacier", "-t", "semantic")


def test_a_model_that_no_preset_names_is_named(shell: Shell, letters: dict[str, uuid.UUID]):
    error = shell.error("search", "query", "glacier", "--type", "semantic")
    assert "embedded by a model of the tests, and no preset says where" in error


def test_hits_are_shown_as_pictures(
    shell: Shell,
    clips: dict[str, uuid.UUID],
    filled: Shelf,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
):
    still = settings.artifacts_dir / "aa" / "still.jpg"
    still.parent.mkdir(parents=True, exist_ok=True)
    done, jpeg = cv2.imencode(".jpg", np.zeros((36, 64, 3), np.uint8))
    assert done
    still.write_bytes(jpeg.tobytes())
    with filled.catalogue.transaction() as connection:
        connection.execute(
            "UPDATE clips SET thumbnails = '{aa/still.jpg}' WHERE id = %s",
            (clips["[bold]markup.mp4"],),
        )
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    shell("search", "query", '"markup" OR talk', "--open")
    page = (settings.home / "search.html").read_text("utf-8")
    assert opened == [(settings.home / "search.html").as_uri()]
    assert page.count('class="card"') == 2
    assert page.count("data:image/jpeg;base64,") == page.count("no still") == 1
    assert "&#34;markup&#34; OR talk" in page
    assert "<script" not in page
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    assert "no browser" in shell._run(("search", "query", "markup", "--open"), 0, 80).stderr


def test_moments_are_found_with_their_time(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "moments", "glaciers", columns=120)
    assert said.splitlines()[0] == "Moments (1 found)"
    assert "0:00:10" in said
    assert "today we look at «glaciers»" in said
    document = shell.json("search", "moments", "glaciers")
    assert [(hit["id"], hit["at_s"]) for hit in document["moments"]] == [
        (str(clips["talk.mp4"]), 10.0)
    ]
    explained = shell("search", "moments", "glaciers", "--explain", columns=140)
    assert "'glacier': 1 found by " in explained
    assert "likeness of moments: not looked for" in explained
    nothing = shell("search", "moments", "submarine", columns=120)
    assert nothing.splitlines()[0] == "No moments found"
    assert "searched 3 passages of 1 clip with speech" in nothing
    assert "no vectors yet" in nothing


def test_searches_are_judged_by_exact_search_and_by_people(
    shell: Shell, letters: dict[str, uuid.UUID], service: Service, tmp_path: Path
):
    said = shell("search", "eval", "--sample", "2", columns=120)
    assert said.splitlines()[0] == "Search Evaluation at 10"
    assert [line.split()[:3] for line in said.splitlines()[2:4]] == [
        ["semantic", "2", "1.000"],
        ["hybrid", "2", "1.000"],
    ]
    judged = tmp_path / "judged.yaml"
    judged.write_text("queries:\n  - {text: qqqqqqqq, clips: [q.mp4]}\n", "utf-8")
    made = shell.json("search", "eval", "--judged", str(judged), "--at", "1")["evaluations"]
    assert {each["search"]: each["recall"] for each in made} == {
        "fulltext": 0.0,
        "semantic": 1.0,
        "hybrid": 1.0,
    }
    judged.write_text("queries:\n  - {text: x, clips: [nowhere.mp4]}\n", "utf-8")
    assert "names no clip" in shell.error("search", "eval", "--judged", str(judged))


def test_statistics(shell: Shell, clips: dict[str, uuid.UUID]):
    said = shell("search", "stats")
    assert said.splitlines()[0] == "Video Catalog Statistics"
    assert "With Transcripts" in said
    document = shell.json("search", "stats")
    assert document["clips_with_transcripts"] == 1
    assert [space["model"] for space in document["embeddings"]] == [MODEL]


def test_without_a_catalogue_each_says_how_to_make_one(bare_shell: Shell):
    assert "no catalogue yet" in bare_shell("search", "query", "anything")
    assert "no catalogue yet" in bare_shell.error("search", "stats")
    assert "no catalogue yet" in bare_shell.error("search", "similar", "anything")
