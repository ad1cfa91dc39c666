"""Race every analyzer that needs no model against decoding the clip once, and the naive chain.

    python benchmarks/technical_ingest.py [--seconds 60] [--megabits 17] [--clip FILE]

Compares CPU time, in one process and one run, on a clip that is made here: 1080p, 30 frames a
second, grain, a cut every five seconds, stereo sound, a phone's bit rate. The default preset says
which analyzers there are; those that run models (lanes of AI and embeddings) are left out.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import psutil
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from scenedetect import ContentDetector, detect

from video_assets.clip_worker import Failed
from video_assets.media.thumbnails import encode_jpeg, positions
from video_assets.presets.model import load_preset
from video_assets_tests.truth.gathering import Answers, ask_all

WIDTH, HEIGHT, RATE, GROUP = 1920, 1080, 30, 60
SHOT_FRAMES = 5 * RATE
SOUND_RATE = 48_000
MODEL_LANES = ("ai_analysis", "embeddings")
HEARS_SPEECH = "audio_track"
PROXY_SIZE, PROXY_FPS = (854, 480), 5
COUNT, QUALITY = 5, 90
ROUNDS = 2
WANTED_OF_DECODE = 1.35
WANTED_OF_NAIVE = 1 / 3


def make_clip(
    path: Path,
    seconds: int,
    megabits: float,
    size: tuple[int, int] | None = None,
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
) -> None:
    """Write drifting texture under grain, in shots, with noise that swells and fades."""
    width, height = size or (WIDTH, HEIGHT)
    dice = np.random.default_rng(7)
    textures = [_texture(dice, width, height) for _ in range(3)]
    grain = dice.integers(-5, 6, (8, height, width), np.int16)
    rate = f"{megabits}M"
    options = {"preset": "veryfast", "b": rate, "maxrate": rate, "bufsize": rate}
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=RATE, options=options)
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        if not isinstance(video, VideoStream) or not isinstance(audio, AudioStream):
            raise TypeError(f"{codec} makes video and aac makes sound")
        video.width, video.height, video.pix_fmt = width, height, pixel_format
        video.codec_context.gop_size = GROUP
        for number in range(seconds * RATE):
            left, top = number * 2 % width, number % (height // 8) // 2 * 2
            texture = textures[number // SHOT_FRAMES % len(textures)]
            view = np.ascontiguousarray(texture[top : top + height, left : left + width])
            picture = cv2.cvtColor(view, cv2.COLOR_BGR2YUV_I420)
            luma = picture[:height] + grain[number % len(grain)]
            picture[:height] = np.clip(luma, 16, 235)
            picture = np.asarray(picture, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p").reformat(format=pixel_format)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for second in range(seconds):
            container.mux(audio.encode(_noise(dice, second)))
        container.mux(audio.encode(None))


def _texture(dice: np.random.Generator, width: int, height: int) -> Any:
    coarse = dice.integers(0, 255, (60, 120, 3), np.uint8)
    return cv2.resize(coarse, (2 * width, height * 9 // 8), interpolation=cv2.INTER_CUBIC)


def _noise(dice: np.random.Generator, second: int) -> av.AudioFrame:
    swell = 0.02 + 0.1 * np.abs(np.sin(np.arange(SOUND_RATE) * 7 / SOUND_RATE))
    samples = (dice.normal(0, 1, (2, SOUND_RATE)) * swell).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
    frame.sample_rate, frame.pts = SOUND_RATE, second * SOUND_RATE
    return frame


def decode_once(path: Path) -> float:
    """Decode picture and sound in one thread, which costs least; give the duration in seconds."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.thread_type = "SLICE"
        video.codec_context.thread_count = 1
        for packet in container.demux(video, *container.streams.audio[:1]):
            packet.decode()
        return (container.duration or 0) / 1e6


def naive_thumbnails(path: Path, duration_s: float) -> None:
    """Open the file and seek once per still."""
    for moment in positions(duration_s, COUNT):
        capture = cv2.VideoCapture(str(path))
        capture.set(cv2.CAP_PROP_POS_MSEC, moment * 1000)
        found, picture = capture.read()
        capture.release()
        if not found:
            raise ValueError(f"cv2 found no frame at {moment} s")
        encode_jpeg(np.asarray(picture, np.uint8), QUALITY)


def naive_scenes(path: Path) -> None:
    """Let PySceneDetect read the source."""
    detect(str(path), ContentDetector())


def naive_exposure(path: Path) -> None:
    """Histogram of every frame in grey, by cv2."""
    capture = cv2.VideoCapture(str(path))
    while True:
        found, picture = capture.read()
        if not found:
            break
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        cv2.calcHist([gray], [0], None, [256], [0, 256])
    capture.release()


