"""Who speaks: one name for a voice through a whole clip, though each request labels it anew."""

import base64
from collections.abc import Sequence
from dataclasses import replace

from video_assets.services.speech_to_text import RATE, Heard, Speech
from video_assets.services.wav import as_wav

MOST_KNOWN = 4  # voices that a request may bring along
SHORTEST_S, LONGEST_S = 2.0, 10.0  # of such a sample


class Voices:
    """The voices of one clip, with a sample of each."""

    def __init__(self) -> None:
        self.samples: dict[str, str] = {}
        self._named = 0

    def name(self, pieces: Sequence[Heard], speech: Speech) -> tuple[Heard, ...]:
        """Give each voice its name, and keep a sample of those that are new."""
        names: dict[str, str] = {}
        for piece in pieces:
            if piece.speaker is not None and piece.speaker not in names:
                names[piece.speaker] = self._name(piece.speaker)
        named = tuple(
            piece if piece.speaker is None else replace(piece, speaker=names[piece.speaker])
            for piece in pieces
        )
        for piece in sorted(named, key=lambda each: each.start_s - each.end_s):
            self._keep(piece, speech)
        return named

    def _name(self, label: str) -> str:
        if label in self.samples:  # it was brought along under this name
            return label
        self._named += 1
        return f"speaker {self._named}"

    def _keep(self, piece: Heard, speech: Speech) -> None:
        """Keep the longest stretch of a voice, if it is long enough to be known by."""
        length_s = min(piece.end_s - piece.start_s, LONGEST_S)
        if piece.speaker is None or piece.speaker in self.samples:
            return
        if length_s < SHORTEST_S or len(self.samples) >= MOST_KNOWN or piece.start_s < 0:
            return
        begin = round(piece.start_s * RATE)
        sample = speech[begin : begin + int(length_s * RATE)]
        if len(sample) >= SHORTEST_S * RATE:
            written = base64.b64encode(as_wav(sample)).decode()
            self.samples[piece.speaker] = f"data:audio/wav;base64,{written}"
