"""Questions to Gemini about one clip: its windows, one after another, and the whole."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any

from blake3 import blake3
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from video_assets.media.cutting import Stretch
from video_assets.media.errors import RefusedByServiceError
from video_assets.services import analysis_prompt, gemini, whole_summary
from video_assets.services.analysis import AIAnalysisSummary, ClipAnalysis
from video_assets.services.analysis_answers import InvalidAnswerError, ask_for_analysis
from video_assets.services.analysis_outline import outline
from video_assets.services.analysis_prompt import ClipFacts
from video_assets.services.gemini import Manner
from video_assets.services.gemini_errors import GoneError
from video_assets.services.gemini_upload import Inline, Upload
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.prices import Usage
from video_assets.services.service_errors import BrokenError, NotTakenError

MEGA = 1_000_000
SUMMARY_TOKENS = 2_000
THOUGHT_TOKENS = 8_000  # at most before a summary, of a model that thinks as it likes
# Of a schema with too many choices in it Google says so, or names no reason at all.
_ABOUT_SCHEMA = re.compile(r"schema|contains an invalid argument", re.IGNORECASE)
MARKS = "The video carries the time as minutes and seconds: 01:30 is 90 seconds."

_fit, _unfit = set[tuple[str, str]](), set[tuple[str, str]]()
"""Accounts and models that take the schema and that do not, as far as this worker knows."""


@dataclass(frozen=True)
class GeminiClip:
    """One clip, and how Gemini is asked about it.

    digest  of the file that it is shown
    beat    called while it answers, so that nobody takes the worker for hung
    """

    client: Any
    paid: PaidModel
    manner: Manner
    facts: ClipFacts
    digest: str
    beat: Callable[[], None]

    def look(
        self, shown: Stretch | Path, heard: Callable[[str], None]
    ) -> tuple[ClipAnalysis, list[Reply]]:
        """Ask about the whole clip, or about a stretch of it, and give all that was paid.

        heard  called with all the text that has arrived

        Raises what PaidModel.ask and ask_for_analysis do.
        """
        window = (shown.begin_s, shown.end_s) if isinstance(shown, Stretch) else None
        duration_s = window[1] - window[0] if window else self.facts.duration_s
        told = f"{analysis_prompt.told_of(self.facts, window)}\n{MARKS}"
        digest = _digest(self.digest, window)
        schema, system = schema_of(ClipAnalysis), analysis_prompt.instructions()

        def ask(complaint: str | None) -> Reply:
            texts = [told] if complaint is None else [told, analysis_prompt.repair_of(complaint)]
            written = [system, json.dumps(schema), *texts]
            most = gemini.most_of(self.manner, duration_s, self.facts.has_sound, written)

            def send() -> Reply:
                looked_at = {**video.part(), "video_metadata": {"fps": self.manner.fps}}
                parts = [looked_at, *({"text": each} for each in texts)]
                try:
                    return self._send_held(parts, system, schema, heard)
                except GoneError:
                    video.forget()
                    raise

            return self._ask(self.manner, digest, written, most, send, video.prepare)

        with self._video(shown, digest) as video:
            return ask_for_analysis(self.paid, ask, duration_s)

    def sum_up(
        self, answers: Sequence[ClipAnalysis], windows: Sequence[tuple[float, float]]
    ) -> tuple[AIAnalysisSummary, Reply]:
        """Ask for the summary of the whole, from those of its windows alone.

        Raises what PaidModel.ask does, and RefusedByServiceError for an unusable answer.
        """
        thought = self.manner.thinking_tokens
        most_written = SUMMARY_TOKENS + (THOUGHT_TOKENS if thought is None else thought)
        manner = replace(self.manner, max_output_tokens=most_written)
        schema, system = schema_of(AIAnalysisSummary), whole_summary.instructions()
        told = whole_summary.told_of([each.summary for each in answers], windows)
        written = [system, json.dumps(schema), told]
        reply = self._ask(
            manner,
            self.digest,
            written,
            gemini.most_of(manner, 0.0, has_sound=False, texts=written),
            lambda: self._send(manner, [{"text": told}], system, schema, lambda _: None),
        )
        try:
            return whole_summary.read(reply.answer), reply
        except InvalidAnswerError as error:
            if reply.call is not None:
                self.paid.billing.mark_invalid(reply.call, str(error))
            raise RefusedByServiceError(str(error)) from None

    def _video(self, shown: Stretch | Path, digest: str) -> Upload | Inline:
        size = shown.stat().st_size if isinstance(shown, Path) else len(shown.data)
        if size <= self.manner.inline_mb * MEGA:
            return Inline(shown.read_bytes() if isinstance(shown, Path) else shown.data)

        def read() -> FileIO | BytesIO:
            return FileIO(shown) if isinstance(shown, Path) else BytesIO(shown.data)

        patience_s = self.manner.processing_timeout_s
        return Upload(self.client, digest, read, patience_s=patience_s, beat=self.beat)

    def _send_held(
        self,
        parts: Sequence[dict[str, Any]],
        system: str,
        schema: dict[str, Any],
        heard: Callable[[str], None],
    ) -> Reply:
        """Hold the answer to its schema, or describe that to a model which does not take it."""
        place = (self.paid.account, self.manner.model)
        if place in _unfit:
            return self._send(self.manner, parts, f"{system}\n{outline()}", None, heard)
        try:
            reply = self._send(self.manner, parts, system, schema, heard)
        except NotTakenError as error:
            if place in _fit or not _ABOUT_SCHEMA.search(str(error)):
                raise
            _unfit.add(place)
            raise BrokenError(f"it does not take the schema of the answer ({error})") from None
        _fit.add(place)
        return reply

    def _send(
        self,
        manner: Manner,
        parts: Sequence[dict[str, Any]],
        system: str,
        schema: dict[str, Any] | None,
        heard: Callable[[str], None],
    ) -> Reply:
        def told(text: str) -> None:
            self.beat()
            heard(text)

        self.beat()
        return gemini.ask(self.client, manner, parts, system=system, schema=schema, heard=told)

    def _ask(
        self,
        manner: Manner,
        digest: str,
        written: Sequence[str],
        most: Usage,
        send: Callable[[], Reply],
        prepare: Callable[[], None] | None = None,
    ) -> Reply:
        """Ask unless it was answered before: the same of the same, in the same manner."""
        asked = json.dumps([manner.told, digest, *written])
        return self.paid.ask(blake3(asked.encode()).hexdigest(), most, send, prepare)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Give the JSON schema of an answer, without titles: they cost tokens with every call."""
    return model.model_json_schema(schema_generator=_Untitled)


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        return {
            name: each for name, each in super().model_schema(schema).items() if name != "title"
        }


def _digest(file_digest: str, window: tuple[float, float] | None) -> str:
    if window is None:
        return file_digest
    return blake3(f"{file_digest} {window[0]:.3f} {window[1]:.3f}".encode()).hexdigest()
