"""Cutting a stretch out of a small copy without encoding it again: it begins at a keyframe."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet

from video_assets.media.errors import UndecodableError
from video_assets.media.source import open_media

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Stretch:
    """A part of a file as a file of its own, whose times begin at 0.

    begin_s, end_s  where it lies in the whole
    """

    data: bytes
    begin_s: float
    end_s: float


def cut(path: Path, begin_s: float, end_s: float) -> Stretch:
    """Copy picture and sound of a file from the last keyframe before a moment up to another.

    It is made in memory, so that nothing is left of it when a worker is killed.

    Raises UndecodableError if no picture lies there, and what open_media does.
    """
    goal = io.BytesIO()
    with open_media(path) as source, av.open(goal, "w", format="mp4") as copy:
        copies = {
            stream.index: copy.add_stream_from_template(stream)
            for stream in (*source.streams.video[:1], *source.streams.audio[:1])
        }
        first_s = last_s = None
        for packet in _packets(source, begin_s, end_s):
            if first_s is None:
                first_s = _time_s(packet)
            if packet.stream.type == "video":
                last_s = max(last_s or 0.0, _time_s(packet) + _length_s(packet))
            _bring_forward(packet, first_s)
            packet.stream = copies[packet.stream.index]
            copy.mux(packet)
    if first_s is None or last_s is None:
        raise UndecodableError(f"no picture lies between {begin_s:.2f} and {end_s:.2f} s")
    return Stretch(goal.getvalue(), first_s, min(last_s, max(end_s, first_s)))


def _packets(source: InputContainer, begin_s: float, end_s: float) -> Iterator["Packet[Any]"]:
    """Give the packets of a stretch, a keyframe first."""
    picture = source.streams.video[0]
    streams = (picture, *source.streams.audio[:1])
    source.seek(round(begin_s * MICROSECONDS), backward=True)
    early: list[Packet[Any]] = []
    is_begun, over = False, set[int]()
    for packet in source.demux(*streams):
        if packet.pts is None or packet.dts is None:
            continue
        time_s = _time_s(packet)
        if time_s >= end_s:
            over.add(packet.stream.index)
            if len(over) == len(streams):
                return
        elif is_begun:
            yield packet
        elif packet.stream is not picture:
            early.append(packet)
        elif packet.is_keyframe:
            is_begun = True
            yield packet
            yield from (each for each in early if _time_s(each) >= time_s)


def _bring_forward(packet: "Packet[Any]", by_s: float) -> None:
    shift = round(by_s / (packet.time_base or 1))
    packet.pts = (packet.pts or 0) - shift
    packet.dts = min(packet.pts, (packet.dts or 0) - shift)


def _time_s(packet: "Packet[Any]") -> float:
    return float((packet.pts or 0) * (packet.time_base or 0))


def _length_s(packet: "Packet[Any]") -> float:
    return float((packet.duration or 0) * (packet.time_base or 0))
