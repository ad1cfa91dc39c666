"""Coding, colour and tracks of real files, against ffprobe, the decoder and the files' makers.

Run with `-s` to see the counts.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from video_assets.assets.measure.color import describe_color
from video_assets.assets.measure.media_info import describe_media
from video_assets.assets.measure.probe import Probe
from video_assets.media.frames import choose_video, packets
from video_assets.media.mediainfo import read_mediainfo
from video_assets.media.packet_facts import read_packet_facts
from video_assets.media.probe import probe_media
from video_assets.media.source import open_media
from video_assets_tests.test_manifest import MEDIA, PLAYABLE, missing
from video_assets_tests.truth.comparing import Fact, look_up

Row = Mapping[str, str]

# Dynamic metadata of ST 2094-40 is on every frame of the phone's clip, so it is HDR10+.
HDR = {
    "iphone12mini_dolbyvision84_rot.mov": "Dolby Vision",
    "pixel_hdr10_container_says_sdr.mp4": "HDR10+",
    "hdr10_static_av1.mp4": "HDR10",
    "hdr10_av1_portrait.mp4": "HDR10",
    "hdr10plus_256x144.mkv": "HDR10+",
    "dovi_profile5_1080p60.mp4": "Dolby Vision",
}
# As ffprobe prints the record; it prints no level of its own for clips that it decodes.
DOLBY_VISION = {
    "iphone12mini_dolbyvision84_rot.mov": (8, 4),
    "dovi_profile5_1080p60.mp4": (5, 0),
}
SIDE_DATA = ("CONTENT_LIGHT_LEVEL", "MASTERING_DISPLAY_METADATA", "DYNAMIC_HDR_PLUS")
FIELD_ORDERS = {"tt": "TFF", "bb": "BFF"}
EXPLAINED = {
    ("pixel_hdr10_container_says_sdr.mp4", "color.hdr.max_luminance_nits"): (
        "stored in whole cd/m2, which the decoder takes for ten-thousandths"
    ),
}


def expected(row: Row, found: Mapping[str, Any]) -> Iterator[Fact]:
    """Put what the manifest says of one file beside what was found of it."""

    def fact(path: str, theirs: Any, within: float = 0.0) -> Fact:
        asset, _, field = path.partition(".")
        return Fact(row["file"], asset, field, theirs, look_up(found[asset], field), within)

    depth = 10 if "10" in row["pix_fmt"] else 8
    for asset in ("media_info.codec", "color"):
        yield fact(f"{asset}.bit_depth", depth)
    yield fact("media_info.codec.pixel_format", row["pix_fmt"])
    yield fact("media_info.codec.name", row["vcodec"])
    if row["field_order"]:
        order = FIELD_ORDERS.get(row["field_order"])
        yield fact("media_info.codec.scan_type", "Interlaced" if order else "Progressive")
        yield fact("media_info.codec.field_order", order)
    form = HDR.get(row["file"])
    yield fact("color.hdr.is_hdr", form is not None)
    yield fact("color.hdr.hdr_format", form)
    yield fact("color.transfer_characteristics", row["color_transfer"] or None)
    yield fact("color.color_primaries", row["color_primaries"] or None)
    if row["file"] in DOLBY_VISION:
        profile, compatibility = DOLBY_VISION[row["file"]]
        yield fact("color.hdr.dolby_vision.profile", profile)
        yield fact("color.hdr.dolby_vision.compatibility_id", compatibility)
    yield from track_facts(row, found["media_info"])


def track_facts(row: Row, info: Mapping[str, Any]) -> Iterator[Fact]:
    """Compare sound and subtitle tracks with ffprobe's."""
    sounds = [part.strip().split("/") for part in row["audio"].split(";") if part.strip()]
    yield Fact(row["file"], "media_info", "audio", len(sounds), len(info["audio_tracks"]))
    for (codec, channels, rate), ours in zip(sounds, info["audio_tracks"], strict=True):
        if codec == "None":
            continue
        name = f"audio {ours['track_id']}"
        yield Fact(row["file"], "media_info", f"{name} codec", codec, ours["codec"])
        yield Fact(row["file"], "media_info", f"{name} ch", channels, f"{ours['channels']}ch")
        yield Fact(row["file"], "media_info", f"{name} rate", int(rate), ours["sample_rate"])
    texts = [part.strip().split("/") for part in row["subtitles"].split(";") if part.strip()]
    yield Fact(row["file"], "media_info", "subtitles", len(texts), len(info["subtitle_tracks"]))
    for (codec, language), ours in zip(texts, info["subtitle_tracks"], strict=True):
        name = f"subtitle {ours['track_id']}"
        yield Fact(row["file"], "media_info", f"{name} codec", codec, ours["codec"])
        yield Fact(row["file"], "media_info", f"{name} language", language, ours["language"] or "")


