"""Whose words stand for a clip: the preset's choice, the owner's, or the owner's own words."""

import threading
import uuid
from typing import Any

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import descriptions, ledger
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.analyses import analyses
from video_assets_tests.analyses import CLAUDE, GEMINI, SAID, analysis, description
from video_assets_tests.findings import scenes
from video_assets_tests.storage.two_owners import Clip

WHOLE = {**SAID, "description": description(**SAID)}


def words(clip: Clip, owner: uuid.UUID = LOCAL_OWNER) -> tuple[Any, ...]:
    """Whose words they are, and the words."""
    row = clip.row(owner)
    return tuple(row[f"content_{name}"] for name in ("analyzer", "category", "summary", "tags"))


def said(document: dict[str, Any], analyzer: str) -> tuple[Any, ...]:
    """What a clip says where this analysis stands for it."""
    summary = document["summary"]
    tags = summary["content_tags"]
    return (analyzer, summary["content_category"], summary["overall"], tags)


def id_of(clip: Clip, owner: uuid.UUID = LOCAL_OWNER) -> uuid.UUID:
    return clip.row(owner)["id"]


def promote(clip: Clip, analyzer: str, *, only: bool = False) -> None:
    clips = [id_of(clip)] if only else None
    descriptions.promote(clip.catalogue, LOCAL_OWNER, analyzer, clips)


@pytest.fixture(autouse=True)
def _nobody_is_promoted(clip: Clip):
    yield
    with clip.catalogue.transaction() as connection:
        connection.execute("DELETE FROM promotions")


def test_one_row_for_each_analyzer_side_by_side(clip: Clip):
    clip.found(**SAID)
    clip.found(gemini_analysis=analysis(category="event", language="de"))
    rows = {row["analyzer"]: row for row in clip.rows("analysis")}
    assert sorted(rows) == sorted(SAID)
    row = rows["gemini_analysis"]
    assert row["ai_model"] == "gemini-2.5-flash"
    assert (row["content_category"], row["usability_rating"]) == ("event", "good")
    assert row["speaker_count"] == 1
    assert (row["input_tokens"], row["output_tokens"], row["calls"]) == (12_000, 640, 1)
    assert float(row["cost_usd"]) == 0.0021
    assert row["seconds"] == 4.5
    assert rows["claude_analysis"]["audio_analysis"] == {
        "transcript": None,
        "speaker_analysis": None,
        "sound_events": [],
        "audio_quality": None,
    }
    assert rows["claude_analysis"]["speaker_count"] is None
    assert clip.artifacts()["gemini_analysis"] == "aa/analysis.json"
    assert clip.row()["ai_processing_status"] == "completed"


def test_what_had_arrived_goes_when_the_whole_is_there(clip: Clip):
    billing = Billing(clip.catalogue, clip.checksum, "gemini_analysis", "run", Caps())
    billing.show_partial("gemini-2.5-flash", {"summary": {"overall": "Two peo"}})
    (row,) = clip.rows("analysis")
    assert row["is_partial"]
    assert clip.rows("analysis", clip.neighbour)[0]["is_partial"]
    clip.found(gemini_analysis=GEMINI)
    for owner in (LOCAL_OWNER, clip.neighbour):
        assert [row["is_partial"] for row in clip.rows("analysis", owner)] == [False]


def test_of_an_answer_that_comes_again_the_last_whole_one_is_shown(clip: Clip):
    clip.found(gemini_analysis=GEMINI)
    billing = Billing(clip.catalogue, clip.checksum, "gemini_analysis", "run", Caps())
    billing.show_partial("gemini-2.5-flash", {"summary": {"overall": "Two peo"}})
    (shown,) = analyses(clip.catalogue, LOCAL_OWNER, [clip.checksum])
    assert not shown.is_partial


def test_an_analysis_is_no_older_than_the_clip_of_who_sees_it(clip: Clip, admin_url: str):
    clip.found(gemini_analysis=GEMINI)
    with psycopg.connect(admin_url) as connection:
        connection.execute("UPDATE results SET measured_at = now() - interval '1 year'")
    with clip.catalogue.transaction() as connection:
        connection.execute("DELETE FROM clips WHERE user_id = %s", (clip.neighbour,))
    clip.add_owner(clip.neighbour)
    with clip.catalogue.transaction() as connection:
        ledger.projection.project_clip(connection, clip.checksum, clip.neighbour)
    (row,) = clip.rows("analysis", clip.neighbour)
    assert row["created_at"] >= clip.row(clip.neighbour)["created_at"]


