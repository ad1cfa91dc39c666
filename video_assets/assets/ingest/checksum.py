"""Checksum: the identity of a clip, its partition key.

Registration makes it when a file is first seen. Materialized again, it reads the whole file once
more and says whether the bytes are still the ones that were registered.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from video_assets.clip_asset import clip_asset
from video_assets.media.errors import ChangedWhileReadError
from video_assets.media.hashing import Algorithm, hash_file
from video_assets.media.source import Source
from video_assets.storage.registration import CHECKSUM_CODE_VERSION

MD5_DIGITS = 32


class FileInfo(BaseModel):
    """What makes a file this clip, wherever it lies and whatever it is called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_checksum: str = Field(description="of all bytes, in hexadecimal")
    checksum_algorithm: Literal["blake3", "md5"]
    file_size_bytes: int = Field(gt=0)


@clip_asset(lane="metadata", code_version=CHECKSUM_CODE_VERSION)
def checksum(source: Source) -> FileInfo:
    """Which bytes each clip is made of; materialize it again to verify them."""
    algorithm: Algorithm = "md5" if len(source.checksum) == MD5_DIGITS else "blake3"
    found = hash_file(source.path, algorithm)
    if found.hexdigest != source.checksum:
        raise ChangedWhileReadError(
            f"the bytes are not the registered ones any more: their {algorithm} is now "
            f"{found.hexdigest[:12]}…; restore the file from a backup, or ingest it as a new clip"
        )
    return FileInfo(
        file_checksum=found.hexdigest,
        checksum_algorithm=algorithm,
        file_size_bytes=found.size_bytes,
    )
