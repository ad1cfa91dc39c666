"""What a result means for its owners' rows, and what is left of the one before it: nothing."""

import uuid
from typing import Any

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.projection import project_clip
from video_assets_tests.findings import (
    ALL,
    CAMERA,
    COLOR,
    ESTIMATE,
    EXPOSURE,
    MEDIA_INFO,
    NO_TRACK,
    PROBE,
    PROXY,
    TRACK,
    scenes,
    transcript,
)
from video_assets_tests.storage.two_owners import ROWS, Clip


def test_a_position_in_the_south_and_west_stays_there(clip: Clip):
    clip.found(camera=CAMERA)
    row = clip.row()
    assert (row["gps_latitude"], row["gps_longitude"], row["gps_altitude"]) == (
        -33.8568,
        -70.5,
        -3.5,
    )
    assert row["location_name"] == "Santiago, Chile"


def test_a_capture_time_keeps_its_moment_and_its_clock(clip: Clip):
    clip.found(camera=CAMERA)
    row = clip.row()
    assert row["captured_at"].isoformat() == "2023-05-02T03:34:56.250000+00:00"
    assert row["captured_at_local"].isoformat() == "2023-05-01T23:34:56.250000"
    assert row["capture_utc_offset_minutes"] == -240


@pytest.mark.parametrize(
    ("capture", "moment", "clock"),
    [
        pytest.param(
            {"time": "2023-05-01T12:00:00", "utc_offset_minutes": None, "utc_time": None},
            None,
            "2023-05-01T12:00:00",
            id="the zone is not known",
        ),
        pytest.param(
            {
                "time": "2023-05-01T12:00:00+00:00",
                "utc_offset_minutes": None,
                "utc_time": "2023-05-01T12:00:00+00:00",
            },
            "2023-05-01T12:00:00+00:00",
            None,
            id="only UTC is known",
        ),
        pytest.param(
            {
                "time": "2023-05-01T12:00:00+00:00",
                "utc_offset_minutes": 0,
                "utc_time": "2023-05-01T12:00:00+00:00",
                "source": "QuickTime:CreateDate",
            },
            "2023-05-01T12:00:00+00:00",
            None,
            id="a container says UTC wherever it was",
        ),
        pytest.param(
            {
                "time": "2023-01-01T12:00:00+00:00",
                "utc_offset_minutes": 0,
                "utc_time": "2023-01-01T12:00:00+00:00",
                "source": "Keys:CreationDate",
            },
            "2023-01-01T12:00:00+00:00",
            "2023-01-01T12:00:00",
            id="a clock in London shows UTC",
        ),
        pytest.param(None, None, None, id="nothing is known"),
    ],
)
def test_half_a_capture_time_is_not_made_whole(clip: Clip, capture: Any, moment: Any, clock: Any):
    clip.found(camera=CAMERA)
    clip.found(camera=CAMERA | {"capture": capture})
    row = clip.row()
    assert (row["captured_at"] and row["captured_at"].isoformat()) == moment
    assert (row["captured_at_local"] and row["captured_at_local"].isoformat()) == clock


@pytest.mark.parametrize("first", ["camera", "focal_length"])
def test_what_the_camera_wrote_goes_before_what_a_model_sees(clip: Clip, first: str):
    results = {"camera": CAMERA, "focal_length": ESTIMATE}
    second = next(name for name in results if name != first)
    clip.found(**{first: results[first], second: results[second]})
    row = clip.row()
    assert (row["focal_length_mm"], row["focal_length_category"]) == (6.86, "WIDE")
    assert row["camera_details"]["focal_length"] == CAMERA["focal_length"]
    assert row["camera_details"]["estimated_focal_length"] == ESTIMATE


def test_a_model_fills_what_the_camera_left_out(clip: Clip):
    silent = {"make": None, "focal_length": None, "location": {}, "capture": None}
    clip.found(focal_length=ESTIMATE, camera=silent)
    assert (clip.row()["focal_length_mm"], clip.row()["focal_length_category"]) == (
        None,
        "TELEPHOTO",
    )


def test_a_model_that_now_sees_nothing_leaves_nothing(clip: Clip):
    clip.found(focal_length=ESTIMATE)
    clip.found(focal_length={"category": None, "source": None})
    assert clip.row()["focal_length_category"] is None
    assert clip.row()["camera_details"] == {}


