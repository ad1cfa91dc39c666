"""What the settings say of where artifacts lie, when that is not the home folder."""

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

BUCKET = "artifacts"
"""The bucket of a Supabase project, which migrations make and protect."""

SUPABASE = f"supabase://{BUCKET}"
GB = 1_000_000_000
SCHEMES = ("s3", "gs", "file")


class Artifacts(BaseModel):
    """Where thumbnails, proxies and the like lie; what is used of them is cached here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        default=None,
        description=f"{SUPABASE}, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or file:///FOLDER; none "
        "means the home folder",
    )
    cache_gb: float = Field(
        default=20, gt=0, description="of files on this machine that lie elsewhere too"
    )

    @property
    def cache_bytes(self) -> int:
        """How large the cache may grow."""
        return int(self.cache_gb * GB)

    @field_validator("url")
    @classmethod
    def _is_a_place(cls, url: str | None) -> str | None:
        return None if url is None else checked_place(url)


class ArtifactPlace(BaseModel):
    """The part of the settings that names it."""

    artifacts: Artifacts = Artifacts()


def checked_place(url: str) -> str:
    """Write the address of an object store in one way.

    Raises ValueError, which says what may be written.
    """
    found = urlsplit(url.strip())
    if found.scheme == "supabase":
        if url.strip().rstrip("/") != SUPABASE:
            raise ValueError(f"write {SUPABASE}: this bucket is the one that is protected")
        return SUPABASE
    if found.scheme not in SCHEMES:
        raise ValueError(f"write {SUPABASE}, s3://…, gs://… or file:///…")
    if found.username or found.password or found.query or found.fragment:
        raise ValueError("leave keys out of the address; they belong in the environment")
    if found.scheme == "file" and (found.netloc or not PurePosixPath(found.path).is_absolute()):
        raise ValueError("write file:/// and the folder from the root on")
    if found.scheme != "file" and not re.fullmatch(r"[\w.-]+", found.netloc):
        raise ValueError(f"write {found.scheme}:// and the name of a bucket")
    return f"{found.scheme}://{found.netloc}{found.path.rstrip('/')}"
