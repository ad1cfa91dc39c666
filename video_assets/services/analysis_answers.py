"""Reading what a model answered: checked against the contract and the clip, repaired once."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from video_assets.media.errors import RefusedByServiceError
from video_assets.services.analysis import ClipAnalysis
from video_assets.services.paid_call import PaidModel, Reply

LONGEST_COMPLAINT = 2_000
SLACK_S, SLACK_SHARE = 1.0, 0.02  # models round; what is a little late is moved to the end
_TIMES = ("timestamp", "start_time", "end_time")


class InvalidAnswerError(ValueError):
    """What a model answered is not what it was asked for."""


def ask_for_analysis(
    model: PaidModel, ask: Callable[[str | None], Reply], duration_s: float
) -> tuple[ClipAnalysis, list[Reply]]:
    """Ask once, and once more with what was wrong; give the answer and all that was paid.

    ask         asks the model; its argument is what was wrong with the answer before, if anything
    duration_s  of what it was shown

    Raises RefusedByServiceError if the second answer cannot be used either.
    """
    replies = [ask(None)]
    try:
        return read_answer(replies[0].answer, duration_s), replies
    except InvalidAnswerError as error:
        _mark_invalid(model, replies[0], error)
        replies.append(ask(str(error)))
    try:
        return read_answer(replies[1].answer, duration_s), replies
    except InvalidAnswerError as error:
        _mark_invalid(model, replies[1], error)
        raise RefusedByServiceError(
            f"{model.provider} answered twice what cannot be used; the answers are kept with the "
            f"calls (video-assets costs --answers): {error}"
        ) from None


def read_answer(text: str, duration_s: float) -> ClipAnalysis:
    """Read a whole answer. Raises InvalidAnswerError, which says what is wrong with it."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidAnswerError(f"no JSON: {error}") from None
    try:
        answer = ClipAnalysis.model_validate(_in_time(document, duration_s))
    except ValidationError as error:
        raise InvalidAnswerError(_complaint(error)) from None
    if late := list(_late(answer, duration_s)):
        raise InvalidAnswerError(
            f"the clip lasts {duration_s:.2f} s, but {', '.join(late[:5])}; all times are seconds"
        )
    return answer


def _mark_invalid(model: PaidModel, reply: Reply, error: InvalidAnswerError) -> None:
    if reply.call is not None:
        model.billing.mark_invalid(reply.call, str(error))


def _complaint(error: ValidationError) -> str:
    lines = (
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)
    )
    return "; ".join(lines)[:LONGEST_COMPLAINT]


def _in_time(value: Any, duration_s: float) -> Any:
    """Move to the clip's ends what lies only a little outside."""
    slack = max(SLACK_S, SLACK_SHARE * duration_s)
    if isinstance(value, dict):
        return {
            name: min(max(each, 0.0), duration_s)
            if name in _TIMES
            and isinstance(each, int | float)
            and -slack <= each <= duration_s + slack
            else _in_time(each, duration_s)
            for name, each in value.items()
        }
    return [_in_time(each, duration_s) for each in value] if isinstance(value, list) else value


def _late(value: Any, duration_s: float, where: str = "") -> Iterator[str]:
    """Name the times that lie outside of the clip, and the ends before their beginnings."""
    if isinstance(value, BaseModel):
        start, end = (getattr(value, name, None) for name in ("start_time", "end_time"))
        if start is not None and end is not None and end < start:
            yield f"{where} ends at {end:g}, before it begins at {start:g}"
        for name, each in value:
            place = f"{where}.{name}" if where else name
            if name in _TIMES and isinstance(each, float) and not 0 <= each <= duration_s:
                yield f"{place} is {each:g}"
            else:
                yield from _late(each, duration_s, place)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _late(each, duration_s, f"{where}.{number}")