def test_high_dynamic_range_is_found_by_its_name(clip: Clip):
    clip.found(color=COLOR)
    assert (clip.row()["is_hdr"], clip.row()["hdr_format"]) == (True, "HDR10+")
    clip.found(color=COLOR | {"hdr": {"is_hdr": False, "hdr_format": None}})
    assert (clip.row()["is_hdr"], clip.row()["hdr_format"]) == (False, None)


def test_exposure_is_found_by_its_rating(clip: Clip):
    clip.found(exposure=EXPOSURE)
    row = clip.row()
    assert (row["exposure_quality"], row["exposure_stops"], row["exposure_warning"]) == (
        "fair",
        1.25,
        True,
    )


def test_a_proxy_tells_how_loud_and_where_it_lies(clip: Clip):
    clip.found(proxy=PROXY)
    assert (clip.row()["loudness_lufs"], clip.row()["true_peak_dbtp"]) == (-23.1, -1.5)
    assert clip.artifacts() == {"proxy": "aa/proxy.mp4", "measurements": "aa/measurements.npz"}
    clip.found(proxy=PROXY | {"sound": None})
    assert clip.row()["loudness_lufs"] is None


def test_a_clip_that_lost_its_sound_has_no_file_of_it(clip: Clip):
    clip.found(audio_track=TRACK)
    assert clip.artifacts() == {"audio_track": "aa/speech.wav"}
    clip.found(audio_track=NO_TRACK)
    assert clip.artifacts() == {}


@pytest.mark.parametrize("order", [("probe", "media_info"), ("media_info", "probe")])
def test_the_fuller_list_of_tracks_stands_whichever_came_last(clip: Clip, order: tuple[str, str]):
    results = {"probe": PROBE, "media_info": MEDIA_INFO}
    clip.found(**{name: results[name] for name in order})
    assert clip.row()["audio_tracks"] == MEDIA_INFO["audio_tracks"]
    assert clip.row()["technical_metadata"]["media_info"] == {"codec": MEDIA_INFO["codec"]}
    assert clip.row()["technical_metadata"]["video"] == PROBE["video"]


def test_every_scene_is_a_row_a_segment_and_a_still(clip: Clip):
    clip.found(scenes=scenes(2.0, 5.5))
    assert clip.row()["scene_count"] == 2
    found = [
        (each["scene_number"], each["timestamp_start"], each["timestamp_end"], each["end_frame"])
        for each in sorted(clip.rows("scenes"), key=lambda row: row["scene_number"])
    ]
    assert found == [(1, 0.0, 2.0, 50), (2, 2.0, 5.5, 138)]
    parts = [(each["kind"], each["number"]) for each in clip.rows("segments")]
    assert sorted(parts) == [("scene", 1), ("scene", 2)]
    assert clip.artifacts() == {
        "scene_0001": "aa/scene_0001.jpg",
        "scene_0002": "aa/scene_0002.jpg",
    }


def test_fewer_scenes_leave_none_of_the_old_ones(clip: Clip):
    clip.found(scenes=scenes(1.0, 2.0, 3.0, 4.0), transcript=transcript("Stay."))
    clip.found(scenes=scenes(4.0))
    assert [row["timestamp_end"] for row in clip.rows("scenes")] == [4.0]
    kinds = sorted((row["kind"], row["timestamp_end"]) for row in clip.rows("segments"))
    assert kinds == [("scene", 4.0), ("speech", 0.9)]
    assert clip.artifacts() == {"scene_0001": "aa/scene_0001.jpg"}
    clip.found(scenes={"scenes": []})
    assert (clip.rows("scenes"), clip.row()["scene_count"], clip.artifacts()) == ([], 0, {})


def test_a_description_stays_with_a_scene_that_stays(clip: Clip):
    clip.found(scenes=scenes(2.0, 4.0))
    with clip.catalogue.transaction() as connection:
        connection.execute("UPDATE scenes SET description = 'a bridge', objects = '{bridge}'")
    before = {row["scene_number"]: row["id"] for row in clip.rows("scenes")}
    clip.found(scenes=scenes(2.0, 5.0))
    after = {row["scene_number"]: row for row in clip.rows("scenes")}
    assert {number: row["id"] for number, row in after.items()} == before
    assert (after[1]["description"], after[1]["objects"]) == ("a bridge", ["bridge"])
    assert (after[2]["description"], after[2]["objects"]) == (None, None)