def test_the_words_of_the_preferred_analyzer_stand_for_the_clip(clip: Clip):
    clip.found(**WHOLE)
    assert words(clip) == said(GEMINI, "gemini_analysis")
    assert clip.row()["content_model"] == "gemini-2.5-flash"


def test_a_promotion_shows_at_once_and_can_be_taken_back(clip: Clip):
    clip.found(**WHOLE)
    promote(clip, "local_analysis")
    promote(clip, "claude_analysis")
    assert words(clip) == said(CLAUDE, "claude_analysis")
    (undone,) = descriptions.roll_back(clip.catalogue, LOCAL_OWNER)
    assert undone.analyzer == "claude_analysis"
    assert words(clip)[0] == "local_analysis"
    assert descriptions.roll_back(clip.catalogue, LOCAL_OWNER)
    assert words(clip) == said(GEMINI, "gemini_analysis")
    assert descriptions.roll_back(clip.catalogue, LOCAL_OWNER) == []
    told = descriptions.promotions(clip.catalogue, LOCAL_OWNER)
    assert [each.analyzer for each in told] == ["claude_analysis", "local_analysis"]
    assert all(each.rolled_back_at and each.rolled_back_at > each.promoted_at for each in told)


def test_what_is_promoted_for_a_clip_goes_before_what_is_for_all(clip: Clip):
    clip.found(**WHOLE)
    promote(clip, "local_analysis", only=True)
    promote(clip, "claude_analysis")
    assert words(clip)[0] == "local_analysis"
    assert descriptions.roll_back(clip.catalogue, LOCAL_OWNER, [id_of(clip)])
    assert words(clip)[0] == "claude_analysis"


def test_an_analyzer_that_said_nothing_leaves_what_was_chosen(clip: Clip):
    found = {"claude_analysis": CLAUDE}
    clip.found(**found, description=description(**found))
    promote(clip, "local_analysis")
    assert words(clip) == said(CLAUDE, "claude_analysis")
    later = {**found, "local_analysis": SAID["local_analysis"]}
    clip.found(**later, description=description(**later))
    assert words(clip)[0] == "local_analysis"


def test_a_promotion_holds_for_its_owner_alone(clip: Clip):
    clip.found(**WHOLE)
    promote(clip, "claude_analysis")
    descriptions.edit(clip.catalogue, LOCAL_OWNER, id_of(clip), {"summary": "Mine."})
    clip.found(description=WHOLE["description"])
    assert words(clip)[:3] == ("claude_analysis", "travel", "Mine.")
    assert words(clip, clip.neighbour) == said(GEMINI, "gemini_analysis")
    assert descriptions.promotions(clip.catalogue, clip.neighbour) == []


def test_what_a_person_sets_is_never_overwritten(clip: Clip):
    clip.found(**WHOLE)
    told = descriptions.edit(
        clip.catalogue,
        LOCAL_OWNER,
        id_of(clip),
        {"summary": "A wedding.", "tags": ["wedding"]},
    )
    assert told == ["summary", "tags"]
    clip.found(gemini_analysis=analysis(category="event", overall="Other."))
    other = {**SAID, "gemini_analysis": analysis(category="event", overall="Other.")}
    clip.found(description=description(**other))
    promote(clip, "local_analysis")
    assert words(clip) == ("local_analysis", "nature", "A wedding.", ["wedding"])
    assert descriptions.edit(clip.catalogue, LOCAL_OWNER, id_of(clip), {}, clear=True) == []
    assert words(clip) == said(SAID["local_analysis"], "local_analysis")


def test_that_there_is_nothing_to_say_is_set_too(clip: Clip):
    clip.found(**WHOLE)
    descriptions.edit(clip.catalogue, LOCAL_OWNER, id_of(clip), {"category": None, "tags": []})
    clip.found(description=WHOLE["description"])
    assert words(clip)[1:] == (None, GEMINI["summary"]["overall"], [])


