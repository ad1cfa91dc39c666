"""The media_info asset: what is told of clips that were coded in a known way."""

import json
from fractions import Fraction

import av
import av.stream
import pytest

from video_assets.assets.measure.media_info import (
    MediaInfo,
    describe_media,
    find_contradiction,
    summarize,
)
from video_assets.assets.measure.probe import Probe
from video_assets.clip_worker import Measured, perform
from video_assets.media.mediainfo import Report, Track, read_mediainfo
from video_assets.media.packet_facts import PacketFacts, read_packet_facts
from video_assets.media.probe import probe_media
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.assets.test_color import task
from video_assets_tests.clips import Clip, make_clip


def told(path) -> MediaInfo:
    probe = Probe.model_validate(dict(probe_media(path)))
    return describe_media(read_mediainfo(path), read_packet_facts(path), probe)


def test_the_coding_is_told(tmp_path):
    options = {"x264-params": "ref=3:cabac=1", "preset": "medium"}
    path = make_clip(tmp_path / "a.mp4", Clip(frames=48, gop=12, b_frames=2, options=options))
    info = told(path)
    codec = info.codec
    assert (codec.name, codec.profile, codec.level) == ("h264", "High", "1.0")
    assert (codec.cabac, codec.gop_size, codec.ref_frames) == (True, 12, 4)
    assert (codec.scan_type, codec.field_order) == ("Progressive", None)
    assert (codec.bit_depth, codec.chroma_subsampling) == (8, "4:2:0")
    with av.open(str(path)) as container:
        size_bytes = sum(packet.size for packet in container.demux(video=0))
    assert codec.bitrate_kbps == pytest.approx(size_bytes * 8 / 2 / 1000, abs=1)
    assert (info.container, info.aspect_ratio, info.frame_rate_mode) == ("mp4", "16:9", "CFR")
    assert (info.encoder or "").startswith("x264")
    assert "cabac=1" in (info.encoder_settings or "")
    assert info.duration_s == pytest.approx(2)


def test_a_simple_entropy_coder_is_told(tmp_path):
    assert told(make_clip(tmp_path / "a.mp4", Clip(frames=4))).codec.cabac is False


def test_other_codecs_have_no_cabac(tmp_path):
    clip = Clip(frames=4, codec="mpeg4")
    assert told(make_clip(tmp_path / "a.mp4", clip)).codec.cabac is None


@pytest.mark.parametrize(("order", "name"), [("tff", "TFF"), ("bff", "BFF")])
def test_fields_are_told_in_their_order(tmp_path, order, name):
    clip = Clip(frames=8, height=64, options={"x264-params": f"{order}=1"})
    codec = told(make_clip(tmp_path / "a.mp4", clip)).codec
    assert (codec.scan_type, codec.field_order) == ("Interlaced", name)


def test_an_uneven_rate_is_told(tmp_path):
    times = [Fraction(n, 24) + (Fraction(1, 100) if n % 3 else 0) for n in range(24)]
    clip = Clip(frames=24, times_s=times)
    assert told(make_clip(tmp_path / "a.mp4", clip)).frame_rate_mode == "VFR"


def test_every_track_is_told(tmp_path):
    path = make_clip(tmp_path / "a.mkv", Clip(frames=24, audio_tracks=2, subtitles=("one", "two")))
    marked = tmp_path / "b.mkv"
    mark(path, marked, languages=["", "eng", "deu", "fra", "jpn"], forced=4)
    info = told(marked)
    assert [track.language for track in info.audio_tracks] == ["eng", "deu"]
    assert [track.channel_layout for track in info.audio_tracks] == ["stereo", "stereo"]
    assert [track.bit_depth for track in info.audio_tracks] == [None, None]
    assert [track.language for track in info.subtitle_tracks] == ["fra", "jpn"]
    assert [track.is_forced for track in info.subtitle_tracks] == [False, True]
    assert [track.title for track in info.subtitle_tracks] == ["title 3", "title 4"]
    assert summarize(info, ArtifactFolder(tmp_path))["languages"] == "eng, deu, fra, jpn"