def decoded(row: Row, found: Mapping[str, Any]) -> Iterator[Fact]:
    """Put what decoder and packets show beside what was found."""
    with open_media(MEDIA / row["file"]) as container:
        stream = choose_video(container)
        assert stream is not None
        listed = [packet for packet in packets(container, stream) if packet.size]
        spans = [(p.pts, p.pts + (p.duration or 0)) for p in listed if p.pts is not None]
        ticks = max(end for _, end in spans) - min(start for start, _ in spans)
        kilobits = sum(packet.size for packet in listed) * 8 / 1000
        theirs = kilobits / float(ticks * (stream.time_base or 0))
        ours = found["media_info"]["codec"]["bitrate_kbps"]
        yield Fact(row["file"], "media_info", "bitrate_kbps", theirs, ours, 1 + 0.01 * theirs)
    yield from light(row, found["color"]["hdr"])


def light(row: Row, hdr: Mapping[str, Any]) -> Iterator[Fact]:
    """Compare light levels with those that the decoder puts on the first frame."""
    found: dict[str, bytes] = {}
    with open_media(MEDIA / row["file"]) as container:
        stream = choose_video(container)
        frame = next(container.decode(stream), None) if stream and hdr["is_hdr"] else None
        for name in SIDE_DATA:
            side_data: Any = frame.side_data.get(name) if frame else None
            if side_data is not None:
                found[name] = bytes(side_data)
    levels: tuple = (None, None)
    if data := found.get("CONTENT_LIGHT_LEVEL"):
        levels = tuple(level or None for level in struct.unpack("<2I", data))
    name = row["file"]
    yield Fact(name, "color", "hdr.max_cll", levels[0], hdr["max_cll"])
    yield Fact(name, "color", "hdr.max_fall", levels[1], hdr["max_fall"])
    if data := found.get("MASTERING_DISPLAY_METADATA"):
        numbers = struct.unpack("<22i", data)
        low, high = numbers[16] / numbers[17], numbers[18] / numbers[19]
        yield Fact(name, "color", "hdr.min_luminance_nits", low, hdr["min_luminance_nits"], 6e-5)
        yield Fact(name, "color", "hdr.max_luminance_nits", high, hdr["max_luminance_nits"], 1e-3)
    has_dynamic = "DYNAMIC_HDR_PLUS" in found
    yield Fact(name, "color", "HDR10+", has_dynamic, hdr["hdr_format"] == "HDR10+")


def read(row: Row) -> dict[str, Any]:
    """Make the two documents of one file."""
    path = MEDIA / row["file"]
    probe = Probe.model_validate(dict(probe_media(path)))
    report = read_mediainfo(path)
    return {
        "media_info": describe_media(report, read_packet_facts(path), probe).model_dump(),
        "color": describe_color(report, probe).model_dump(),
    }


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    found = [(row, read(row)) for row in PLAYABLE]
    return [fact for row, each in found for fact in (*expected(row, each), *decoded(row, each))]


@missing
def test_what_is_told_of_coding_and_colour_is_true(facts):
    for asset in ("media_info", "color"):
        print(f"\n{asset}", dict(Counter(f.verdict for f in facts if f.asset == asset)), end="")
    unlike = [fact for fact in facts if fact.verdict != "right"]
    print("\n", *(f"\n{fact}" for fact in unlike))
    assert [
        str(fact) for fact in unlike if (fact.file, f"{fact.asset}.{fact.field}") not in EXPLAINED
    ] == []