def test_what_is_said_is_found_whole_and_in_parts(clip: Clip):
    clip.found(transcript=transcript("Hello there.", "Two bridges at dusk."))
    row = clip.row()
    assert row["full_transcript"] == "Hello there. Two bridges at dusk."
    assert (row["transcript_word_count"], row["transcript_language"]) == (6, "en")
    [spoken] = clip.rows("transcripts")
    assert len(spoken["segments"]) == 2
    assert sorted(part["content"] for part in clip.rows("segments")) == [
        "Hello there.",
        "Two bridges at dusk.",
    ]
    assert _finds(clip, "english", "bridge")


def test_a_sentence_that_ends_before_it_begins_is_kept(clip: Clip):
    backwards = transcript("Hello.")
    backwards["segments"][0] |= {"start_time": 5.0, "end_time": 4.0}
    clip.found(transcript=backwards)
    [part] = clip.rows("segments")
    assert (part["timestamp_start"], part["timestamp_end"]) == (5.0, 5.0)


def test_a_clip_in_which_nobody_speaks_has_no_words(clip: Clip):
    clip.found(transcript=transcript("Hello there."))
    clip.found(transcript=transcript())
    assert (clip.rows("transcripts"), clip.rows("segments")) == ([], [])
    assert clip.row()["full_transcript"] is None
    assert clip.row()["transcript_word_count"] == 0


def test_words_are_stemmed_in_their_language(clip: Clip):
    clip.found(transcript=transcript("Die Häuser am Fluss.", language="de"))
    assert _finds(clip, "german", "Haus")
    clip.found(transcript=transcript("Die Häuser am Fluss.", language="xx"))
    assert not _finds(clip, "german", "Haus")
    assert _finds(clip, "simple", "häuser")


def test_a_long_day_of_talk_can_be_kept(clip: Clip):
    words = " ".join(f"語語{number:x}" for number in range(200_000))
    clip.found(transcript=transcript(words))
    assert clip.rows("transcripts")[0]["full_text"] == words


def _finds(clip: Clip, language: str, word: str) -> bool:
    query = "SELECT 1 FROM transcripts WHERE clip_id = %s AND fts @@ to_tsquery(%s::regconfig, %s)"
    with clip.catalogue.transaction(LOCAL_OWNER) as connection:
        found = connection.execute(query, (clip.row()["id"], language, word)).fetchall()
    return bool(found)


def test_results_in_another_order_and_once_more_mean_the_same(clip: Clip):
    clip.found(**ALL)
    before = clip.everything()
    clip.found(**dict(reversed(ALL.items())))
    after = clip.everything()
    for facts in (before["clip"], after["clip"]):
        del facts["processing_status"], facts["last_step_completed"]
    assert after == before


def test_an_owner_who_comes_later_has_the_same_rows(clip: Clip, admin_url: str):
    clip.found(**ALL)
    late = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, 'eve@example.org')", (late,)
        )
    clip.add_owner(late)
    with clip.catalogue.transaction() as connection:
        project_clip(connection, clip.checksum, late)
    assert clip.everything(late) == clip.everything() == clip.everything(clip.neighbour)


def test_what_is_known_of_one_clip_leaves_its_neighbour_alone(clip: Clip, neighbour: uuid.UUID):
    other = Clip(clip.catalogue, neighbour)
    other.found(**ALL)
    before = other.everything()
    clip.found(**ALL)
    clip.found(scenes=scenes(1.0), transcript=transcript(), audio_track=NO_TRACK)
    assert other.everything() == before


def test_a_failed_rerun_leaves_what_was_known(clip: Clip):
    clip.found(**ALL)
    before = {table: clip.rows(table) for table in ROWS}
    ledger.save_failed(
        clip.catalogue,
        asset="scenes",
        checksum=clip.checksum,
        made=ledger.Made("2", "", ""),
        error_class="UndecodableError",
        error="no frame",
        fault="file",
        seconds=1.0,
        run_id="run",
    )
    with clip.catalogue.transaction() as connection:
        project_clip(connection, clip.checksum)
    assert {table: len(clip.rows(table)) for table in ROWS} == {
        table: len(rows) for table, rows in before.items()
    }