def mark(path, goal, *, languages: list[str], forced: int) -> None:
    """Copy a clip and say of its streams what language they are in and which one is forced."""
    with av.open(str(path)) as source, av.open(str(goal), "w") as container:
        copies = {}
        for stream in source.streams:
            copy = container.add_stream_from_template(stream)
            copy.metadata["title"] = f"title {stream.index}"
            if languages[stream.index]:
                copy.metadata["language"] = languages[stream.index]
            if stream.index == forced:
                copy.disposition = av.stream.Disposition.forced
            copies[stream.index] = copy
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                container.mux(packet)


def test_exact_samples_have_a_depth(tmp_path):
    (track,) = told(make_clip(tmp_path / "a.mov", Clip(frames=24, audio_tracks=1))).audio_tracks
    assert (track.codec, track.bit_depth, track.bit_rate_mode) == ("pcm_s16le", 16, "CBR")
    assert (track.sample_rate, track.channel_layout) == (48_000, "stereo")


@pytest.fixture(scope="module")
def probe(tmp_path_factory) -> Probe:
    path = make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", Clip(frames=12, audio_tracks=1))
    return Probe.model_validate(dict(probe_media(path)))


NO_PACKETS = PacketFacts(None, None, frozenset())
GARBAGE = ("9" * 300, "-1", "0", "nan", "e999", "\ud800", "\x00", " / / ", "250", "%s" * 99)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_unknown(probe, garbage: str):
    names = (
        *("format_profile", "bit_rate", "bit_rate_mode", "format_settings_cabac", "language"),
        *("format_settings_reference_frames", "scan_type", "scan_order", "streamorder"),
        *("commercial_name", "bit_depth", "compression_mode", "writing_library"),
    )
    track = Track(dict.fromkeys(names, garbage))
    info = describe_media(Report(track, (track,), (track,), (track,)), NO_PACKETS, probe)
    json.dumps(info.model_dump(mode="json"), allow_nan=False).encode()
    codec = info.codec
    assert (codec.bitrate_kbps, codec.bitrate_mode, codec.cabac) == (None, None, None)
    assert (codec.ref_frames, codec.gop_size) == (None, None)


@pytest.mark.parametrize(
    ("said", "packets", "known"),
    [
        pytest.param({"bit_rate": "5000", "bit_rate_mode": "CBR"}, None, True, id="declared"),
        pytest.param({"bit_rate": "5000", "fromstats_bitrate": "5000"}, None, True, id="counted"),
        pytest.param({"bit_rate": "5000", "bit_rate_mode": "VBR"}, None, False, id="estimated"),
        pytest.param({}, 5000, True, id="packets"),
        pytest.param({}, 2**40, False, id="more than the file"),
    ],
)
def test_a_guessed_bit_rate_is_none(probe, said, packets, known):
    report = Report(Track(), (Track(said),), (), ())
    facts = PacketFacts(packets, None, frozenset())
    assert (describe_media(report, facts, probe).codec.bitrate_kbps == 5) is known


def test_captions_in_the_picture_are_named(probe):
    text = (Track({"format": "EIA-608"}), Track({"format": "EIA-608"}), Track({"format": "ASS"}))
    report = Report(Track(), (Track(),), (), text)
    assert describe_media(report, NO_PACKETS, probe).closed_captions == ("EIA-608",)


def test_a_worker_gives_a_document_that_reads_back(tmp_path):
    path = make_clip(tmp_path / "a.mov", Clip(frames=12, audio_tracks=1))
    answer = perform(task("media_info", path, tmp_path), Progress())
    assert isinstance(answer, Measured)
    info = MediaInfo.model_validate(json.loads(json.dumps(answer.document)))
    assert answer.problems == {}
    assert "a.mov" not in json.dumps(answer.document)
    assert find_contradiction(info) is None
    assert None not in summarize(info, ArtifactFolder(tmp_path)).values()
