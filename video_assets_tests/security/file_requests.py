"""What an intruder may attempt on files in the buckets of a project, over its HTTP interface."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from video_assets_tests.lite.server import Lite
from video_assets_tests.security.owners import Owner

SECRET = b"what zanzibar looks like"


@dataclass(frozen=True)
class FileRequest:
    """One request, and who may make it.

    by  the owner of the file, or the service; None where nobody is to
    """

    method: str
    path: str
    json: Any = None
    content: bytes | None = None
    by: Literal["owner", "worker"] | None = "worker"
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """What is attempted."""
        return f"{self.method} {self.path} {self.json or ''}"

    def send(self, lite: Lite, key: str, token: str | None = None) -> httpx.Response:
        """Send it with a key, and perhaps a token."""
        headers = {"apikey": key, **self.headers}
        headers["Authorization"] = f"Bearer {token or key}"
        return httpx.request(
            self.method,
            f"{lite.url}/storage/v1/{self.path}",
            headers=headers,
            json=self.json,
            content=self.content,
            timeout=30,
        )


def name_of_file(owner: Owner) -> str:
    """Where a file of an owner lies in a bucket."""
    return f"{owner.id}/{owner.checksum[:2]}/{owner.checksum}/thumbnails/{owner.name}.jpg"


def put(bucket: str, name: str, content: bytes = SECRET) -> FileRequest:
    """Put a file there, whatever was there before."""
    headers = {"x-upsert": "true", "Content-Type": "image/jpeg"}
    return FileRequest("POST", f"object/{bucket}/{name}", content=content, headers=headers)


def on_files(bucket: str, owner: Owner, eve: Owner) -> Iterator[FileRequest]:
    """Everything that one may ask of a file of an owner, and of the bucket it lies in."""
    name, mine = name_of_file(owner), f"{eve.id}/mine.jpg"
    folder = name.rpartition("/")[0]
    there = {"bucketId": bucket, "sourceKey": name}
    yield FileRequest("GET", f"object/{bucket}/{name}", by="owner")
    yield FileRequest("GET", f"object/public/{bucket}/{name}", by=None)
    yield FileRequest("HEAD", f"object/{bucket}/{name}", by="owner")
    yield FileRequest("GET", f"object/info/{bucket}/{name}", by="owner")
    for prefix in (folder, str(owner.id)):
        yield FileRequest("POST", f"object/list/{bucket}", {"prefix": prefix}, by="owner")
    yield FileRequest("POST", f"object/sign/{bucket}/{name}", {"expiresIn": 60}, by="owner")
    yield FileRequest("POST", f"object/upload/sign/{bucket}/{name}", {})
    yield put(bucket, name, b"forged")
    yield FileRequest("PUT", f"object/{bucket}/{name}", content=b"forged")
    yield put(bucket, f"{folder}/more.jpg", b"forged")
    yield put(bucket, mine, b"forged")
    yield FileRequest("POST", "object/copy", {**there, "destinationKey": mine})
    yield FileRequest("POST", "object/move", {**there, "destinationKey": f"{name}.away"})
    yield FileRequest("GET", f"bucket/{bucket}")
    yield FileRequest("PUT", f"bucket/{bucket}", {"public": True})
    yield FileRequest("POST", "bucket", {"name": f"of-{eve.name}", "id": f"of-{eve.name}"})
    yield FileRequest("DELETE", f"object/{bucket}", {"prefixes": [name]})
    # Of these, a project has what the one on loopback lacks.
    signed = {"expiresIn": 60, "paths": [name]}
    yield FileRequest("POST", f"object/sign/{bucket}", signed, by=None)
    yield FileRequest("GET", f"object/authenticated/{bucket}/{name}", by=None)
    yield FileRequest("DELETE", f"object/{bucket}/{name}", by=None)
    yield FileRequest("POST", f"bucket/{bucket}/empty")
    yield FileRequest("DELETE", f"bucket/{bucket}")
