"""An upload: a video that lies at Gemini's Files API for as long as it is asked about.

It is named by its content. So an attempt finds what a killed one left there, uses it, and removes
it in the end; what nobody comes back for, Google deletes after two days. For a batch it stays until
that is over.
"""

import io
import logging
import time
from collections.abc import Callable
from typing import Any

from video_assets.services.batched_call import Parcel
from video_assets.services.gemini_errors import explain, is_absent
from video_assets.services.interruption import Interrupted
from video_assets.services.service_errors import BrokenError, NotTakenError, StuckError

MIME_TYPE = "video/mp4"
NAME_LENGTH = 36  # of 40 that it may have
FIRST_LOOK_S, LONGEST_LOOK_S = 0.2, 5.0
DELETION_S = 10.0
LAST_DELETION_S = 2.0  # of the three seconds that a worker has which is told to end

_log = logging.getLogger(__name__)


class Upload(Parcel):
    """One video: there once `prepare` was called, and gone when its block ends, unless held."""

    def __init__(
        self,
        client: Any,
        digest: str,
        read: Callable[[], io.RawIOBase | io.BytesIO],
        *,
        patience_s: float,
        beat: Callable[[], None],
    ) -> None:
        """Name a video by the digest of its content.

        patience_s  how long the service may take to make it ready
        beat        called while it does
        """
        self._client, self._read = client, read
        self._name = f"va-{digest[:NAME_LENGTH]}"
        self._patience_s, self._beat = patience_s, beat
        self._file: Any = None
        self._may_be_there = False
        self._is_held = False

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Whoever got the answer from an attempt that was killed uploads nothing, but that one did.
        if (self._may_be_there or kind is None) and not self._is_held:
            self._delete(LAST_DELETION_S if kind is Interrupted else DELETION_S)

    def prepare(self) -> None:
        """Upload it, unless it is there, and wait until it can be used. Raises ServiceError."""
        if self._file is not None:
            return
        self._may_be_there = True
        try:
            self._file = self._ready(self._found() or self._upload())
        except (KeyError, ValueError) as error:  # the client's own, of answers that it cannot read
            raise BrokenError(f"the upload broke off ({type(error).__name__})") from None
        except Exception as error:  # noqa: BLE001 - explain raises what is none of the client's
            raise explain(error) from None

    def hold(self) -> None:
        """Leave it there when the block ends: a batch that is out refers to it."""
        self._is_held = True

    def release(self) -> None:
        """Delete it when the block ends, whoever uploaded it."""
        self._may_be_there, self._is_held = True, False

    def drop(self) -> None:
        """Delete it now."""
        self._is_held = False
        self._delete(DELETION_S)

    def part(self) -> dict[str, Any]:
        """Name it in a request."""
        return {"file_data": {"file_uri": self._file.uri, "mime_type": MIME_TYPE}}

    def forget(self) -> None:
        """Take it for gone, so that it is uploaded again."""
        self._file = None

    def _found(self) -> Any:
        try:
            found = self._client.files.get(name=self._name)
        except Exception as error:
            if is_absent(error):
                return None
            raise
        if found.state == "FAILED":
            self._client.files.delete(name=self._name)
            return None
        return found

    def _upload(self) -> Any:
        self._beat()
        with _Watched(self._read(), self._beat) as file:
            config = {"name": self._name, "mime_type": MIME_TYPE}
            return self._client.files.upload(file=file, config=config)

    def _ready(self, file: Any) -> Any:
        began, look_s = time.monotonic(), FIRST_LOOK_S
        while file.state != "ACTIVE":
            if file.state == "FAILED":
                said = getattr(file.error, "message", None) or "no reason given"
                raise NotTakenError(f"it cannot read the proxy: {said}")
            if time.monotonic() - began > self._patience_s:
                raise StuckError(
                    f"the upload {self._name} is still {_state(file)} after {self._patience_s:g} s"
                )
            self._beat()
            time.sleep(look_s)
            look_s = min(LONGEST_LOOK_S, 2 * look_s)
            file = self._client.files.get(name=self._name)
        return file

    def _delete(self, within_s: float) -> None:
        self._file = None
        options = {"timeout": round(within_s * 1000)}
        try:
            self._client.files.delete(name=self._name, config={"http_options": options})
        except Exception as error:  # noqa: BLE001 - explain raises what is none of the client's
            if not is_absent(error):
                _log.warning("the upload %s was not deleted: %s", self._name, explain(error))
        self._may_be_there = False


class _Watched(io.BufferedReader):
    """A file that gives a sign of life whenever a piece of it is read."""

    def __init__(self, raw: Any, beat: Callable[[], None]) -> None:
        super().__init__(raw)
        self._beat = beat

    def read(self, size: int | None = -1, /) -> bytes:
        self._beat()
        return super().read(size)


class Inline(Parcel):
    """A small video that travels with each request and is kept nowhere."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def part(self) -> dict[str, Any]:
        """Put it into a request."""
        return {"inline_data": {"data": self._data, "mime_type": MIME_TYPE}}

    def forget(self) -> None:
        """Do nothing."""


def _state(file: Any) -> str:
    return getattr(file.state, "value", None) or str(file.state)
