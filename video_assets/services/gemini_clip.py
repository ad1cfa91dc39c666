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
from video_assets.services.batched_call import BatchedModel
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

_Call = Callable[[str, dict[str, Any] | None], Any]  # with the instructions and the schema

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
        window = _window(shown)
        duration_s = window[1] - window[0] if window else self.facts.duration_s

        def ask(complaint: str | None) -> Reply:
            request = self._request(window, complaint)
            most = request.most(duration_s, self.facts.has_sound)
            return self._ask(request, most, video, heard)

        with self._video(shown, _digest(self.digest, window)) as video:
            return ask_for_analysis(self.paid, ask, duration_s)

    def request(self, shown: Stretch | Path) -> str:
        """Name what `look` asks by its content."""
        return self._request(_window(shown)).key

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
        request = _Request(manner, self.digest, system, schema, (told,))
        reply = self._ask(request, request.most(0.0, has_sound=False))
        try:
            return whole_summary.read(reply.answer), reply
        except InvalidAnswerError as error:
            if reply.call is not None:
                self.paid.billing.mark_invalid(reply.call, str(error))
            raise RefusedByServiceError(str(error)) from None

    def _request(
        self, window: tuple[float, float] | None, complaint: str | None = None
    ) -> "_Request":
        told = f"{analysis_prompt.told_of(self.facts, window)}\n{MARKS}"
        texts = (told,) if complaint is None else (told, analysis_prompt.repair_of(complaint))
        schema, system = schema_of(ClipAnalysis), analysis_prompt.instructions()
        return _Request(self.manner, _digest(self.digest, window), system, schema, texts)

    def _video(self, shown: Stretch | Path, digest: str) -> Upload | Inline:
        size = shown.stat().st_size if isinstance(shown, Path) else len(shown.data)
        if size <= self.manner.inline_mb * MEGA:
            return Inline(shown.read_bytes() if isinstance(shown, Path) else shown.data)

        def read() -> FileIO | BytesIO:
            return FileIO(shown) if isinstance(shown, Path) else BytesIO(shown.data)

        patience_s = self.manner.processing_timeout_s
        return Upload(self.client, digest, read, patience_s=patience_s, beat=self.beat)

    def _ask(
        self,
        request: "_Request",
        most: Usage,
        video: Upload | Inline | None = None,
        heard: Callable[[str], None] = lambda _: None,
    ) -> Reply:
        """Ask unless it was answered before: the same of the same, in the same manner."""

        def ask(call: _Call) -> Any:
            self.beat()
            try:
                return (
                    self._in_form(request, call) if video else call(request.system, request.schema)
                )
            except GoneError:
                if video:
                    video.forget()
                raise

        def send() -> Reply:
            return ask(lambda system, schema: self._send(request, video, system, schema, heard))

        def post(name: str) -> str:
            return ask(lambda system, schema: self._post(request, video, system, schema, name))

        if isinstance(self.paid, BatchedModel):
            return self.paid.ask_later(request.key, most, post, video, self._fits)
        return self.paid.ask(request.key, most, send, video.prepare if video else None)

    def _in_form(self, request: "_Request", call: _Call) -> Any:
        """Hold the answer to its schema, or describe that to a model which does not take it."""
        if self._place in _unfit:
            return call(f"{request.system}\n{outline()}", None)
        try:
            return call(request.system, request.schema)
        except NotTakenError as error:
            if not self._fits(error):
                raise
            raise BrokenError(f"it does not take the schema of the answer ({error})") from None

    def _fits(self, error: NotTakenError) -> bool:
        """Tell whether the schema is what was not taken, and note that."""
        if self._place in _fit or not _ABOUT_SCHEMA.search(str(error)):
            return False
        _unfit.add(self._place)
        return True

    @property
    def _place(self) -> tuple[str, str]:
        return self.paid.account, self.manner.model

    def _send(
        self,
        request: "_Request",
        video: Upload | Inline | None,
        system: str,
        schema: dict[str, Any] | None,
        heard: Callable[[str], None],
    ) -> Reply:
        def told(text: str) -> None:
            self.beat()
            heard(text)

        how = (self.client, request.manner, request.parts(video))
        reply = gemini.ask(*how, system=system, schema=schema, heard=told)
        if video and schema is not None:
            _fit.add(self._place)
        return reply

    def _post(
        self,
        request: "_Request",
        video: Upload | Inline | None,
        system: str,
        schema: dict[str, Any] | None,
        name: str,
    ) -> str:
        how = (self.client, request.manner, request.parts(video))
        return gemini.hand_in(*how, system=system, schema=schema, name=name)


@dataclass(frozen=True)
class _Request:
    """What Gemini is asked. digest: of what it is shown."""

    manner: Manner
    digest: str
    system: str
    schema: dict[str, Any]
    texts: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name it by its content: the same of the same, in the same manner."""
        return blake3(
            json.dumps([self.manner.told, self.digest, *self._written]).encode()
        ).hexdigest()

    def most(self, duration_s: float, has_sound: bool) -> Usage:
        """Give the most tokens that it can take."""
        return gemini.most_of(self.manner, duration_s, has_sound, self._written)

    def parts(self, video: Upload | Inline | None) -> list[dict[str, Any]]:
        """Put the video before the texts."""
        shown = [{**video.part(), "video_metadata": {"fps": self.manner.fps}}] if video else []
        return [*shown, *({"text": each} for each in self.texts)]

    @property
    def _written(self) -> list[str]:
        return [self.system, json.dumps(self.schema), *self.texts]


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


def _window(shown: Stretch | Path) -> tuple[float, float] | None:
    return (shown.begin_s, shown.end_s) if isinstance(shown, Stretch) else None


def _digest(file_digest: str, window: tuple[float, float] | None) -> str:
    if window is None:
        return file_digest
    return blake3(f"{file_digest} {window[0]:.3f} {window[1]:.3f}".encode()).hexdigest()
