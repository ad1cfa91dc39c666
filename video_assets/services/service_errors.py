"""What a paid service gives instead of an answer; each provider tells them apart."""


class ServiceError(Exception):
    """A call that gave no answer.

    is_billed  whether it may cost something: it was sent, and nobody knows how it ended
    """

    is_billed = False


class BusyError(ServiceError):
    """It has had enough requests for now.

    retry_after_s  what it asks for; None: it does not say
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BrokenError(ServiceError):
    """It cannot be reached, breaks off, takes too long or reports an error of its own."""

    def __init__(self, message: str, *, is_billed: bool = False) -> None:
        super().__init__(message)
        self.is_billed = is_billed


class StuckError(ServiceError):
    """It took what it was given and does not come to an end; asking again at once is vain."""


class AccountError(ServiceError):
    """It does not take the key, the model or the address: no clip can change that."""


class NotTakenError(ServiceError):
    """It does not take what it was given."""


class BlockedError(ServiceError):
    """It declines to answer about this clip.

    input_tokens, output_tokens    for which it charges
    cached_tokens, written_tokens  of the input, from and to its cache
    audio_tokens                   of the input, sound
    """

    def __init__(
        self,
        message: str,
        input_tokens: int = 0,
        output_tokens: int = 0,
        *,
        cached_tokens: int = 0,
        written_tokens: int = 0,
        audio_tokens: int = 0,
    ) -> None:
        super().__init__(message)
        self.input_tokens, self.output_tokens = input_tokens, output_tokens
        self.cached_tokens, self.written_tokens = cached_tokens, written_tokens
        self.audio_tokens = audio_tokens


class CutShortError(BlockedError):
    """What it answered is longer than it may be, so the end of it is missing."""
