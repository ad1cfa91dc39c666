"""Models that are asked by OpenAI's chat protocol: Ollama, vLLM, LM Studio, llama.cpp, or OpenAI's.

What of structured output a server takes is found out by asking: a schema, JSON of any shape, or
nothing. The answer is streamed, so that it can be shown and given up while it comes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import openai

from video_assets.media.errors import ToolMissingError
from video_assets.media.shown_frames import ShownFrame
from video_assets.services.analysis import ClipAnalysis
from video_assets.services.analysis_outline import outline
from video_assets.services.analysis_question import Question, most_tokens
from video_assets.services.api_keys import chat_key
from video_assets.services.client_errors import Errors
from video_assets.services.local_models import keep
from video_assets.services.openai_client import client_for
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.partial_answer import PartialAnswer
from video_assets.services.prices import Usage
from video_assets.services.service_errors import (
    AccountError,
    BlockedError,
    BrokenError,
    CutShortError,
    NotTakenError,
)

OPENAI_HOST = "api.openai.com"
LEAST_PX_PER_TOKEN = 392  # half a patch of 28 pixels squared, which is more than any model takes
MODELS_NAMED = 5

Form = Literal["json_schema", "json_object", "text"]
_FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
_taken: dict[tuple[str, str], Form] = {}
"""What of it each server and model takes, as far as this worker has found out."""


@dataclass(frozen=True)
class Chat:
    """One model of one server.

    is_own       whether the server runs on this machine
    most_output  tokens of an answer, the model's thinking included
    timeout_s    for a whole answer
    """

    client: openai.OpenAI
    base_url: str
    is_own: bool
    model: str
    most_output: int
    timeout_s: float

    def ask(self, paid: PaidModel, question: Question, partial: PartialAnswer | None) -> Reply:
        """Ask about one clip; raises what PaidModel.ask does."""
        request = self.request(question)
        return paid.ask(
            request, self.most(question), lambda: self._send(question, paid.beat, partial)
        )

    def request(self, question: Question) -> str:
        """Name what is asked by its content."""
        return question.digest(self.base_url, self.model, self.most_output)

    def most(self, question: Question) -> Usage:
        """Give the most tokens that a question can take and its answer can have."""
        words = f"{question.system}{outline()}{ClipAnalysis.model_json_schema()}{question.told}"
        pixels = sum(frame.width * frame.height for frame in question.frames)
        return Usage(
            input_tokens=most_tokens(words) + pixels // LEAST_PX_PER_TOKEN,
            output_tokens=self.most_output,
        )

    def _send(
        self, question: Question, beat: Callable[[], None], partial: PartialAnswer | None
    ) -> Reply:
        """Make one attempt in the best form that is taken."""
        place, first_fault = (self.base_url, self.model), None
        forms = (_taken[place],) if place in _taken else _FORMS
        for form in forms:
            try:
                reply = self._attempt(question, form, beat, partial)
            except NotTakenError as error:
                first_fault = first_fault or error
            else:
                _taken[place] = form
                return reply
        raise first_fault or AssertionError("no form")

    def _attempt(
        self,
        question: Question,
        form: Form,
        beat: Callable[[], None],
        partial: PartialAnswer | None,
    ) -> Reply:
        heard, ends_at = _Heard(), time.monotonic() + self.timeout_s
        errors = Errors(openai, secret_of(self.base_url), self.base_url if self.is_own else None)
        with errors.told(), self._begin(question, form) as stream:
            for chunk in stream:
                beat()
                if time.monotonic() > ends_at:
                    raise BrokenError(
                        f"its answer takes longer than {self.timeout_s:g} s", is_billed=True
                    )
                heard.take(chunk)
                if partial is not None:
                    partial.show(_begun(heard.text))
        return heard.reply(self.most(question), self.most_output)

    def _begin(self, question: Question, form: Form) -> Any:
        limit = "max_completion_tokens" if _is_openai(self.base_url) else "max_tokens"
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": f"{question.system}\n{outline()}"},
                {"role": "user", "content": [_part(part) for part in question.parts]},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "response_format": _response_format(form),
            limit: self.most_output,
        }
        try:
            return self.client.chat.completions.create(**body)
        except openai.NotFoundError:
            raise AccountError(self._what_it_has()) from None

    def _what_it_has(self) -> str:
        try:
            names = sorted(model.id for model in self.client.models.list())
        except openai.OpenAIError:
            names = []
        if not names:
            return f"{self.base_url} knows no model {self.model}; check base_url and model"
        few = ", ".join(names[:MODELS_NAMED]) + (", …" if len(names) > MODELS_NAMED else "")
        return f"it has no model {self.model}; load it there, or name one that it has: {few}"


class _Heard:
    """What has come of an answer."""

    def __init__(self) -> None:
        self.text, self.refusal, self.reason, self.usage = "", "", None, None

    def take(self, chunk: Any) -> None:
        """Add one piece."""
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            self.text += choice.delta.content or ""
            self.refusal += choice.delta.refusal or ""
            self.reason = choice.finish_reason or self.reason

    def reply(self, most: Usage, most_output: int) -> Reply:
        """Read a whole answer, or say why it is none."""
        if self.reason is None:
            raise BrokenError("its answer breaks off", is_billed=True)
        usage = self._used(most)
        charged = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        cached = usage.cached_tokens
        if self.refusal or self.reason == "content_filter":
            said = self.refusal or "its content filter forbids it"
            raise BlockedError(said, **charged, cached_tokens=cached)
        if self.reason == "length":
            raise CutShortError(
                f"its answer is longer than {most_output} tokens, or with the frames longer than "
                "its context; raise max_output_tokens or the server's context, or lower max_frames",
                **charged,
                cached_tokens=cached,
            )
        return Reply(json_in(self.text), usage)

    def _used(self, most: Usage) -> Usage:
        """Give the tokens; a server that does not tell them is taken for one that needs many."""
        if self.usage is None:
            return Usage(most.input_tokens, output_tokens=most_tokens(self.text))
        details = self.usage.prompt_tokens_details
        return Usage(
            input_tokens=self.usage.prompt_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
            output_tokens=self.usage.completion_tokens,
        )


def open_chat(
    model: str, *, base_url: str, is_own: bool, most_output: int, timeout_s: float
) -> Chat:
    """Make a client of a server, or give the one that this worker holds.

    Raises ToolMissingError if it needs a key and there is none.
    """
    key = key_of(base_url)
    client = keep(
        "chat",
        (base_url, timeout_s, key),
        lambda: openai.OpenAI(
            api_key=key or "none",
            base_url=base_url,
            timeout=timeout_s,
            max_retries=0,
            http_client=client_for(base_url),
        ),
    )
    return Chat(client, base_url, is_own, model, most_output, timeout_s)


def key_of(base_url: str) -> str:
    """Give the key of a server; empty: it takes none.

    Raises ToolMissingError if OpenAI's is missing.
    """
    key = chat_key(base_url)
    if key.is_needed and key.value is None:
        raise ToolMissingError(f"OpenAI needs a key; set {key.variable}, then run again")
    return key.value or ""


def secret_of(base_url: str) -> str:
    """Name the variable that holds the key of a server."""
    return chat_key(base_url).variable


def json_in(text: str) -> str:
    """Give the JSON object in a text that has thoughts before it or a fence around it."""
    begun = _begun(text)
    return begun[: begun.rfind("}") + 1] or begun


def _begun(text: str) -> str:
    after = text.rpartition("</think>")[2]
    return after[max(0, after.find("{")) :]


def _is_openai(base_url: str) -> bool:
    return urlsplit(base_url).hostname == OPENAI_HOST


def _part(part: str | ShownFrame) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{part.base64}"}}


def _response_format(form: Form) -> Any:
    if form == "json_schema":
        shape = ClipAnalysis.model_json_schema()
        return {"type": form, form: {"name": "clip_analysis", "strict": True, "schema": shape}}
    return {"type": form} if form == "json_object" else openai.omit
