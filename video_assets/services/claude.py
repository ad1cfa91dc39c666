"""Claude: asked about a clip by its frames, over the Messages API.

The answer is streamed, so that it can be shown and given up while it comes.
"""

import importlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from video_assets.media.errors import ToolMissingError
from video_assets.media.shown_frames import ShownFrame
from video_assets.services.analysis_outline import outline
from video_assets.services.analysis_question import Question, most_tokens
from video_assets.services.batched_call import BatchedModel
from video_assets.services.claude_batches import ClaudeBox
from video_assets.services.claude_schema import TOLD, claude_schema, in_contract
from video_assets.services.client_errors import Errors
from video_assets.services.local_models import keep
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.partial_answer import PartialAnswer
from video_assets.services.prices import Usage
from video_assets.services.service_errors import (
    BlockedError,
    BrokenError,
    CutShortError,
    NotTakenError,
)
from video_assets.settings import load_settings

PROVIDER, SECRET = "anthropic", "ANTHROPIC_API_KEY"
BASE_URL = "https://api.anthropic.com"
PATCH_PX = 28  # platform.claude.com, vision: a token for each patch of so many pixels squared
Effort = Literal["low", "medium", "high", "xhigh", "max"]

_unfit: set[tuple[str, str]] = set()
"""Services and models that do not take the schema, as far as this worker has found out."""


@dataclass(frozen=True)
class Claude:
    """One model of Claude.

    most_output  tokens of an answer, the model's thinking included
    effort       how much it thinks; None: as much as it does by itself
    timeout_s    for a whole answer
    """

    client: Any
    library: Any
    base_url: str
    model: str
    most_output: int
    effort: Effort | None
    timeout_s: float

    def ask(self, paid: PaidModel, question: Question, partial: PartialAnswer | None) -> Reply:
        """Ask about one clip; raises what PaidModel.ask does."""
        request = self.request(question)
        most = self.most(question)
        if isinstance(paid, BatchedModel):
            return paid.ask_later(
                request,
                most,
                lambda name: self.box.post(name, self._body(question, self._schema)),
                fits=self._fits_without_schema,
            )
        return paid.ask(request, most, lambda: self._send(question, paid.beat, partial))

    @property
    def box(self) -> ClaudeBox:
        """Where batches for this model lie."""

        def read(message: Any) -> Reply:
            return _reply(message, self.most_output)

        return ClaudeBox(self.client, self.library, SECRET, read)

    def request(self, question: Question) -> str:
        """Name what is asked by its content."""
        return question.digest(PROVIDER, self.model, self.most_output, self.effort)

    def most(self, question: Question) -> Usage:
        """Give the most tokens that a question can take and its answer can have."""
        fixed = most_tokens(question.system + TOLD + json.dumps(claude_schema()))
        pictures = sum(picture_tokens(frame.width, frame.height) for frame in question.frames)
        return Usage(
            input_tokens=fixed + pictures + most_tokens(question.told),
            written_tokens=fixed,
            output_tokens=self.most_output,
        )

    def _send(
        self, question: Question, beat: Callable[[], None], partial: PartialAnswer | None
    ) -> Reply:
        """Make one attempt, and another one without a schema if this is what is refused."""
        if not (schema := self._schema):
            return self._attempt(question, {}, beat, partial)
        try:
            return self._attempt(question, schema, beat, partial)
        except NotTakenError as error:
            if not _is_about_schema(str(error)):
                raise
        reply = self._attempt(question, {}, beat, partial)
        _unfit.add((self.base_url, self.model))
        return reply

    @property
    def _schema(self) -> dict[str, Any]:
        """The schema that an answer is held to, unless the model is known not to take it."""
        if (self.base_url, self.model) in _unfit:
            return {}
        return {"format": {"type": "json_schema", "schema": claude_schema()}}

    def _fits_without_schema(self, error: NotTakenError) -> bool:
        """Tell whether the schema is what a batch was refused for, and note that."""
        if not _is_about_schema(str(error)):
            return False
        _unfit.add((self.base_url, self.model))
        return True

    def _attempt(
        self,
        question: Question,
        schema: dict[str, Any],
        beat: Callable[[], None],
        partial: PartialAnswer | None,
    ) -> Reply:
        body = self._body(question, schema)
        errors = Errors(self.library, SECRET)
        message, ends_at = None, time.monotonic() + self.timeout_s
        with errors.told(), self.client.messages.stream(**body) as stream:
            for event in stream:
                beat()
                if time.monotonic() > ends_at:
                    raise BrokenError(
                        f"its answer takes longer than {self.timeout_s:g} s", is_billed=True
                    )
                message = stream.current_message_snapshot
                if event.type == "text" and partial is not None:
                    partial.show(event.snapshot)
        return _reply(message, self.most_output)

    def _body(self, question: Question, schema: dict[str, Any]) -> dict[str, Any]:
        system = f"{question.system}\n{TOLD if schema else outline()}"
        output = schema | ({"effort": self.effort} if self.effort else {})
        return {
            "model": self.model,
            "max_tokens": self.most_output,
            # Alike for all clips, so that it is paid for in full only once in a while.
            "system": [
                {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}},
            ],
            "messages": [{"role": "user", "content": [_block(part) for part in question.parts]}],
            **({"output_config": output} if output else {}),
        }


