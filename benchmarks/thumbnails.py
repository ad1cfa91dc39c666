"""Race five stills of a 1080p clip with long groups against one cv2 open and seek per still.

    python benchmarks/thumbnails.py [--seconds 60]

Compares CPU time, in one process and one run, on a clip that is made here.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from video_assets.media.probe import probe_media
from video_assets.media.thumbnails import Method, encode_jpeg, positions, take_thumbnails

COUNT, WIDTH, QUALITY = 5, 1920, 90
RATE, GROUP = 30, 250
ROUNDS = 3
WANTED = 5.0


def make_clip(path: Path, seconds: int) -> None:
    """Write moving texture and noise, 1080p, a keyframe every 250 frames."""
    dice = np.random.default_rng(7)
    coarse = dice.integers(0, 255, (80, 200, 3), np.uint8)
    texture = cv2.resize(coarse, (3200, 1280), interpolation=cv2.INTER_CUBIC)
    grain = dice.integers(-6, 7, (8, 1080, 1920, 1), np.int16)
    options = {"preset": "veryfast", "crf": "23", "sc_threshold": "0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        if not isinstance(stream, VideoStream):
            raise TypeError("libx264 makes video")
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        stream.codec_context.gop_size = GROUP
        for number in range(seconds * RATE):
            left, top = number * 2 % 1280, number % 200
            view = texture[top : top + 1080, left : left + 1920]
            picture = np.clip(view + grain[number % 8], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def naive(path: Path, duration_s: float) -> None:
    """Open the file and seek once per still, as the original did."""
    for moment in positions(duration_s, COUNT):
        capture = cv2.VideoCapture(str(path))
        capture.set(cv2.CAP_PROP_POS_MSEC, moment * 1000)
        found, picture = capture.read()
        capture.release()
        if not found:
            raise ValueError(f"cv2 found no frame at {moment} s")
        encode_jpeg(np.asarray(picture, np.uint8), QUALITY)


def cpu_s(work: Callable[[], object]) -> float:
    """Give the best of a few rounds in CPU seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print each way's CPU time and its ratio to the naive one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        make_clip(path, seconds)
        facts = probe_media(path)

        def take(method: Method) -> None:
            for still in take_thumbnails(path, facts, count=COUNT, width=WIDTH, method=method):
                encode_jpeg(still.image, QUALITY)

        base = cpu_s(lambda: naive(path, facts.duration_s or 0))
        ours = {"keyframe": cpu_s(lambda: take("keyframe")), "exact": cpu_s(lambda: take("exact"))}
        with_probe = cpu_s(lambda: (probe_media(path), take("keyframe")))
    print(f"{'cv2, open and seek per still':30} {base * 1000:8.0f} ms")
    for method, spent in ours.items():
        print(f"{method:30} {spent * 1000:8.0f} ms  x{base / spent:6.2f}")
    print(f"{'probe and keyframe':30} {with_probe * 1000:8.0f} ms  x{base / with_probe:6.2f}")
    print(f"keyframe against cv2: x{base / ours['keyframe']:.2f}, wanted x{WANTED}")


if __name__ == "__main__":
    main()
