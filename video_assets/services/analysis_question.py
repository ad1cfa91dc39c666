"""What a model that sees pictures is asked about one clip, before a service puts it its own way."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from blake3 import blake3

from video_assets.media.shown_frames import ShownFrame
from video_assets.services.analysis_prompt import repair_of

_LEAST_BYTES_PER_TOKEN = 2  # of JSON and of any script; English prose has 3 to 4


@dataclass(frozen=True)
class Question:
    """One clip as frames and words.

    system     the instructions, alike for all clips
    facts      what is told of this one
    complaint  what was wrong with the answer before, if there was one
    """

    system: str
    facts: str
    frames: tuple[ShownFrame, ...]
    complaint: str | None = None

    @property
    def parts(self) -> Iterator[str | ShownFrame]:
        """Give texts and pictures in order: each frame after its time, then what is told."""
        for frame in self.frames:
            yield f"Frame at {frame.time_s:.2f} s:"
            yield frame
        yield self.facts
        if self.complaint is not None:
            yield repair_of(self.complaint)

    @property
    def told(self) -> str:
        """All that is said of this clip in words."""
        return "\n".join(part for part in self.parts if isinstance(part, str))

    def repaired(self, complaint: str | None) -> "Question":
        """Ask the same, and say what was wrong with the answer before if anything was."""
        return replace(self, complaint=complaint)

    def digest(self, *how: object) -> str:
        """Name the question by its content, and by how it is asked."""
        whole = blake3()
        for part in (self.system, repr(how), *self.parts):
            data = part.jpeg if isinstance(part, ShownFrame) else part.encode()
            whole.update(len(data).to_bytes(8, "big") + data)
        return whole.hexdigest()


def most_tokens(text: str) -> int:
    """Give as many tokens as a text can have with the tokenizers of today."""
    return len(text.encode()) // _LEAST_BYTES_PER_TOKEN + 1
