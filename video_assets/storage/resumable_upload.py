"""Uploads in parts, by tus 1.0 (https://tus.io/protocols/resumable-upload).

An upload has an address. Whoever knows it can ask how much has arrived, and go on from there. The
Python library of the protocol's makers brings a second and a third HTTP client for these requests.
"""

import base64
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from video_assets.storage.objects import Upload

PART_BYTES = 6 << 20  # Supabase takes parts of exactly this size, but for the last
ATTEMPTS = 5  # in a row, by which nothing arrives
WAIT_S = 0.5
VERSION = {"Tus-Resumable": "1.0.0"}
GONE = (403, 404, 410)  # an upload that is finished, or expired
MAY_HEAL = (409, 423, 429, 500, 502, 503, 504)


class UploadError(Exception):
    """The server does not keep to the protocol, or refuses."""


def upload_in_parts(
    client: httpx.Client, where: str, path: Path, about: Mapping[str, str], upload: Upload
) -> None:
    """Upload a file, from where an earlier upload of it was broken off if there is one.

    where  at which address uploads begin
    about  what the server is told of it

    Raises UploadError, and httpx.TransportError when the line keeps breaking.
    """
    size = path.stat().st_size
    address, offset = upload.begun, None
    if address is not None and _is_near(address, where):
        offset = _arrived(client, address)
    if address is None or offset is None:
        address, offset = _begin(client, where, size, about), 0
        upload.note(address)
    stuck = 0
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            arrived = _send(client, address, offset, file.read(PART_BYTES))
            stuck = 0 if arrived > offset else stuck + 1
            if stuck > ATTEMPTS:
                raise UploadError("the line keeps breaking; what has arrived is kept for a day")
            time.sleep(stuck * WAIT_S)
            offset = arrived


def _begin(client: httpx.Client, where: str, size: int, about: Mapping[str, str]) -> str:
    written = ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in about.items()
    )
    headers = {
        **VERSION,
        "Upload-Length": str(size),
        "Upload-Metadata": written,
        "x-upsert": "true",
    }
    response = client.post(where, headers=headers)
    address = urljoin(where, response.headers.get("Location", ""))
    if response.status_code != 201 or "Location" not in response.headers:
        raise UploadError(f"no upload could be begun: the answer was {response.status_code}")
    if not _is_near(address, where):
        raise UploadError("the upload was to go on at another host")  # our keys would go there
    return address


def _send(client: httpx.Client, address: str, offset: int, part: bytes) -> int:
    """Send a part, and give how much has arrived by then, which the server knows best."""
    headers = {
        **VERSION,
        "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream",
    }
    try:
        response = client.patch(address, headers=headers, content=part)
        if response.status_code == 204:
            return _offset(response)
        if response.status_code not in MAY_HEAL:
            raise UploadError(f"a part was refused: the answer was {response.status_code}")
        arrived = _arrived(client, address)
    except httpx.TransportError:
        arrived = _arrived(client, address)
    if arrived is None:
        raise UploadError("the upload was ended at the other side")
    return arrived


def _arrived(client: httpx.Client, address: str) -> int | None:
    """Ask how much has arrived; None of an upload that is known no more."""
    response = client.head(address, headers=VERSION)
    if response.status_code in GONE:
        return None
    if not response.is_success:
        raise UploadError(f"no word of the upload: the answer was {response.status_code}")
    return _offset(response)


def _offset(response: httpx.Response) -> int:
    try:
        return int(response.headers["Upload-Offset"])
    except (KeyError, ValueError):
        raise UploadError("the answer does not say how much has arrived") from None


def _is_near(address: str, where: str) -> bool:
    return urlsplit(address)[:2] == urlsplit(where)[:2]
