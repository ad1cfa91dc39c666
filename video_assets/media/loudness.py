"""Loudness of a clip's sound after EBU R 128 and ITU-R BS.1770-4, and where it is silent."""

from collections.abc import Iterator
from typing import Any

import av
import av.error
import av.filter
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

RATE = 48_000
"""Hz; the weighting filters are given for it."""

SILENCE = 10 ** (-60 / 20)
SHORTEST_SILENCE_S = 2.0

_STEP = RATE // 10  # 100 ms: momentary and short-term windows move by it
_MOMENTARY, _SHORT_TERM = 4, 30
_FINE = RATE // 100
_MOST_PLANES = 8
_ABSOLUTE_GATE_LUFS = -70.0
_OFFSET_DB = -0.691
_USUAL_LAYOUTS = {1: "mono", 2: "stereo", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
_SURROUND = {"BL", "BR", "SL", "SR", "BC", "FLC", "FRC"}
# BS.1770-4, tables 1 and 2.
_SHELF = "b0=1.53512485958697:b1=-2.69169619810638:b2=1.19839281085285"
_SHELF += ":a0=1:a1=-1.69065929318241:a2=0.73248077421585"
_LOW_CUT = "b0=1:b1=-2:b2=1:a0=1:a1=-1.99004745483398:a2=0.99007225036621"


class Sound(BaseModel):
    """How loud a clip is, and where it is silent. Times are from the clip's start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    integrated_lufs: float | None = Field(description="EBU R 128; None below its absolute gate")
    range_lu: float | None = Field(description="loudness range, EBU Tech 3342")
    true_peak_dbtp: float | None = Field(description="of the signal at four times the rate")
    max_momentary_lufs: float | None = Field(description="loudest 400 ms")
    max_short_term_lufs: float | None = Field(description="loudest 3 s")
    silent_ranges: tuple[tuple[float, float], ...] = Field(
        description="start and end in s: at least 2 s where every sample is below -60 dBFS"
    )
    duration_s: float = Field(description="of the decoded sound")
    start_s: float = Field(description="when the sound begins")
    is_silent: bool = Field(description="not one sample is above -60 dBFS")
    channels: int


class SoundMeter:
    """Takes the decoded sound of one clip frame by frame."""

    def __init__(self, layout: av.AudioLayout, start_s: float) -> None:
        self._weights = np.array([_weight(channel.name) for channel in layout.channels])
        form = sample_format(layout)
        self._start_s = start_s
        self._weighted = _graph(layout.name, form, ("biquad", _SHELF), ("biquad", _LOW_CUT))
        self._fine_rate = _graph(layout.name, form, ("aresample", str(4 * RATE)))
        self._powers = _Blocks(_STEP, np.mean)
        self._peaks = _Blocks(_FINE, np.max)
        self._true_peak = 0.0
        self._samples = 0

    def add(self, frame: AudioFrame) -> None:
        """Measure the next frame: floats at `RATE`, in the layout's `sample_format`."""
        self._samples += frame.samples
        self._peaks.add(np.abs(_samples(frame)).max(axis=0))
        for weighted in _through(self._weighted, frame):
            self._powers.add(self._weights @ np.square(_samples(weighted), dtype=np.float64))
        for fine in _through(self._fine_rate, frame):
            self._true_peak = max(self._true_peak, float(np.abs(_samples(fine)).max()))

    def finish(self) -> Sound | None:
        """Give all measures; None when there was no sample."""
        if not self._samples:
            return None
        for fine in _through(self._fine_rate, None):
            self._true_peak = max(self._true_peak, float(np.abs(_samples(fine)).max()))
        powers = self._powers.reduced()
        momentary, short_term = _windows(powers, _MOMENTARY), _windows(powers, _SHORT_TERM)
        peaks = self._peaks.reduced(with_rest=True)
        return Sound(
            integrated_lufs=_rounded(integrated(momentary)),
            range_lu=_rounded(loudness_range(short_term)),
            true_peak_dbtp=_rounded(_decibel(self._true_peak, 20)),
            max_momentary_lufs=_rounded(_loudest(momentary)),
            max_short_term_lufs=_rounded(_loudest(short_term)),
            silent_ranges=tuple(
                (round(self._start_s + begin, 3), round(self._start_s + end, 3))
                for begin, end in _silences(peaks, self._samples / RATE)
            ),
            duration_s=round(self._samples / RATE, 3),
            start_s=round(self._start_s, 6),
            is_silent=bool(peaks.max() < SILENCE),
            channels=len(self._weights),
        )


def known_layout(layout: av.AudioLayout) -> av.AudioLayout:
    """Name the speakers of a track that only says how many there are, as players do."""
    usual = _USUAL_LAYOUTS.get(layout.nb_channels)
    return av.AudioLayout(usual) if usual and "channels" in layout.name else layout


def sample_format(layout: av.AudioLayout) -> str:
    """Name the floats to measure: of eight planes PyAV reads a ninth, and the process dies."""
    return "fltp" if layout.nb_channels < _MOST_PLANES else "flt"


def integrated(momentary: NDArray[Any]) -> float | None:
    """Gate 400 ms powers at -70 LUFS, then 10 LU below what is left, and average."""
    loud = momentary[_loudness(momentary) > _ABSOLUTE_GATE_LUFS]
    if not loud.size:
        return None
    gate = _loudness(loud.mean()) - 10
    return float(_loudness(loud[_loudness(loud) > gate].mean()))


def loudness_range(short_term: NDArray[Any]) -> float | None:
    """Give the spread from the 10th to the 95th percentile of gated 3 s powers in LU."""
    loud = short_term[_loudness(short_term) > _ABSOLUTE_GATE_LUFS]
    if not loud.size:
        return None
    levels = _loudness(loud)
    levels = levels[levels > _loudness(loud.mean()) - 20]
    low, high = np.percentile(levels, (10, 95))
    return float(high - low)


class _Blocks:
    """Reduces values of any chunking in blocks of one length, and keeps only what is reduced."""

    def __init__(self, length: int, function: Any) -> None:
        self._length, self._function = length, function
        self._rest = np.zeros(0)
        self._reduced: list[NDArray[Any]] = []

    def add(self, values: NDArray[Any]) -> None:
        values = np.concatenate((self._rest, values))
        whole = len(values) // self._length * self._length
        if whole:
            self._reduced.append(self._function(values[:whole].reshape(-1, self._length), axis=1))
        self._rest = values[whole:]

    def reduced(self, *, with_rest: bool = False) -> NDArray[Any]:
        rest = [self._function(self._rest[None], axis=1)] if with_rest and self._rest.size else []
        return np.concatenate((*self._reduced, *rest, np.zeros(0)))


def _weight(channel: str) -> float:
    if channel in ("LFE", "LFE2"):
        return 0.0
    return 1.41 if channel in _SURROUND else 1.0


def _samples(frame: AudioFrame) -> NDArray[Any]:
    """Give a frame's samples: (channels, n)."""
    samples = frame.to_ndarray()
    return samples.reshape(-1, frame.layout.nb_channels).T if frame.format.is_packed else samples


def _graph(layout: str, form: str, *filters: tuple[str, str]) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1  # more only wait for each other
    nodes = [graph.add_abuffer(sample_rate=RATE, format=form, layout=layout, time_base=None)]
    nodes += [graph.add(name, arguments) for name, arguments in filters]
    nodes.append(graph.add("aformat", f"sample_fmts={form}"))
    graph.link_nodes(*nodes, graph.add("abuffersink")).configure()
    return graph


def _through(graph: av.filter.Graph, frame: AudioFrame | None) -> Iterator[AudioFrame]:
    graph.push(frame)
    while True:
        try:
            made = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(made, AudioFrame):
            yield made


def _windows(powers: NDArray[Any], length: int) -> NDArray[Any]:
    """Average `length` blocks on end; fewer blocks than that give nothing."""
    sums = np.cumsum(np.concatenate(([0.0], powers)))
    return (sums[length:] - sums[:-length]) / length if len(powers) >= length else np.zeros(0)


def _loudness(power: Any) -> Any:
    return _OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-12))


def _loudest(powers: NDArray[Any]) -> float | None:
    level = float(_loudness(powers.max())) if powers.size else None
    return level if level is not None and level > _ABSOLUTE_GATE_LUFS else None


def _decibel(value: float, factor: int) -> float | None:
    return float(factor * np.log10(value)) if value > 0 else None


def _silences(peaks: NDArray[Any], duration_s: float) -> Iterator[tuple[float, float]]:
    quiet = np.concatenate(([False], peaks < SILENCE, [False]))
    edges = np.flatnonzero(quiet[1:] != quiet[:-1])
    for begin, end in edges.reshape(-1, 2):
        begin_s, end_s = begin * _FINE / RATE, min(end * _FINE / RATE, duration_s)
        if end_s - begin_s >= SHORTEST_SILENCE_S:
            yield begin_s, end_s


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
