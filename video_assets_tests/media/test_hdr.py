"""HDR: the kind that a picture is, and the light that it was graded for."""

import pytest

from video_assets.media.color import HLG, PQ
from video_assets.media.declared_color import find_disagreements, read_declared
from video_assets.media.hdr import DolbyVision, describe_hdr, read_mastering
from video_assets.media.mediainfo import Track
from video_assets.media.tracks import VideoTrack

SDR = "bt709"


def picture(**changes) -> VideoTrack:
    nothing = dict.fromkeys(VideoTrack.model_fields)
    known = {
        "pixel_format": "yuv420p10le",
        "codec": "hevc",
        "is_interlaced": False,
        "is_dolby_vision": False,
    }
    return VideoTrack.model_construct(**{**nothing, **known, **changes})


def told(facts: dict[str, str], transfer: str | None = PQ, **changes):
    return describe_hdr(Track(facts), picture(color_transfer=transfer, **changes), transfer)


VISION_8_4 = {
    "hdr_format": "Dolby Vision",
    "hdr_format_profile": "dvhe.08",
    "hdr_format_level": "04",
    "hdr_format_compatibility": "HLG",
}
VISION_AND_HDR10 = {
    "hdr_format": "Dolby Vision / SMPTE ST 2086",
    "hdr_format_profile": "dvhe.08 / ",
    "hdr_format_level": "06 / ",
    "hdr_format_compatibility": "HDR10 / HDR10",
}


@pytest.mark.parametrize(
    ("facts", "transfer", "form"),
    [
        pytest.param({}, PQ, "HDR10", id="PQ alone"),
        pytest.param({"hdr_format": "SMPTE ST 2086"}, PQ, "HDR10", id="static"),
        pytest.param({"hdr_format": "SMPTE ST 2094 App 4"}, PQ, "HDR10+", id="dynamic"),
        pytest.param(
            {"hdr_format": "SMPTE ST 2094 App 4 / SMPTE ST 2086"}, PQ, "HDR10+", id="both"
        ),
        pytest.param({}, HLG, "HLG", id="HLG"),
        pytest.param(VISION_8_4, HLG, "Dolby Vision", id="8.4"),
        pytest.param(VISION_AND_HDR10, PQ, "Dolby Vision", id="8.1"),
        pytest.param({"hdr_format": "SMPTE ST 2086"}, None, "HDR10", id="transfer not said"),
        pytest.param({"hdr_format": "SMPTE ST 2086"}, SDR, None, id="SDR of an HDR master"),
        pytest.param({}, SDR, None, id="SDR"),
        pytest.param({}, "smpte428", None, id="cinema is no HDR"),
        pytest.param({}, None, None, id="nothing said"),
    ],
)
def test_the_richest_kind_is_named(facts, transfer, form):
    hdr = told(facts, transfer)
    assert (hdr.hdr_format, hdr.is_hdr) == (form, form is not None)


def test_a_wide_gamut_without_a_transfer_is_not_known():
    assert told({}, None, color_primaries="bt2020").is_hdr is None


@pytest.mark.parametrize(
    ("facts", "vision"),
    [
        pytest.param(VISION_8_4, (8, 4, 4), id="8.4"),
        pytest.param(VISION_AND_HDR10, (8, 6, 1), id="8.1"),
        pytest.param(
            {
                "hdr_format": "Dolby Vision",
                "hdr_format_profile": "dvhe.05",
                "hdr_format_level": "05",
            },
            (5, 5, 0),
            id="5 shows nothing to others",
        ),
        pytest.param(
            {
                "hdr_format": "SMPTE ST 2086 / Dolby Vision",
                "hdr_format_profile": " / dav1.10",
                "hdr_format_level": " / 09",
                "hdr_format_compatibility": "HDR10 / SDR",
            },
            (10, 9, 2),
            id="second",
        ),
        pytest.param(
            {
                "hdr_format": "Dolby Vision",
                "hdr_format_profile": "dvhe.99",
                "hdr_format_level": "63",
            },
            (None, None, None),
            id="garbage",
        ),
    ],
)
def test_the_dolby_vision_record_is_read(facts, vision):
    found = told(facts).dolby_vision
    assert found is not None
    assert (found.profile, found.level, found.compatibility_id) == vision


def test_dolby_vision_that_only_the_decoder_sees_has_no_profile():
    hdr = told({}, HLG, is_dolby_vision=True)
    assert hdr.dolby_vision == DolbyVision(profile=None, level=None, compatibility_id=None)
    assert hdr.hdr_format == "Dolby Vision"