def test_what_a_person_confirms_stands_too(clip: Clip):
    clip.found(**WHOLE)
    descriptions.edit(clip.catalogue, LOCAL_OWNER, id_of(clip), {"category": "travel"})
    promote(clip, "local_analysis")
    assert words(clip)[1] == "travel"


def test_what_a_person_sets_stands_before_anybody_describes(clip: Clip):
    descriptions.edit(clip.catalogue, LOCAL_OWNER, id_of(clip), {"summary": "A wedding."})
    clip.found(**WHOLE)
    assert words(clip)[:3] == ("gemini_analysis", "travel", "A wedding.")


def test_one_sets_nothing_in_the_clip_of_another(clip: Clip):
    theirs = id_of(clip, clip.neighbour)
    assert descriptions.edit(clip.catalogue, LOCAL_OWNER, theirs, {"summary": "Mine."}) == []
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        descriptions.promote(clip.catalogue, LOCAL_OWNER, "claude_analysis", [theirs])
    assert words(clip, clip.neighbour)[2] is None


def test_scenes_take_the_words_of_the_stretches_that_fit(clip: Clip):
    stretches = (
        (0.0, 2.1, "A bridge.", ["bridge"], ["walking"]),
        (2.1, 4.0, "A boat.", ["boat", "river"], []),
        (4.0, 5.6, "The river.", ["river"], ["flowing"]),
        (5.6, 9.0, "Nothing that is in any scene.", ["tree"], []),
    )
    found = {"gemini_analysis": analysis(stretches=stretches), "claude_analysis": CLAUDE}
    clip.found(scenes=scenes(2.0, 5.5), **found, description=description(**found))
    told = [(row["description"], row["objects"], row["activities"]) for row in by_number(clip)]
    assert told == [
        ("A bridge.", ["bridge"], ["walking"]),
        ("A boat. The river.", ["boat", "river"], ["flowing"]),
    ]


def test_scenes_take_the_words_of_whom_is_promoted(clip: Clip):
    clip.found(scenes=scenes(2.0, 5.5), **WHOLE)
    assert [row["description"] for row in by_number(clip)] == ["A bridge over a river.", None]
    promote(clip, "claude_analysis")
    assert [row["description"] for row in by_number(clip)] == ["Hikers on a bridge."] * 2
    promote(clip, "local_analysis")
    assert [row["description"] for row in by_number(clip)] == [None, None]


def test_scenes_that_are_found_later_take_their_words_then(clip: Clip):
    clip.found(**WHOLE)
    clip.found(scenes=scenes(2.0, 5.5))
    assert by_number(clip)[0]["description"] == "A bridge over a river."
    clip.found(scenes=scenes(1.8))
    assert by_number(clip)[0]["description"] == "A bridge over a river."


def test_words_are_found_by_search_as_soon_as_they_stand(clip: Clip):
    clip.found(**WHOLE)
    asked = ("boat", "dusk", "travel", "hikers")
    assert [finds(clip, word) for word in asked] == [True, True, True, False]
    promote(clip, "claude_analysis")
    assert [finds(clip, word) for word in asked] == [False, False, True, True]
    descriptions.edit(clip.catalogue, LOCAL_OWNER, id_of(clip), {"tags": ["zeppelin"]})
    assert finds(clip, "zeppelin")


def test_whoever_promotes_while_a_result_is_saved_is_heard(clip: Clip):
    clip.found(**WHOLE)
    with clip.catalogue.transaction(LOCAL_OWNER) as connection:
        connection.execute("INSERT INTO promotions (analyzer) VALUES ('claude_analysis')")
        other = {**SAID, "gemini_analysis": analysis(overall="Other.")}
        saving = threading.Thread(target=clip.found, kwargs={"description": description(**other)})
        saving.start()
        saving.join(0.5)
        assert saving.is_alive()
    saving.join(10)
    assert words(clip) == said(CLAUDE, "claude_analysis")


def by_number(clip: Clip) -> list[dict[str, Any]]:
    return sorted(clip.rows("scenes"), key=lambda row: row["scene_number"])


def finds(clip: Clip, word: str) -> bool:
    with clip.catalogue.transaction(LOCAL_OWNER) as connection:
        rows = connection.execute("SELECT id FROM fulltext_search_clips(%s)", (word,)).fetchall()
    return id_of(clip) in [row["id"] for row in rows]