def open_claude(
    model: str, *, base_url: str, most_output: int, effort: Effort | None, timeout_s: float
) -> Claude:
    """Make one model ready to be asked. Raises ToolMissingError as open_client does."""
    client, library = open_client(base_url, timeout_s)
    return Claude(client, library, base_url, model, most_output, effort, timeout_s)


def open_client(base_url: str, timeout_s: float) -> tuple[Any, Any]:
    """Make a client of the service, or give the one that this worker holds, and its library.

    Raises ToolMissingError if the library or the key is missing.
    """
    try:
        library = importlib.import_module("anthropic")
    except ImportError:
        raise ToolMissingError(
            "Claude is asked with the package anthropic, which is not installed; install it with "
            "`pip install 'video-assets[ai]'`, then run again"
        ) from None

    def load() -> Any:
        return library.Anthropic(api_key=key(), base_url=base_url, timeout=timeout_s, max_retries=0)

    return keep("Claude", (base_url, timeout_s, key()), load), library


def key() -> str:
    """Give the key of the service. Raises ToolMissingError if there is none."""
    secret = load_settings().anthropic_api_key
    if secret is None:
        raise ToolMissingError(f"Claude needs a key; set {SECRET}, then run again")
    return secret.get_secret_value()


def picture_tokens(width: int, height: int) -> int:
    """Give how many tokens a picture is that Claude does not make smaller."""
    return math.ceil(width / PATCH_PX) * math.ceil(height / PATCH_PX)


def _is_about_schema(said: str) -> bool:
    return any(word in said for word in ("schema", "Schema", "grammar", "output_config"))


def _block(part: str | ShownFrame) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    source = {"type": "base64", "media_type": "image/jpeg", "data": part.base64}
    return {"type": "image", "source": source}


def _reply(message: Any, most_output: int) -> Reply:
    """Read a whole message, or say why it is none."""
    if message is None or message.stop_reason is None:
        raise BrokenError("its answer breaks off", is_billed=True)
    usage = _usage(message.usage)
    charged: Mapping[str, int] = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "written_tokens": usage.written_tokens,
    }
    if message.stop_reason == "refusal":
        raise BlockedError(_reason(message.stop_details), **charged)
    if message.stop_reason == "max_tokens":
        raise CutShortError(
            f"its answer is longer than {most_output} tokens; raise max_output_tokens", **charged
        )
    if message.stop_reason == "model_context_window_exceeded":
        raise CutShortError(
            "frames, transcript and answer are more than the model can hold; lower max_frames or "
            "leave the transcript out",
            **charged,
        )
    text = "".join(block.text for block in message.content if block.type == "text")
    return Reply(_contract_text(text), usage)


def _contract_text(text: str) -> str:
    """Put an answer into the contract's own form; what is no JSON stays as it is."""
    try:
        return json.dumps(in_contract(json.loads(text)), ensure_ascii=False)
    except ValueError:
        return text


def _reason(details: Any) -> str:
    category = getattr(details, "category", None)
    said = getattr(details, "explanation", None)
    return ": ".join(part for part in (category, said) if part) or "it gives no reason"


def _usage(told: Any) -> Usage:
    cached, written = told.cache_read_input_tokens or 0, told.cache_creation_input_tokens or 0
    return Usage(
        input_tokens=told.input_tokens + cached + written,
        cached_tokens=cached,
        written_tokens=written,
        output_tokens=told.output_tokens,
    )
