"""Object stores in a Supabase project: one bucket of its Storage, as the service or as somebody."""

import atexit
import mimetypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import stamina
from pydantic import SecretStr
from storage3.exceptions import StorageApiError

from video_assets.storage.objects import CHUNK_BYTES, NoObjectError, StoreError, Upload
from video_assets.storage.resumable_upload import UploadError, upload_in_parts

LARGE_BYTES = 6 << 20  # up to here, Supabase advises a single request
PATIENCE_S = 60.0
ATTEMPTS = 3
AT_ONCE = 500  # of the thousand that one request may remove


@dataclass(frozen=True)
class SupabaseObjects:
    """A bucket.

    project  its address
    apikey   the publishable key, or the secret one
    token    gives the token of a person, whose rights count; asked for each request, since it ends
    """

    project: str
    bucket: str
    apikey: SecretStr = field(repr=False)
    token: Callable[[], SecretStr] | None = field(default=None, repr=False)
    is_by_owner = True

    @property
    def name(self) -> str:
        """The address of the bucket."""
        return f"supabase://{urlsplit(self.project).netloc}/{self.bucket}"

    def put(self, key: str, path: Path, upload: Upload) -> None:
        """Put a file there: a large one in parts, so that it goes on after whatever breaks it."""
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        with self._telling(key):
            if path.stat().st_size <= LARGE_BYTES:
                with path.open("rb") as file:
                    options: Any = {"content-type": kind, "upsert": "true"}
                    self._again(lambda: self._files.upload(key, _rewound(file), options))
            else:
                about = {"bucketName": self.bucket, "objectName": key, "contentType": kind}
                where = f"{self._root}/upload/resumable"
                upload_in_parts(_session(os.getpid(), self), where, path, about, upload)

    def read(self, key: str) -> Iterator[bytes]:
        """Read what lies there, part by part."""
        where = f"{self._root}/object/{self.bucket}/{quote(key)}"
        with self._telling(key), _session(os.getpid(), self).stream("GET", where) as response:
            if response.status_code in (400, 404):  # Supabase hides behind both what is not there
                raise NoObjectError(self.name)
            response.raise_for_status()
            yield from response.iter_bytes(CHUNK_BYTES)

    def copy(self, key: str, goal: str) -> None:
        """Put the same there under another key, without reading it here."""
        with self._telling(key):
            try:
                self._again(lambda: self._files.copy(key, goal))
            except StorageApiError as error:
                if str(error.status) != "409":  # it is there already
                    raise

    def remove(self, keys: Sequence[str]) -> None:
        """Remove these."""
        for start in range(0, len(keys), AT_ONCE):
            some = list(keys[start : start + AT_ONCE])
            with self._telling(some[0]):
                self._again(lambda some=some: self._files.remove(some))

    def link(self, key: str, valid_s: int) -> str:
        """Sign an address of it."""
        with self._telling(key):
            signed = self._again(lambda: self._files.create_signed_url(key, valid_s))
        return str(signed["signedURL"])

    def sign(self, request: httpx.Request) -> httpx.Request:
        """Say on a request whose rights count; without a person, the key's own."""
        token = self.token() if self.token else self.apikey
        request.headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    @property
    def _root(self) -> str:
        return f"{self.project}/storage/v1"

    @property
    def _files(self) -> Any:
        from storage3 import SyncStorageClient

        client = SyncStorageClient(f"{self._root}/", {}, http_client=_session(os.getpid(), self))
        return client.from_(self.bucket)

    def _again(self, ask: Any) -> Any:
        """Ask, and ask again when it may be answered then."""
        for attempt in stamina.retry_context(on=_may_heal, attempts=ATTEMPTS, timeout=PATIENCE_S):
            with attempt:
                return ask()
        return None

    @contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        try:
            yield
        except (StorageApiError, UploadError) as error:
            if str(getattr(error, "status", "")) == "404":
                raise NoObjectError(self.name) from None
            raise StoreError(f"{self.name}: {error}") from None
        except httpx.HTTPStatusError as error:
            said = f"it answered {error.response.status_code}"
            raise StoreError(f"{self.name}: {said}") from None
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise StoreError(f"{self.name} does not answer: {said}") from None


def _may_heal(error: Exception) -> bool:
    if isinstance(error, StorageApiError):
        return str(error.status) == "429" or str(error.status).startswith("5")
    return isinstance(error, httpx.TransportError)


def _rewound(file: Any) -> Any:
    file.seek(0)
    return file


_sessions: dict[tuple[int, SupabaseObjects], httpx.Client] = {}


def _session(process: int, objects: SupabaseObjects) -> httpx.Client:
    """Keep connections open; a forked process has its own.

    Without a lock, which a fork could copy while it is held: of two threads that come first, the
    later one closes what it opened.
    """
    found = _sessions.get((process, objects))
    if found is None:
        opened = _open_session(objects)
        found = _sessions.setdefault((process, objects), opened)
        if found is not opened:
            opened.close()
    return found


def _open_session(objects: SupabaseObjects) -> httpx.Client:
    """Open connections; redirects are not followed, because the keys would go along."""
    headers = {"apikey": objects.apikey.get_secret_value()}
    opened = httpx.Client(
        auth=objects.sign, headers=headers, timeout=PATIENCE_S, follow_redirects=False
    )
    atexit.register(opened.close)
    return opened
