"""`compare`, `promote` and `edit`: what a person asks of several analyzers, and what they read."""

import time
from pathlib import Path
from typing import Any

import cv2
import pytest

from video_assets.interfaces.cli import meaning
from video_assets.settings import Settings
from video_assets_tests import shelf
from video_assets_tests.analyses import CLAUDE, GEMINI, LOCAL, SAID, analysis, description
from video_assets_tests.clips import quadrants
from video_assets_tests.interfaces.chromium import CHROMIUM, open_page
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.interfaces.test_report_page import Reader
from video_assets_tests.shelf import LONG, Shelf

HOSTILE = "<script>document.title='taken'</script> </style>"
TWO = {
    "gemini_analysis": analysis(overall=HOSTILE, tags=["b_roll", "<b>"], category="event"),
    "local_analysis": LOCAL,
}


@pytest.fixture(scope="module")
def described(filled: Shelf) -> Shelf:
    """One clip that three analyzers have described, one by two, one by one alone."""
    found: dict[str, dict[str, dict[str, Any]]] = {
        "complete.mov": SAID,
        LONG: TWO,
        "twin.mp4": {"claude_analysis": CLAUDE},
    }
    for name, said in found.items():
        for analyzer, document in said.items():
            shelf.done(filled, name, analyzer, document)
        shelf.done(filled, name, "description", description(**said))
    return filled


@pytest.fixture(autouse=True)
def _as_at_first(described: Shelf):
    yield
    with described.catalogue.transaction() as connection:
        connection.execute("DELETE FROM promotions")
        connection.execute("DELETE FROM human_edits")


def test_each_analyzer_is_a_row_with_what_it_costs_and_takes(shell: Shell):
    said = shell("compare", columns=140)
    lines = said.splitlines()
    rows = {line.split()[0]: line.split() for line in lines[2 : lines.index("")]}
    assert rows["gemini"][1:4] == ["gemini-2.5-flash", "2", "2"]
    assert rows["claude"][-2:] == ["$0.0624", "$0.0312"]
    assert "gemini ✓" in said
    by_clip = lines[lines.index("Clip by clip") + 2 :]
    assert [line.split()[0] for line in by_clip if not line.startswith(" ")] == [
        "a",  # whose analyzers agree least
        "complete.mov",
        "twin.mp4",
    ]


def test_agreement_is_measured_for_each_pair(shell: Shell):
    document = shell.json("compare", "complete.mov")
    (clip,) = document["clips"]
    pairs = {(each["first"], each["second"]): each for each in clip["pairs"]}
    first = pairs["claude_analysis", "gemini_analysis"]
    assert first["category"] == 1.0
    assert first["tags"] == pytest.approx(2 / 5)  # bridge and River of five
    assert first["overall"] == pytest.approx((1 + 2 / 5 + first["summary"]) / 3)
    assert pairs["claude_analysis", "local_analysis"]["category"] == 0.0
    assert {each["analyzer"]: each["stands_for"] for each in document["analyzers"]} == {
        "claude_analysis": 0,
        "gemini_analysis": 1,
        "local_analysis": 0,
    }


def test_clips_are_chosen_by_name_and_by_what_is_known(shell: Shell):
    assert len(shell.json("compare", "--where", "category=event")["clips"]) == 1
    assert shell.json("compare", "waiting.mp4")["clips"] == []
    assert "no analyzer has described these clips yet" in shell("compare", "waiting.mp4")
    assert "clips have no fact 'nothing'" in shell.error("compare", "--where", "nothing=1")


def test_without_vectors_there_is_no_meaning_to_compare_by(shell: Shell):
    assert "no clip is embedded yet" in shell.error("compare", "--meaning")


@pytest.fixture
def page(shell: Shell, described: Shelf, settings: Settings, tmp_path: Path) -> Path:
    settings.artifacts_dir.mkdir(parents=True)
    is_done, coded = cv2.imencode(".jpg", quadrants(0, 960, 540))
    assert is_done
    (settings.artifacts_dir / "0.jpg").write_bytes(coded.tobytes())
    with described.catalogue.transaction() as connection:
        connection.execute("UPDATE clips SET thumbnails = '{0.jpg}' WHERE file_name <> 'twin.mp4'")
    path = tmp_path / "compared.html"
    assert "3 clips compared" in shell("compare", "--html", str(path))
    return path


