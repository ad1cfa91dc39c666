"""The document of a clip: made from what exists, with the names that other programs read."""

import json
from fractions import Fraction
from pathlib import Path

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.exposure import Exposure, Focus, Interlacing, Shake, Span
from video_assets.assets.analyze.focal_length import CameraFocalLength
from video_assets.assets.analyze.scenes import Scene, Scenes
from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.derive.thumbnails import Thumbnails, ThumbnailSettings, make_thumbnails
from video_assets.assets.describe.description import DescriptionSettings, describe
from video_assets.assets.index.composing import compose
from video_assets.assets.index.video_document import video_document
from video_assets.assets.ingest.checksum import FileInfo
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.color import Color
from video_assets.assets.measure.media_info import MediaInfo
from video_assets.assets.measure.probe import Probe
from video_assets.media.camera import CameraSettings, FocalLength, Location, describe_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves
from video_assets.media.capture_time import CaptureTime
from video_assets.media.loudness import Sound
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.analyses import SAID
from video_assets_tests.clips import HLG, Clip, make_clip

INFO = FileInfo(file_checksum="0" * 64, checksum_algorithm="blake3", file_size_bytes=10)


def probe_of(path: Path) -> Probe:
    """What a clip is."""
    return Probe.model_validate(dict(probe_media(path)))


def stills_of(path: Path, probe: Probe) -> Thumbnails:
    """Two stills of a clip."""
    folder = ArtifactFolder.of(path.parent / "store", INFO.file_checksum, "thumbnails")
    source = Source(INFO.file_checksum, path)
    return make_thumbnails(source, probe, ThumbnailSettings(count=2), folder)


def test_the_document_says_what_was_found(tmp_path: Path) -> None:
    clip = Clip(rate=Fraction(30000, 1001), rotation=90, audio_tracks=1, timecode="01:00:00;00")
    path = make_clip(tmp_path / "clip.mov", clip)
    probe = probe_of(path)
    document = json.loads(compose(INFO, probe, thumbnails=stills_of(path, probe)).model_dump_json())

    assert document["file_info"]["file_checksum"] == "0" * 64
    assert document["video"]["codec"]["name"] == "h264"
    assert document["video"]["resolution"] == {"width": 64, "height": 36, "aspect_ratio": "9:16"}
    assert document["video"]["rotation"] == 90
    assert round(document["video"]["frame_rate"], 3) == 29.97
    assert document["video"]["start_timecode"] == "01:00:00;00"
    assert len(document["audio_tracks"]) == 1
    assert len(document["thumbnails"]) == 2


def test_a_clip_without_stills_has_a_document_too(tmp_path: Path) -> None:
    document = compose(INFO, probe_of(make_clip(tmp_path / "clip.mp4")))
    assert document.thumbnails == ()
    assert document.video.duration_seconds == 2.0


def test_what_was_not_looked_for_is_absent_and_not_false(tmp_path: Path) -> None:
    document = compose(INFO, probe_of(make_clip(tmp_path / "clip.mp4")))
    assert document.camera is None
    assert document.video.color.hdr is None
    assert document.user_id is None
    assert str(tmp_path) not in document.model_dump_json()


