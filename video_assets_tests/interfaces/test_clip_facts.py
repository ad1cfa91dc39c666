"""`info` on a clip of which every analyzer has told something."""

import pytest

from video_assets_tests import findings as known
from video_assets_tests import shelf
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import Shelf

NAME = "complete.mov"
FACTS = {
    "media_info": {
        "codec": {
            "name": "h264",
            "profile": "High",
            "level": "4.1",
            "bit_depth": 8,
            "chroma_subsampling": "4:2:0",
            "bitrate_kbps": 5120,
            "gop_size": 12,
        },
        "audio_tracks": [{"track_id": "1", "codec": "aac", "channels": 2, "title": "boom"}],
        "subtitle_tracks": [],
    },
    "color": {
        "color_primaries": "BT.2020",
        "transfer_characteristics": "PQ",
        "color_range": "Limited",
        "hdr": {
            "is_hdr": True,
            "hdr_format": "HDR10+",
            "max_cll": 1000,
            "max_fall": 400,
            "max_luminance_nits": 4000.0,
            "dolby_vision": None,
        },
    },
    "camera": known.CAMERA | {"settings": {"iso": 100, "f_stop": 1.8, "shutter_speed": "1/60"}},
    "proxy": known.PROXY
    | {"sound": {**known.SOUND, "range_lu": 5.0, "silent_ranges": [[0.0, 2.5]]}},
    "exposure": known.EXPOSURE
    | {
        "overexposed_percentage": 6.1,
        "underexposed_percentage": 0.0,
        "black_ranges": [{"start_s": float(at), "end_s": at + 0.5} for at in range(6)],
    },
    "scenes": known.scenes(*(float(at) for at in range(1, 15))),
    "transcript": known.transcript("word " * 100 + "end.", "\x1b[31mRed."),
    "focal_length": known.ESTIMATE,
}


@pytest.fixture
def told(filled: Shelf) -> None:
    """Every analyzer has told something of the clip."""
    for asset, document in FACTS.items():
        shelf.done(filled, NAME, asset, document)


@pytest.mark.usefixtures("told")
def test_info_tells_what_analyzers_found(shell: Shell):
    printed = " ".join(shell("info", NAME, columns=200).split())
    for fact in (
        "Codec h264, High@4.1, 8 bit, 4:2:0, 5.12 Mb/s, GOP 12",
        "Color BT.2020, PQ, Limited",
        "HDR HDR10+, MaxCLL 1000 cd/m², MaxFALL 400 cd/m², mastered to 4000 cd/m²",
        "Exposure fair, +1.2 stops, 6.1 % too bright, 0.0 % too dark, black at 0.0-0.5, 1.0-1.5,"
        " 2.0-2.5, 3.0-3.5 s and 2 more",
        "Audio aac, 2 channels, boom",
        "Sound -23.1 LUFS, range 5.0 LU, true peak -1.5 dBTP, silent at 0.0-2.5 s",
        "Speech 102 words, en, from faster whisper",
        "Captured 2023-05-01 23:34:56 (UTC-04:00)",
        "Place Santiago, Chile, 33.85680° S 70.50000° W, -3.5 m",
        "Camera Apple iPhone 15 Pro",
        "Lens back camera 6.86mm, 6.86 mm, as 24 mm on full frame, WIDE",
        "Settings ISO 100, 1/60 s, f/1.8",
        "1 0.00-1.00 s",
        "and 2 more; --json lists all",
        "… (--transcript shows all)",
    ):
        assert fact in printed
    assert "end." not in printed
    assert "/home/artifacts/aa/scene_0001.jpg" in printed


@pytest.mark.usefixtures("told")
def test_all_words_are_shown_when_asked(shell: Shell):
    printed = " ".join(shell("info", NAME, "--transcript").split())
    assert "end. \\x1b[31mRed." in printed


@pytest.mark.usefixtures("told")
def test_programs_get_every_fact(shell: Shell, settings):
    found = shell.json("info", NAME)
    assert found["gps_latitude"] == -33.8568
    assert found["captured_at"].startswith("2023-05-02T03:34:56.25")
    assert found["technical_metadata"]["color"]["hdr"]["max_cll"] == 1000
    assert len(found["scenes"]) == 14
    assert found["scenes"][0]["path"] == str(settings.artifacts_dir / "aa/scene_0001.jpg")
    assert found["full_transcript"].endswith("Red.")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.usefixtures("told")
def test_only_paths_are_wider_than_the_terminal(shell: Shell, columns: int):
    lines = shell("info", NAME, columns=columns).splitlines()
    assert [line for line in lines if len(line) > columns and "/" not in line] == []


@pytest.mark.parametrize(
    ("asset", "document", "fact"),
    [
        pytest.param(
            "color", {"hdr": {"is_hdr": False, "hdr_format": None}}, "HDR no", id="no HDR"
        ),
        pytest.param("proxy", known.PROXY | {"sound": None}, "Sound none to hear", id="no sound"),
        pytest.param("transcript", known.transcript(), "Speech none", id="no speech"),
        pytest.param(
            "transcript",
            known.transcript() | {"has_speech": True},
            "Speech somebody speaks, but no text was made",
            id="no engine",
        ),
        pytest.param(
            "camera",
            known.CAMERA | {"capture": {"time": "2023-05-01T12:00:00", "utc_time": None}},
            "Captured 2023-05-01 12:00:00 (zone not known)",
            id="no zone",
        ),
        pytest.param(
            "camera",
            {
                "make": "Canon",
                "model": "Canon EOS R5",
                "capture": {
                    "time": "2023-05-01T12:00:00+00:00",
                    "utc_time": "2023-05-01T12:00:00+00:00",
                    "utc_offset_minutes": 0,
                    "source": "QuickTime:CreateDate",
                },
            },
            "Captured 2023-05-01 12:00:00 UTC (local time not known) Place — Camera Canon EOS R5"
            " Lens TELEPHOTO by its look",
            id="only UTC, no lens, a repeated make",
        ),
    ],
)
@pytest.mark.usefixtures("told")
def test_what_is_not_there_is_not_made_up(
    shell: Shell, filled: Shelf, asset: str, document: dict[str, object], fact: str
):
    shelf.done(filled, NAME, asset, document)
    assert fact in " ".join(shell("info", NAME, columns=200).split())
