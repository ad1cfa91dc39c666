"""Real clips made on the spot, each with a truth known by construction.

Unless told otherwise, every frame carries its own number as a 4x4 grid of black and white blocks,
so that a test can tell which frame it sees, at any size: `read_frame_number`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.stream
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Planes = tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint16]]

GRID = 4
TICKS = 90_000
PQ = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
SYLLABLE = 9_600  # samples at 48 kHz
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
"""Formants in Hz."""
LOCKED = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
    "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
}
"""Container options of a clip that nobody can see without this key."""
HLG = {"color_primaries": 9, "color_trc": 18, "colorspace": 9, "color_range": 1}


def numbered(number: int, width: int, height: int) -> Picture:
    """Draw a frame number into the whole picture, most significant block first."""
    bits = np.array([(number >> bit) & 1 for bit in reversed(range(GRID * GRID))], np.uint8)
    rows = np.arange(height) * GRID // height
    columns = np.arange(width) * GRID // width
    grid = bits.reshape(GRID, GRID)[np.ix_(rows, columns)] * 200 + 28
    return np.repeat(grid[..., None], 3, axis=2).astype(np.uint8)


def read_frame_number(picture: Picture) -> int:
    """Read the number that `numbered` drew, from an image of any size."""
    height, width = picture.shape[:2]
    number = 0
    for row in range(GRID):
        for column in range(GRID):
            y, x = (2 * row + 1) * height // (2 * GRID), (2 * column + 1) * width // (2 * GRID)
            number = number * 2 + int(picture[y, x].mean() > 128)
    return number


def flat(red: int, green: int, blue: int) -> Callable[[int, int, int], Picture]:
    """Make a picture of one colour."""
    return lambda _number, width, height: np.full((height, width, 3), (red, green, blue), np.uint8)


def quadrants(_number: int, width: int, height: int) -> Picture:
    """Draw red, green over blue, white: tells every turn and mirroring apart."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (220, 20, 20)
    picture[: height // 2, width // 2 :] = (20, 200, 20)
    picture[height // 2 :, : width // 2] = (20, 20, 220)
    picture[height // 2 :, width // 2 :] = (235, 235, 235)
    return picture


def tone(samples: int) -> NDArray[np.int16]:
    """Sound 440 Hz, which nobody takes for speech."""
    return (np.sin(np.arange(samples) * 2 * np.pi * 440 / 48_000) * 8000).astype(np.int16)


def voice(samples: int) -> NDArray[np.int16]:
    """Speak vowels, which a detector takes for speech: harmonics of 120 Hz through formants."""
    time_s = np.arange(samples) / 48_000
    phase = np.cumsum(2 * np.pi * (120 + 20 * np.sin(2 * np.pi * 2.5 * time_s)) / 48_000)
    source = np.sum([np.sin(number * phase) / number for number in range(1, 40)], axis=0)
    spoken = np.zeros(samples)
    for place, begin in enumerate(range(0, samples, SYLLABLE)):
        part = np.fft.rfft(source[begin : begin + SYLLABLE])
        pitch = np.linspace(0, 24_000, len(part))
        formants = VOWELS[place % len(VOWELS)]
        part *= sum(1 / (1 + ((pitch - formant) / 60) ** 2) for formant in formants)
        length = min(SYLLABLE, samples - begin)
        spoken[begin : begin + length] = np.fft.irfft(part, length) * np.hanning(length) ** 0.3
    return (spoken / np.abs(spoken).max() * 16_000).astype(np.int16)


@dataclass(frozen=True)
class Clip:
    """What to make. The container follows the file's suffix."""

    width: int = 64
    height: int = 36
    frames: int = 48
    rate: Fraction = Fraction(24)
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    gop: int = 12
    b_frames: int = 0
    picture: Callable[[int, int, int], Picture] = numbered
    planes: Planes | None = None
    """Y, U and V as they are stored, for every frame; `picture` is not used then."""
    times_s: Sequence[Fraction] | None = None
    start_s: Fraction = Fraction(0)
    rotation: int = 0
    """Degrees clockwise for display."""
    is_mirrored: bool = False
    """Left and right swapped for display, before the rotation."""
    sample_aspect: Fraction | None = None
    timecode: str | None = None
    audio_tracks: int = 0
    sound: Callable[[int], NDArray[np.int16]] = tone
    """So many samples at 48 kHz."""
    subtitles: Sequence[str] = ()
    cover_art: bool = False
    color: dict[str, int] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)


def make_clip(path: Path, clip: Clip | None = None) -> Path:
    """Write a clip and give its path."""
    clip = clip or Clip()
    with av.open(str(path), "w", options=dict(clip.container_options)) as container:
        video = _add_video(container, clip)
        audio = [_add_audio(container) for _ in range(clip.audio_tracks)]
        subtitles = _open_subtitles(path, clip.subtitles)
        copies = [container.add_stream_from_template(s.streams.subtitles[0]) for s in subtitles]
        cover = _add_cover(container, clip) if clip.cover_art else None
        for number in range(clip.frames):
            container.mux(video.encode(_frame(clip, number)))
        container.mux(video.encode(None))
        for stream in audio:
            _write_sound(container, stream, clip)
        for source, copy in zip(subtitles, copies, strict=True):
            for packet in source.demux():
                if packet.size:
                    packet.stream = copy
                    container.mux(packet)
            source.close()
        if cover is not None:
            container.mux(cover.encode(_rgb(quadrants(0, 64, 64), "yuvj420p")))
            container.mux(cover.encode(None))
    return path


def make_sound(path: Path, *, cover_art: bool = False) -> Path:
    """Write a file with sound and no video, perhaps with a picture of its cover."""
    with av.open(str(path), "w") as container:
        stream = _add_audio(container)
        cover = _add_cover(container, Clip()) if cover_art else None
        _write_sound(container, stream, Clip())
        if cover is not None:
            container.mux(cover.encode(_rgb(quadrants(0, 64, 64), "yuvj420p")))
            container.mux(cover.encode(None))
    return path


def _add_video(container: OutputContainer, clip: Clip) -> VideoStream:
    tuning = {"crf": "12", "preset": "ultrafast", "x265-params": "log-level=none"}
    known = {"libx264": ("crf", "preset"), "libx265": ("crf", "preset", "x265-params")}
    options = {name: tuning[name] for name in known.get(clip.codec, ())} | clip.options
    if clip.codec == "libx264":
        options |= {"sc_threshold": "0", "bf": str(clip.b_frames)}
    stream = container.add_stream(clip.codec, rate=clip.rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, clip.pixel_format
    context = stream.codec_context
    context.gop_size = clip.gop
    context.time_base = 1 / _ticks(clip)
    if clip.sample_aspect:
        context.sample_aspect_ratio = clip.sample_aspect
    for name, value in clip.color.items():
        setattr(context, name, value)
    if clip.rotation or clip.is_mirrored:
        stream.set_display_rotation(-clip.rotation, hflip=clip.is_mirrored)
    if clip.timecode:
        stream.metadata["timecode"] = clip.timecode
    return stream


def _frame(clip: Clip, number: int) -> av.VideoFrame:
    if clip.planes is not None:
        frame = _from_planes(clip.planes, clip.pixel_format)
    else:
        picture = clip.picture(number, clip.width, clip.height)
        frame = _rgb(picture, clip.pixel_format, matrix=clip.color.get("colorspace", 6))
    for name, value in clip.color.items():
        setattr(frame, name, value)
    time_s = clip.times_s[number] if clip.times_s is not None else number / clip.rate
    frame.pts = round((clip.start_s + time_s) * _ticks(clip))
    frame.time_base = 1 / _ticks(clip)
    return frame


def _ticks(clip: Clip) -> Fraction:
    # Old codecs and AVI count frames instead of time.
    return clip.rate if clip.codec in ("mpeg2video", "mjpeg", "mpeg4") else Fraction(TICKS)


def _rgb(picture: Picture, pixel_format: str, *, matrix: int = 6) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(format=pixel_format, dst_colorspace=matrix)


def _from_planes(planes: Planes, pixel_format: str) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, values in zip(frame.planes, planes, strict=True):
        is_wide = plane.line_size >= 2 * values.shape[1] and pixel_format.endswith("le")
        item = np.dtype("<u2") if is_wide else np.dtype("u1")
        lines = np.zeros((values.shape[0], plane.line_size // item.itemsize), item)
        lines[:, : values.shape[1]] = values
        plane.update(lines.tobytes())
    return frame


def _add_audio(container: OutputContainer):
    is_pcm = container.format.name in ("mov", "avi", "wav", "mxf")
    return container.add_stream("pcm_s16le" if is_pcm else "aac", rate=48_000, layout="stereo")


def _write_sound(container: OutputContainer, stream, clip: Clip) -> None:
    wave = clip.sound(int(clip.frames / clip.rate * 48_000))
    for start in range(0, len(wave), 1024):
        part = np.repeat(wave[start : start + 1024], 2)[None]
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _open_subtitles(path: Path, texts: Sequence[str]):
    inputs = []
    for number, text in enumerate(texts):
        file = path.with_name(f"{path.stem}.{number}.srt")
        file.write_text(f"1\n00:00:00,100 --> 00:00:01,000\n{text}\n")
        inputs.append(av.open(str(file)))
    return inputs


def _add_cover(container: OutputContainer, clip: Clip) -> VideoStream:
    stream = container.add_stream("mjpeg", rate=clip.rate)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
    stream.disposition = av.stream.Disposition.attached_pic
    return stream