CAMERA = Camera(
    make="Apple",
    model="iPhone 15 Pro",
    lens_model=None,
    serial_number="X1",
    focal_length=FocalLength(value_mm=6.86, equivalent_35mm=24, category="WIDE", source="EXIF"),
    settings=CameraSettings(
        iso=0,
        shutter_speed="1/60",
        f_stop=1.8,
        exposure_mode="Auto",
        white_balance="Auto",
        light_source=None,
    ),
    location=Location(
        gps_latitude=-33.8568,
        gps_longitude=0.0,
        gps_altitude=None,
        location_name=None,
        is_named_by_distance=False,
    ),
    capture=CaptureTime(
        time="2023-05-01T23:34:56-04:00",
        utc_offset_minutes=-240,
        utc_time="2023-05-02T03:34:56+00:00",
        source="Keys:CreationDate",
    ),
    telemetry=None,
    picture_profile=None,
    software="17.0",
    artist=None,
    copyright=None,
    description=None,
)
SOUND = Sound(
    integrated_lufs=-23.0,
    range_lu=0.0,
    true_peak_dbtp=-1.0,
    max_momentary_lufs=-20.0,
    max_short_term_lufs=None,
    silent_ranges=((0.0, 2.5),),
    duration_s=5.0,
    start_s=0.0,
    is_silent=False,
    channels=2,
)
PROXY = Proxy(
    file="aa/proxy.mp4",
    file_digest="d",
    codec="h264",
    encoder="libx264",
    is_hardware=False,
    bit_rate_bps=1000,
    width=64,
    height=36,
    frame_rate=5,
    frame_count=10,
    duration_s=2,
    size_bytes=100,
    has_audio=True,
    measurements="aa/measurements.npz",
    measurements_digest="d",
    source_frame_count=48,
    source_duration_s=2,
    declared_duration_s=2,
    decoded_duration_s=2,
    damaged_packets=0,
    sound_tracks=1,
    sound=SOUND,
    warnings=("the proxy is grey",),
)
TRANSCRIPT = Transcript(
    full_text="Hello.",
    segments=(Segment(start_time=0.5, end_time=1, speaker=None, text="Hello.", confidence=0.9),),
    word_count=1,
    language="en",
    source="faster_whisper",
    model="tiny",
    has_speech=True,
    warnings=(),
)


def test_a_camera_block_has_the_names_that_programs_read(tmp_path: Path) -> None:
    document = compose(INFO, probe_of(make_clip(tmp_path / "clip.mp4")), camera=CAMERA)
    camera = json.loads(document.model_dump_json())["camera"]
    assert camera["make"] == "Apple"
    assert camera["focal_length"] == {
        "value_mm": 6.86,
        "category": "WIDE",
        "source": "EXIF",
        "equivalent_35mm": 24.0,
        "confidence": None,
    }
    assert camera["settings"]["iso"] == 0
    assert camera["location"]["gps_latitude"] == -33.8568
    assert camera["location"]["gps_longitude"] == 0.0
    assert camera["capture"]["time"] == "2023-05-01T23:34:56-04:00"
    assert camera["software"] == "17.0"


def test_sound_and_words_stand_in_the_document(tmp_path: Path) -> None:
    probe = probe_of(make_clip(tmp_path / "clip.mp4"))
    document = json.loads(
        compose(INFO, probe, proxy=PROXY, transcript=TRANSCRIPT).model_dump_json()
    )
    analysis = document["analysis"]
    assert document["compressed_path"] == "aa/proxy.mp4"
    assert analysis["loudness"]["integrated_lufs"] == -23.0
    assert analysis["loudness"]["silent_ranges"] == [[0.0, 2.5]]
    assert analysis["transcript"]["full_text"] == "Hello."
    assert analysis["transcript"]["segments"][0]["start_time"] == 0.5
    assert analysis["processing_metadata"]["warnings"] == ["the proxy is grey"]


def test_no_sound_is_not_silence(tmp_path: Path) -> None:
    probe = probe_of(make_clip(tmp_path / "clip.mp4"))
    mute = compose(INFO, probe, proxy=PROXY.model_copy(update={"sound": None}))
    assert mute.analysis.loudness is None


def test_a_document_can_be_read_back(tmp_path: Path) -> None:
    probe = probe_of(make_clip(tmp_path / "clip.mp4", Clip(audio_tracks=1)))
    made = compose(INFO, probe, camera=CAMERA, proxy=PROXY, transcript=TRANSCRIPT)
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_no_analyzer_but_the_probe_can_hold_a_document_up() -> None:
    analyzer = ANALYZERS[video_document.key.to_user_string()]
    assert set(analyzer.required) == {"checksum", "probe"}
    assert set(analyzer.upstream) - set(analyzer.required) >= {"camera", "proxy", "transcript"}


def scene(number: int, start_s: float, end_s: float, still: str | None) -> Scene:
    """A scene of a clip of 25 frames a second."""
    return Scene(
        number=number,
        start_s=start_s,
        end_s=end_s,
        start_pts=0,
        end_pts=None,
        start_frame=round(start_s * 25),
        end_frame=round(end_s * 25),
        begins_with="cut" if start_s else "start",
        change=0,
        representative_frame=still,
        representative_time_s=None,
    )