def test_the_page_holds_everything_and_obeys_nothing(page: Path):
    reader = Reader()
    reader.feed(page.read_text("utf-8"))
    names = {name for name, _ in reader.tags}
    assert names.isdisjoint({"script", "link", "iframe", "b_roll"})
    sources = [attributes["src"] for name, attributes in reader.tags if name == "img"]
    assert len(sources) == 2
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in sources)
    assert HOSTILE in reader.text
    assert CLAUDE["summary"]["overall"] in reader.text
    common = [a for name, a in reader.tags if name == "li" and a.get("class") == "common"]
    assert len(common) == 4  # bridge and river, of two analyzers each


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_browser_shows_the_page_on_every_width(page: Path, tmp_path: Path):
    with open_page(page.as_uri(), tmp_path / "profile") as shown:
        deadline = time.monotonic() + 30
        while (
            shown.evaluate("document.readyState == 'complete' && !!document.images[0]") is not True
        ):
            assert time.monotonic() < deadline
        assert shown.evaluate("document.title") == "Analyzers compared"
        for width in (1200, 360):
            script = (
                f"document.documentElement.style.width = '{width}px', "
                "document.body.scrollWidth <= document.documentElement.clientWidth"
            )
            assert shown.evaluate(script), width


def test_a_promotion_shows_at_once_and_is_taken_back(shell: Shell):
    said = shell("promote", "claude")
    assert "claude_analysis stands for 2 clips." in said
    assert "gemini_analysis stands for 1 clip." in said
    assert shell.json("info", "complete.mov")["content_summary"] == CLAUDE["summary"]["overall"]
    assert "claude_analysis" in shell("promote", "--show", columns=120)
    assert "was taken back" in shell("promote", "--rollback")
    assert shell.json("info", "complete.mov")["content_summary"] == GEMINI["summary"]["overall"]
    (told,) = shell.json("promote", "--show")["promotions"]
    assert told["rolled_back_at"] > told["promoted_at"]
    assert "there is no promotion to take back" in shell.error("promote", "--rollback")


def test_one_clip_may_have_a_promotion_of_its_own(shell: Shell):
    shell("promote", "local_llava", "--clip", "complete.mov")
    said = shell("promote", "gemini_analysis")
    assert "1 clip stays with a promotion of its own; see promote --show." in said
    assert shell.json("info", "complete.mov")["content_analyzer"] == "local_analysis"
    shown = shell("promote", "--show", columns=120)
    assert "complete.mov" in shown
    assert "all clips" in shown


def test_who_is_promoted_has_to_be_an_analyzer(shell: Shell):
    assert "did you mean gemini_analysis?" in shell.error("promote", "gemni_analysis")
    assert "give an analyzer, --rollback or --show" in shell.error("promote")


def test_what_a_person_sets_is_shown_and_stays(shell: Shell):
    said = shell("edit", "complete.mov", "--summary", "A wedding.", "--tags", "a, b,a , ")
    assert "summary, tags set by hand" in said
    shell("promote", "claude")
    found = shell.json("info", "complete.mov")
    assert (found["content_summary"], found["content_tags"]) == ("A wedding.", ["a", "b"])
    assert found["content_category"] == "travel"
    shown = shell("info", "complete.mov", columns=160)
    assert "claude_analysis, claude-sonnet-4; set by hand: summary, tags" in shown
    told = shell.json("edit", "complete.mov", "--clear", "--category", "event")
    assert told["edited"] == ["category"]
    assert (told["summary"], told["category"]) == (CLAUDE["summary"]["overall"], "event")
    assert "nothing to change" in shell.error("edit", "complete.mov")


def test_info_shows_every_analysis(shell: Shell):
    assert "bridge over a river" not in shell("info", "complete.mov")
    said = shell("info", "complete.mov", "--analysis", columns=120)
    assert "gemini_analysis, gemini-2.5-flash  stands for the clip" in said
    assert "claude_analysis, claude-sonnet-4" in said
    assert "4.5 s, 12,000 tokens in, 640 out, $0.0021" in said
    assert "Places: stone bridge (outdoor)" in said
    assert "0.00-2.00 s  A bridge over a river." in said
    assert "none yet" in shell("info", "waiting.mp4", "--analysis")


def test_the_document_of_a_clip_has_its_owners_words(shell: Shell, described: Shelf):
    content = {
        "file_info": {},
        "analysis": {
            "content_summary": "Gemini's.",
            "analyzer": "gemini_analysis",
            "ai_analysis": GEMINI,
            "other_analyses": {"claude_analysis": CLAUDE},
        },
    }
    shelf.done(
        described, "complete.mov", "video_document", {"document": "aa/x.json", "content": content}
    )
    shell("promote", "claude")
    shell("edit", "complete.mov", "--tags", "mine")
    found = shell.json("info", "complete.mov")["document"]["analysis"]
    assert found["content_summary"] == CLAUDE["summary"]["overall"]
    assert found["content_tags"] == ["mine"]
    assert found["ai_analysis"]["ai_model"] == "claude-sonnet-4"
    assert list(found["other_analyses"]) == ["gemini_analysis"]


def test_summaries_are_sent_nowhere_only_to_be_compared():
    with pytest.raises(meaning.MeaningError, match=r"api\.deepinfra\.com"):
        meaning.vectors_of(["a summary"], "BAAI/bge-m3")
