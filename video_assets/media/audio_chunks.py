"""Stretches of speech, gathered into chunks that a speech model takes at once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from video_assets.media.audio_speech import Range

LONGEST_S = 28.0  # Whisper hears 30 s
LONGEST_PAUSE_S = 8.0  # in a longer one models make things up, and services charge for it
_RATE = 16_000
_SEARCHED_S = 6.0
_STEP_S = 0.1


def gather(
    ranges: Sequence[Range],
    sound: NDArray[np.float32],
    start_s: float,
    longest_s: float = LONGEST_S,
) -> list[Range]:
    """Join neighbouring stretches as long as they fit; cut a longer one where it is quietest.

    start_s    when the sound begins on the clock of the stretches
    longest_s  of a chunk
    """
    chunks: list[Range] = []
    for begin, end in (part for each in ranges for part in _cut(each, sound, start_s, longest_s)):
        is_near = bool(chunks) and begin - chunks[-1][1] <= LONGEST_PAUSE_S
        if is_near and end - chunks[-1][0] <= longest_s:
            chunks[-1] = (chunks[-1][0], end)
        else:
            chunks.append((begin, end))
    return chunks


def samples_of(chunk: Range, sound: NDArray[np.float32], start_s: float) -> NDArray[np.float32]:
    """Give the samples of a chunk."""
    begin, end = (max(0, round((moment - start_s) * _RATE)) for moment in chunk)
    return sound[begin:end]


def _cut(
    stretch: Range, sound: NDArray[np.float32], start_s: float, longest_s: float
) -> Iterator[Range]:
    begin, end = stretch
    while end - begin > longest_s:
        cut = _quietest((begin + longest_s - _SEARCHED_S, begin + longest_s), sound, start_s)
        yield begin, cut
        begin = cut
    yield begin, end


def _quietest(within: Range, sound: NDArray[np.float32], start_s: float) -> float:
    step = round(_STEP_S * _RATE)
    samples = samples_of(within, sound, start_s)
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    if not len(whole):
        return within[1]
    place = int(np.argmin(np.square(whole).mean(axis=1)))
    return within[0] + (place + 0.5) * _STEP_S