SCENES = Scenes(
    scenes=(scene(1, 0, 0.8, "aa/scene.jpg"), scene(2, 0.8, 2, None)),
    scene_changes=(0.8,),
    warnings=(),
)
EXPOSURE = Exposure(
    warning=True,
    stops=-1.5,
    overexposed_percentage=0,
    underexposed_percentage=6,
    mean_level=40,
    overall_quality="fair",
    per_scene=(),
    black_ranges=(Span(start_s=0, end_s=0.5),),
    frozen_ranges=(),
    silent_ranges=(),
    loudness=SOUND,
    shake=Shake(motion_percentage=None, jitter_percentage=0.0),
    focus=Focus(median=1, lowest=0, highest=2, softest_time_s=0),
    interlacing=Interlacing(found="progressive", declared=None, agrees=None),
    transfer=None,
    log_curve=None,
    is_log=False,
    frames_measured=4,
)


def test_scenes_and_exposure_stand_in_the_document(tmp_path: Path) -> None:
    probe = probe_of(make_clip(tmp_path / "clip.mp4"))
    made = compose(INFO, probe, scenes=SCENES, exposure=EXPOSURE)
    assert type(made).model_validate_json(made.model_dump_json()) == made
    document = json.loads(made.model_dump_json())
    assert document["video"]["exposure"] == {
        "warning": True,
        "stops": -1.5,
        "overexposed_percentage": 0.0,
        "underexposed_percentage": 6.0,
        "overall_quality": "fair",
    }
    assert document["analysis"]["scene_changes"] == [0.8]
    assert [each["representative_frame"] for each in document["analysis"]["scenes"]] == [
        "aa/scene.jpg",
        None,
    ]
    assert document["analysis"]["picture"]["black_ranges"] == [{"start_s": 0.0, "end_s": 0.5}]


def test_coding_and_colour_come_from_the_fuller_analyzers(tmp_path: Path) -> None:
    clip = Clip(frames=6, codec="libx265", pixel_format="yuv420p10le", color=HLG)
    path = make_clip(tmp_path / "clip.mp4", clip)
    probe, source = probe_of(path), Source(INFO.file_checksum, path)
    made = {name: ANALYZERS[name].function(source, probe) for name in ("media_info", "color")}
    assert isinstance(made["media_info"], MediaInfo)
    assert isinstance(made["color"], Color)
    video = compose(INFO, probe, media_info=made["media_info"], color=made["color"]).video
    assert video.codec.chroma_subsampling == "4:2:0"
    assert video.codec.bit_depth == 10
    assert video.color.hdr is not None
    assert (video.color.hdr.is_hdr, video.color.hdr.hdr_format) == (True, "HLG")


def test_what_a_model_sees_of_a_lens_stands_only_where_the_camera_is_silent(tmp_path: Path) -> None:
    probe = probe_of(make_clip(tmp_path / "clip.mp4"))
    seen = CameraFocalLength(
        value_mm=None, category="WIDE", source="AI", confidence=0.8, model="m", votes={"WIDE": 3}
    )
    alone = compose(INFO, probe, focal_length=seen).camera
    assert alone is not None
    assert (alone.focal_length.category, alone.focal_length.source) == ("WIDE", "AI")
    tags = Tags({"ExifIFD:FocalLength": 4.25, "ExifIFD:FocalLengthIn35mmFormat": 90})
    said = Camera.model_validate(dict(describe_camera(tags, Moves())))
    both = compose(INFO, probe, camera=said, focal_length=seen).camera
    assert both is not None
    assert (both.focal_length.category, both.focal_length.source) == ("LONG-LENS", "EXIF")


def test_the_document_holds_what_analyzers_say(tmp_path: Path) -> None:
    said = {name: ComprehensiveAIAnalysis.model_validate(each) for name, each in SAID.items()}
    told = describe(said, None, DescriptionSettings(prefer=("claude_analysis",)))
    probe = probe_of(make_clip(tmp_path / "clip.mp4"))
    found = compose(INFO, probe, description=told, analyses=said).analysis
    assert found.analyzer == "claude_analysis"
    assert found.content_summary == SAID["claude_analysis"]["summary"]["overall"]
    assert found.content_category == "travel"
    assert found.ai_analysis == said["claude_analysis"]
    assert sorted(found.other_analyses) == ["gemini_analysis", "local_analysis"]
