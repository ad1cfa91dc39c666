"""Object stores that fsspec reaches: S3, Google Cloud Storage, a folder.

Keys for them are found where their own programs look: the environment, or the files of `aws` and
`gcloud`. `AWS_ENDPOINT_URL` names another service that speaks S3.
"""

import contextlib
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from video_assets.settings import SettingsError
from video_assets.storage.objects import CHUNK_BYTES, NoObjectError, StoreError, Upload

EXTRAS = {"s3": "s3", "gs": "gcs"}
# What libraries raise beside OSError when a service does not answer or refuses.
FAULTS = {
    "s3": (("botocore.exceptions", "BotoCoreError"), ("botocore.exceptions", "ClientError")),
    "gs": (("aiohttp", "ClientError"), ("google.auth.exceptions", "GoogleAuthError")),
}


@dataclass(frozen=True)
class FsspecObjects:
    """Everything below one address."""

    name: str
    is_by_owner = False

    @classmethod
    def of(cls, url: str) -> "FsspecObjects":
        """Open what lies below an address.

        Raises SettingsError where its library is missing.
        """
        objects = cls(url)
        try:
            _ = objects._files
        except ImportError:
            extra = EXTRAS[objects._scheme]
            raise SettingsError(
                f"{url} needs a library: .venv/bin/pip install -e '.[{extra}]'"
            ) from None
        return objects

    def put(self, key: str, path: Path, upload: Upload) -> None:
        """Put a file there; what was broken off is begun anew."""
        place = self._place(key)
        with self._telling(key):
            if self._scheme == "file":
                self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(path), place)

    def read(self, key: str) -> Iterator[bytes]:
        """Read what lies there, part by part."""
        with self._telling(key), self._files.open(self._place(key), "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def copy(self, key: str, goal: str) -> None:
        """Put the same there under another key, without reading it here."""
        with self._telling(key):
            self._files.cp_file(self._place(key), self._place(goal))

    def remove(self, keys: Sequence[str]) -> None:
        """Remove these."""
        for key in keys:
            with contextlib.suppress(NoObjectError), self._telling(key):
                self._files.rm_file(self._place(key))

    def link(self, key: str, valid_s: int) -> str:
        """Sign an address of it; a folder has none but its own."""
        try:
            with self._telling(key):
                return self._files.sign(self._place(key), expiration=valid_s)
        except NotImplementedError:
            return f"{self.name}/{key}"

    @property
    def _scheme(self) -> str:
        return self.name.partition(":")[0]

    @property
    def _files(self) -> Any:
        """The file system, which fsspec keeps open; what others put there is seen at once."""
        return fsspec.filesystem(self._scheme, use_listings_cache=False)

    def _place(self, key: str) -> str:
        root = self.name.partition("://")[2]
        return f"{root}/{key}"

    @contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NoObjectError(self.name) from None
        except (OSError, *self._faults()) as error:
            reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
            said = reason or type(error).__name__
            raise StoreError(f"{self.name}: {said}") from error

    def _faults(self) -> Iterator[type[Exception]]:
        for module, name in FAULTS.get(self._scheme, ()):
            yield getattr(importlib.import_module(module), name)
