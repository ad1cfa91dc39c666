"""Files of 16 kHz mono sound: written as FLAC or WAV, and read back."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from video_assets.media.audio import RATE, Samples
from video_assets.media.errors import ToolMissingError

Format = Literal["flac", "wav"]
_CODECS = {"flac": "flac", "wav": "pcm_s16le"}


class SoundWriter:
    """Writes the blocks of one sound."""

    def __init__(self, container: OutputContainer, stream: AudioStream) -> None:
        self._container, self._stream = container, stream
        self._written = 0

    def add(self, samples: Samples) -> None:
        """Write the next samples."""
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = self._written
        self._written += len(samples)
        self._container.mux(self._stream.encode(frame))


@contextmanager
def write_sound(path: Path, format: Format) -> Iterator[SoundWriter]:
    """Open a file of sound for writing; it is whole when the block ends."""
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(_CODECS[format], rate=RATE, layout="mono")
        assert isinstance(stream, AudioStream)  # noqa: S101
        yield SoundWriter(container, stream)
        container.mux(stream.encode(None))


def load_sound(path: Path) -> NDArray[np.float32]:
    """Read a file that was written here, as floats from -1 to 1.

    Raises ToolMissingError if it went away or is damaged: it can be made again.
    """
    try:
        with av.open(str(path)) as container:
            parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    except (OSError, av.error.FFmpegError):
        raise ToolMissingError(
            "the sound that was taken out of the clip is gone or damaged; "
            "run audio_track again for it"
        ) from None
    joined = np.concatenate(parts) if parts else np.zeros(0, np.int16)
    return np.multiply(joined, np.float32(1 / 32768), dtype=np.float32)