def naive_proxy(path: Path, goal: Path) -> None:
    """What `ffmpeg -r 5 -s 854x480 -b:v 1000k` does, without its program: decode, scale, encode."""
    with av.open(str(path)) as source, av.open(str(goal), "w", format="mp4") as copy:
        video = source.streams.video[0]
        video.thread_type = "AUTO"
        picture = copy.add_stream("libx264", rate=PROXY_FPS)
        sound = copy.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        if not isinstance(picture, VideoStream) or not isinstance(sound, AudioStream):
            raise TypeError("libx264 makes video and aac makes sound")
        picture.width, picture.height = PROXY_SIZE
        picture.pix_fmt, picture.bit_rate = "yuv420p", 1_000_000
        shown = -1
        for frame in source.decode(video, *source.streams.audio[:1]):
            if isinstance(frame, av.AudioFrame):
                copy.mux(sound.encode(frame))
            elif (step := int((frame.time or 0) * PROXY_FPS)) > shown:
                small = frame.reformat(*PROXY_SIZE, "yuv420p", interpolation="BICUBIC")
                small.pts, small.time_base, shown = step, Fraction(1, PROXY_FPS), step
                copy.mux(picture.encode(small))
        copy.mux(picture.encode(None))
        copy.mux(sound.encode(None))


def cpu_now() -> float:
    """CPU seconds of this process, of its ended children, and of those that live on."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    alive = sum(times.user + times.system for times in living)
    return time.process_time() + ended.ru_utime + ended.ru_stime + alive


def cpu_s(work: Callable[[], object]) -> float:
    """Give the best of a few rounds in CPU seconds."""
    times = []
    for _ in range(ROUNDS):
        start = cpu_now()
        work()
        times.append(cpu_now() - start)
    return min(times)


def technical_settings() -> dict[str, Mapping[str, Any]]:
    """Give the settings of every enabled step of the default preset that runs no model."""
    steps = load_preset("default").enabled_steps()
    return {step.name: step.params for step in steps if step.queue not in MODEL_LANES}


def measure_each(path: Path, folder: Path) -> tuple[float, Answers]:
    """Run everything ourselves, and give its CPU seconds and what each analyzer answered."""
    answers: Answers = {}
    settings = technical_settings()
    ask_all(path, folder, settings)  # warm: a worker imports its modules once for many clips
    spent = cpu_s(lambda: answers.update(ask_all(path, folder, settings)))
    for name, answer in answers.items():
        if isinstance(answer, Failed):
            raise RuntimeError(f"{name}: {answer.error_class}: {answer.message}")
    return spent, answers


def main() -> None:
    """Print the CPU time of every part and the two ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--megabits", type=float, default=17)
    parser.add_argument("--clip", type=Path, help="measure this file and make none")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = given.clip or folder / "clip.mp4"
        if given.clip is None:
            make_clip(path, given.seconds, given.megabits)
        duration_s = decode_once(path)
        decode = cpu_s(lambda: decode_once(path))
        ours, answers = measure_each(path, folder / "artifacts")
        naive = {
            "cv2 thumbnails": cpu_s(lambda: naive_thumbnails(path, duration_s)),
            "PySceneDetect": cpu_s(lambda: naive_scenes(path)),
            "cv2 exposure": cpu_s(lambda: naive_exposure(path)),
            "ffmpeg proxy": cpu_s(lambda: naive_proxy(path, folder / "naive.mp4")),
        }
        megabits = path.stat().st_size * 8e-6 / duration_s
    print(f"{duration_s:.0f} s, {megabits:.1f} Mbit/s, {os.cpu_count()} cores, CPU seconds:")
    for name, answer in answers.items():
        if not isinstance(answer, Failed):
            print(f"  {name:24} {answer.cpu_seconds:7.2f}  x{answer.cpu_seconds / decode:5.2f}")
    for name, spent in naive.items():
        print(f"  naive: {name:17} {spent:7.2f}  x{spent / decode:5.2f}")
    whole = sum(naive.values())
    heard = answers.get(HEARS_SPEECH)
    speech = heard.cpu_seconds if heard is not None and not isinstance(heard, Failed) else 0.0
    ours -= speech
    print(f"{'decoding once':26} {decode:7.2f}")
    print(
        f"{'technical ingest':26} {ours:7.2f}  x{ours / decode:5.2f} of decoding, "
        f"wanted at most x{WANTED_OF_DECODE}"
    )
    print(f"{'  and with speech':26} {ours + speech:7.2f}  x{(ours + speech) / decode:5.2f}")
    print(
        f"{'naive chain':26} {whole:7.2f}  ours is {ours / whole:.2f} of it, "
        f"wanted at most {WANTED_OF_NAIVE:.2f}"
    )


if __name__ == "__main__":
    main()