@pytest.mark.parametrize(
    ("words", "low", "high"),
    [
        ("min: 0.0050 cd/m2, max: 1000 cd/m2", 0.005, 1000.0),
        ("min: 0.0001 cd/m2, max: 1000.0000 cd/m2", 0.0001, 1000.0),
        ("min: 0.0000 cd/m2, max: 4000 cd/m2", 0.0, 4000.0),
        pytest.param("min: 0.0050 cd/m2, max: 0.1000 cd/m2", 0.005, 1000.0, id="CTA units"),
        pytest.param("min: 0.0000 cd/m2, max: 0.0000 cd/m2", None, None, id="nobody knew"),
        pytest.param("min: 0.0000 cd/m2, max: 429496.7295 cd/m2", None, None, id="garbage"),
        pytest.param("min: 6000 cd/m2, max: 1000 cd/m2", None, None, id="crossed"),
        pytest.param("min: x", None, None, id="no words"),
    ],
)
def test_the_grading_display_is_read_as_numbers(words, low, high):
    facts = {
        "mastering_display_luminance": words,
        "mastering_display_color_primaries": "Display P3",
    }
    hdr = told(facts)
    assert (hdr.min_luminance_nits, hdr.max_luminance_nits) == (low, high)
    assert (hdr.master_display or "").startswith("Display P3")
    assert ("1000 cd/m2" in (hdr.master_display or "")) is (high == 1000)


def test_the_stream_goes_before_the_container():
    facts = {
        "mastering_display_luminance": "min: 0.1 cd/m2, max: 500 cd/m2",
        "masteringdisplay_luminance_original": "min: 0.005 cd/m2, max: 1000 cd/m2",
        "masteringdisplay_luminance_original_source": "Stream",
    }
    assert read_mastering(Track(facts)).max_nits == 1000


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("1000 cd/m2", 1000),
        ("0 cd/m2", None),
        ("65535 cd/m2", None),
        ("99999999999999999999 cd/m2", None),
        ("bright", None),
        ("", None),
    ],
)
def test_light_levels_are_whole_numbers_or_unknown(said, level):
    facts = {"maximum_content_light_level": said, "maximum_frameaverage_light_level": said}
    hdr = told(facts)
    assert (hdr.max_cll, hdr.max_fall) == (level, level)


def test_what_the_decoder_does_not_tell_is_taken_from_mediainfo():
    facts = {
        "color_primaries": "DCI P3",
        "transfer_characteristics": "SMPTE 428M",
        "matrix_coefficients": "Identity",
        "color_range": "Full",
    }
    found = read_declared(Track(facts), picture())
    assert (found.primaries, found.transfer, found.matrix) == ("smpte431", "smpte428", "gbr")
    assert (found.range, found.is_dci) == ("Full", True)


def test_words_that_mean_no_colour_are_unknown():
    found = read_declared(Track({"color_primaries": "250", "color_range": "Wide"}), picture())
    assert (found.primaries, found.range, found.is_dci) == (None, None, False)


def test_a_container_that_contradicts_its_stream_is_named():
    facts = {"color_range": "Limited", "colour_range_source": "Container"}
    declared = read_declared(Track(facts), picture(color_range="pc"))
    (sentence,) = find_disagreements(Track(facts), declared, "mp4")
    assert sentence == "the container says range Limited, the stream Full; the stream is believed"


@pytest.mark.parametrize(
    ("theirs", "ours", "count"),
    [
        pytest.param("BT.709", "smpte170m", 0, id="one curve"),
        pytest.param("BT.2020 (10-bit)", "bt709", 0, id="the same curve"),
        pytest.param("BT.470 System M", "bt709", 1, id="another curve"),
    ],
)
def test_two_names_of_one_curve_are_no_contradiction(theirs, ours, count):
    facts = {"transfer_characteristics": theirs, "transfer_characteristics_source": "Container"}
    declared = read_declared(Track(facts), picture(color_transfer=ours))
    assert len(list(find_disagreements(Track(facts), declared, "mp4"))) == count


@pytest.mark.parametrize(
    ("container", "count"), [("mp4", 1), ("mov", 1), ("mkv", 0), ("mpegts", 0)]
)
def test_a_container_that_hides_hdr_is_named_where_players_ask_it(container, count):
    facts = {"transfer_characteristics": "PQ", "transfer_characteristics_source": "Stream"}
    declared = read_declared(Track(facts), picture(color_transfer=PQ))
    assert len(list(find_disagreements(Track(facts), declared, container))) == count
