"""Description: whose words the preset prefers, and that nothing else is needed for one."""

import pytest
from pydantic import ValidationError

from video_assets.analyzer import ANALYZERS
from video_assets.assets.describe import description as module
from video_assets.assets.describe.description import DescriptionSettings, describe
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets_tests.analyses import CLAUDE, GEMINI, LOCAL, analysis
from video_assets_tests.assets.test_search_texts import said, transcript_of

MADE = {
    name: ComprehensiveAIAnalysis.model_validate(document)
    for name, document in (
        ("local_analysis", LOCAL),
        ("claude_analysis", CLAUDE),
        ("gemini_analysis", GEMINI),
    )
}


def order(*prefer: str, without: str = "") -> list[str]:
    settings = DescriptionSettings.model_validate({"prefer": prefer} if prefer else {})
    found = {name: each for name, each in MADE.items() if name != without}
    return [each.analyzer for each in describe(found, None, settings).candidates]


def test_who_is_preferred_goes_first_and_nobody_is_lost():
    assert order() == ["gemini_analysis", "claude_analysis", "local_analysis"]
    assert order("claude_analysis")[:2] == ["claude_analysis", "gemini_analysis"]
    assert order(without="gemini_analysis") == ["claude_analysis", "local_analysis"]


def test_the_words_are_the_analyzers_own():
    chosen = describe(MADE, None, DescriptionSettings()).preferred
    assert chosen is not None
    assert (chosen.analyzer, chosen.ai_model) == ("gemini_analysis", "gemini-2.5-flash")
    assert chosen.content_summary == GEMINI["summary"]["overall"]
    assert chosen.content_category == "travel"
    assert chosen.content_tags == ("bridge", "dusk", "river")
    assert [(at.name, at.type) for at in chosen.locations] == [("stone bridge", "outdoor")]
    assert chosen.objects == ("rowing boat",)


def test_a_tag_that_differs_only_in_its_letters_is_one():
    found = analysis(tags=["B-Roll", "b-roll ", "", "river  bank"])
    made = {"local_analysis": ComprehensiveAIAnalysis.model_validate(found)}
    chosen = describe(made, None, DescriptionSettings()).preferred
    assert chosen is not None
    assert chosen.content_tags == ("B-Roll", "river bank")


def test_the_language_is_what_was_transcribed_else_what_an_analyzer_heard():
    heard = analysis(language="de")
    made = {"claude_analysis": ComprehensiveAIAnalysis.model_validate(heard)}
    settings = DescriptionSettings()
    assert describe(made, None, settings).language == "de"
    assert describe(made, transcript_of(said(0, "Good evening")), settings).language == "en"
    silent = transcript_of().model_copy(update={"full_text": None})
    assert describe({}, silent, settings).language is None


def test_what_an_analyzer_heard_is_kept_where_nobody_else_listened():
    found = ComprehensiveAIAnalysis.model_validate(analysis(language="de"))
    made, settings = {**MADE, "claude_analysis": found}, DescriptionSettings()
    unasked = transcript_of().model_copy(update={"source": None})
    for transcript in (None, unasked):
        assert [each.text for each in describe(made, transcript, settings).heard] == ["Da drüben."]
    voiceless = unasked.model_copy(update={"has_speech": False})
    for transcript in (voiceless, transcript_of(said(0, "Good evening"))):
        assert describe(made, transcript, settings).heard == ()
    assert describe(MADE, None, settings).heard == ()


def test_a_clip_that_nobody_looked_at_has_an_empty_description():
    asset = ANALYZERS[module.description.key.to_user_string()]
    nothing: dict[str, None] = dict.fromkeys(asset.inputs)
    made = asset.function(**nothing, settings=DescriptionSettings())
    assert made.model_dump() == {"candidates": (), "language": None, "heard": ()}
    assert asset.required == ()
    assert asset.metadata(made, None) == {"analyses": 0}  # type: ignore[arg-type]


def test_a_preference_for_nobody_is_refused():
    with pytest.raises(ValidationError):
        DescriptionSettings.model_validate({"prefer": ["gemni_analysis"]})
