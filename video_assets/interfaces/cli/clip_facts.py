"""What analyzers found in a clip, in a person's words: picture, camera, place, sound, exposure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from video_assets.interfaces.cli.wording import clean
from video_assets.storage.browse import Clip

RANGES_SHOWN = 4
DEGREE_DIGITS = 5  # about a metre

Facts = Mapping[str, Any]


def codec(clip: Clip) -> str | None:
    """Name the codec, and how it is used."""
    found = _metadata(clip, "media_info").get("codec") or {}
    profile, level = found.get("profile"), found.get("level")
    depth, rate = found.get("bit_depth"), found.get("bitrate_kbps")
    return _joined(
        clip.codec or found.get("name"),
        f"{profile}@{level}" if profile and level else profile,
        f"{depth} bit" if depth else None,
        found.get("chroma_subsampling"),
        f"{rate / 1000:.3g} Mb/s" if rate else None,
        found.get("bitrate_mode"),
        f"GOP {found['gop_size']}" if found.get("gop_size") else None,
        found.get("scan_type"),
    )


def color(clip: Clip) -> str | None:
    """Tell the four facts of the colour encoding; while nobody looked, what the header says."""
    found = _metadata(clip, "color")
    names = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "color_range")
    if not found:
        found = _metadata(clip, "video")
        names = ("color_primaries", "color_transfer", "color_matrix", "color_range")
    return _joined(*dict.fromkeys(found.get(name) for name in names))


def hdr(clip: Clip) -> str | None:
    """Tell the kind of high dynamic range and its light; `no` where there is none."""
    if clip.is_hdr is None:
        return None
    found = _metadata(clip, "color").get("hdr") or {}
    if not clip.is_hdr:
        return "no"
    vision = found.get("dolby_vision") or {}
    return _joined(
        clip.hdr_format or "yes",
        f"profile {vision['profile']}" if vision.get("profile") is not None else None,
        _light("MaxCLL", found.get("max_cll")),
        _light("MaxFALL", found.get("max_fall")),
        _light("mastered to", found.get("max_luminance_nits")),
    )


def camera(clip: Clip) -> str | None:
    """Name the camera; makers that repeat their name in the model's are named once."""
    make, model = clip.camera_make, clip.camera_model
    if make and model and model.lower().startswith(make.lower()):
        return model
    return " ".join(part for part in (make, model) if part) or None


def lens(clip: Clip) -> str | None:
    """Name the lens and how wide it sees; what a model judged is said to be its judgement."""
    found = (clip.camera_details or {}).get("focal_length") or {}
    equivalent, written = found.get("equivalent_35mm"), found.get("category")
    category = clip.focal_length_category
    return _joined(
        clip.lens_model,
        f"{clip.focal_length_mm:g} mm" if clip.focal_length_mm else None,
        f"as {equivalent:g} mm on full frame" if equivalent else None,
        category if written else f"{category} by its look" if category else None,
    )


def camera_settings(clip: Clip) -> str | None:
    """Tell how the camera was set."""
    found = (clip.camera_details or {}).get("settings") or {}
    iso, stop, shutter = (found.get(name) for name in ("iso", "f_stop", "shutter_speed"))
    exposure, balance = found.get("exposure_mode"), found.get("white_balance")
    return _joined(
        f"ISO {iso}" if iso is not None else None,
        f"{shutter} s".replace("s s", "s") if shutter else None,
        f"f/{stop:g}" if stop is not None else None,
        f"exposure {exposure}" if exposure else None,
        f"white balance {balance}" if balance else None,
        f"light {found['light_source']}" if found.get("light_source") else None,
    )


def captured(clip: Clip) -> str | None:
    """Tell when recording began: on the clock of the place, in UTC, or in a zone nobody named."""
    if clip.captured_at_local is not None:
        offset = clip.capture_utc_offset_minutes
        zone = "zone not known" if offset is None else f"UTC{_offset(offset)}"
        return f"{_clock(clip.captured_at_local)} ({zone})"
    if clip.captured_at is not None:
        at = clip.captured_at
        return f"{_clock(at - (at.utcoffset() or timedelta()))} UTC (local time not known)"
    return None


def place(clip: Clip) -> str | None:
    """Tell where the camera stood."""
    position = None
    if clip.gps_latitude is not None and clip.gps_longitude is not None:
        position = f"{_degrees(clip.gps_latitude, 'NS')} {_degrees(clip.gps_longitude, 'EW')}" + (
            f", {clip.gps_altitude:.1f} m" if clip.gps_altitude is not None else ""
        )
    found = (clip.camera_details or {}).get("location") or {}
    near = "near " if found.get("is_named_by_distance") else ""
    return _joined(f"{near}{clip.location_name}" if clip.location_name else None, position)


def sound(clip: Clip) -> str | None:
    """Tell how loud the clip is, and where it is silent."""
    if "sound" not in (clip.technical_metadata or {}):
        return None
    found = _metadata(clip, "sound")
    if not found:
        return "none to hear"
    if found.get("is_silent"):
        return "silent from start to end"
    loudness, spread, peak = clip.loudness_lufs, found.get("range_lu"), clip.true_peak_dbtp
    return _joined(
        "too quiet to measure" if loudness is None else f"{loudness:.1f} LUFS",
        f"range {spread:.1f} LU" if spread is not None else None,
        f"true peak {peak:.1f} dBTP" if peak is not None else None,
        _ranges("silent", found.get("silent_ranges") or ()),
    )


def exposure(clip: Clip) -> str | None:
    """Tell how the picture is exposed."""
    if clip.exposure_quality is None:
        return None
    found = _metadata(clip, "exposure")
    over, under = (found.get(f"{side}exposed_percentage") for side in ("over", "under"))
    return _joined(
        clip.exposure_quality,
        f"{clip.exposure_stops:+.1f} stops" if clip.exposure_stops is not None else None,
        f"{over:.1f} % too bright" if over is not None else None,
        f"{under:.1f} % too dark" if under is not None else None,
        _ranges("black", found.get("black_ranges") or ()),
        _ranges("frozen", found.get("frozen_ranges") or ()),
    )


def speech(clip: Clip, found: Facts | None) -> str | None:
    """Tell how much is said, and in which language; `found` is the transcript, if there is one."""
    if found is None:
        return None
    if clip.transcript_word_count:
        origin = str(found.get("source") or "").replace("_", " ")
        return _joined(
            f"{clip.transcript_word_count:,} words", clip.transcript_language, f"from {origin}"
        )
    return "somebody speaks, but no text was made" if found.get("has_speech") else "none"


def _metadata(clip: Clip, name: str) -> Facts:
    return (clip.technical_metadata or {}).get(name) or {}


def _light(name: str, nits: float | None) -> str | None:
    return None if nits is None else f"{name} {nits:g} cd/m²"


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def _degrees(value: float, signs: str) -> str:
    return f"{abs(value):.{DEGREE_DIGITS}f}° {signs[value < 0]}"


def _ranges(what: str, ranges: Iterable[Any]) -> str | None:
    """Write ranges of seconds, however they were given: as pairs or by name."""
    pairs = [
        (each["start_s"], each["end_s"]) if isinstance(each, Mapping) else each for each in ranges
    ]
    if not pairs:
        return None
    shown = ", ".join(f"{start:.1f}-{end:.1f}" for start, end in pairs[:RANGES_SHOWN])
    more = len(pairs) - RANGES_SHOWN
    return f"{what} at {shown} s" + (f" and {more} more" if more > 0 else "")


def _joined(*parts: object) -> str | None:
    return ", ".join(clean(part) for part in parts if part) or None
