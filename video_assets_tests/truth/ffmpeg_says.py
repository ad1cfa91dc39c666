"""What FFmpeg's own filters measure in a file: the other side of the comparison."""

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import av.filter
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

Ranges = list[tuple[float, float]]


def loudness(path: Path) -> float | None:
    """Measure the integrated loudness of the first sound track in LUFS; None without sound."""
    said = None
    for frame in _filtered(path, "audio", "ebur128", "metadata=1"):
        said = frame.metadata.get("lavfi.r128.I", said)
    return float(said) if said else None


def silences(path: Path) -> Ranges:
    """Find where the first sound track stays below -60 dB for two seconds."""
    frames = _filtered(path, "audio", "silencedetect", "noise=-60dB:d=2")
    return list(_ranges(frames, "lavfi.silence_start", "lavfi.silence_end"))


def blacks(path: Path) -> Ranges:
    """Find where the picture stays black."""
    frames = _filtered(path, "video", "blackdetect", "d=0.5")
    return [
        r for r in _ranges(frames, "lavfi.black_start", "lavfi.black_end") if r[1] - r[0] >= 0.5
    ]


def freezes(path: Path) -> Ranges:
    """Find where the picture stands still for two seconds."""
    frames = _filtered(path, "video", "freezedetect", "d=2")
    return list(_ranges(frames, "lavfi.freezedetect.freeze_start", "lavfi.freezedetect.freeze_end"))


def field_order(path: Path) -> str | None:
    """Name what idet finds in most frames: tff, bff or progressive."""
    last: dict[str, str] = {}
    for frame in _filtered(path, "video", "idet", ""):
        last = dict(frame.metadata) or last
    counts = {n: float(last.get(f"lavfi.idet.multiple.{n}", 0)) for n in ("tff", "bff")}
    counts["progressive"] = float(last.get("lavfi.idet.multiple.progressive", 0))
    return max(counts, key=lambda name: counts[name]) if any(counts.values()) else None


def _ranges(frames: Iterator[VideoFrame | AudioFrame], start: str, end: str) -> Iterator[tuple]:
    """Read a detector's marks; what does not end lasts to the last frame."""
    begun, last = None, 0.0
    for frame in frames:
        last = float(frame.time or 0)
        said = frame.metadata
        if end in said and begun is not None:
            yield (begun, float(said[end]))
            begun = None
        if start in said:
            begun = float(said[start])
    if begun is not None:
        yield (begun, last)


def _filtered(
    path: Path, kind: str, name: str, arguments: str
) -> Iterator[VideoFrame | AudioFrame]:
    with av.open(path, metadata_errors="replace") as container:
        stream = container.streams.best(kind)
        if stream is None:
            return
        graph: av.filter.Graph | None = None
        for frame in _decoded(container, stream):
            if graph is None:
                graph = _graph(stream, kind, name, arguments)
            graph.push(frame)
            yield from _pulled(graph)
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph)


def _decoded(container, stream) -> Iterator[VideoFrame | AudioFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue  # a damaged packet; so does ffmpeg go on


def _graph(stream, kind: str, name: str, arguments: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    if kind == "video":
        nodes = [graph.add_buffer(template=stream), graph.add(name, arguments)]
        nodes.append(graph.add("buffersink"))
    else:
        nodes = [graph.add_abuffer(template=stream), graph.add(name, arguments)]
        nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[VideoFrame | AudioFrame]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
