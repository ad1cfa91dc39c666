"""The file of a clip: opening it for decoding without following or believing its name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import av.error
import av.logging

from video_assets.media.errors import NotAVideoError, UnreadableError
from video_assets.media.regular_file import open_regular, read_at
from video_assets.media.sniff import explain_unopened, name_foreign_content

# What people's cameras, editors and browsers write. Left out on purpose: playlists (hls, concat),
# still pictures (image2, *_pipe) and generators (lavfi), which read other files or none at all.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,"
    "ivf,mxf,mxf_opatom,asf,asf_o,flv,live_flv,ogg,dv,gxf,lxf,nut,rm,wtv,vob,h263,vc1,yuv4mpegpipe,"
    "swf,roq,bink,nsv,ty,pva,film_cpk,amv,xwma,wav,w64,flac,mp3,aac,aiff,caf,ac3,eac3,au,amr"
)


@dataclass(frozen=True)
class Source:
    """One clip's content and a place where its bytes can be read now."""

    checksum: str
    path: Path


@contextmanager
def open_media(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a clip for demuxing and decoding, read-only, and nothing else than that file.

    Raises UnreadableError if its bytes cannot be read or end too early, and NotAVideoError if
    they are something else than a clip.
    """
    av.logging.set_level(av.logging.PANIC)  # FFmpeg's log lines name the file
    with open_regular(path) as descriptor:
        if os.fstat(descriptor).st_size == 0:
            raise UnreadableError("the file is empty; copy it from the card again")
        if what := name_foreign_content(read_at(descriptor, 64, 0)):
            raise NotAVideoError(f"expected a video, found {what}")
        try:
            container = av.open(
                # The prefix keeps a name like `http:x.mp4` from being taken for an address.
                "file:" + os.path.abspath(path),  # noqa: PTH100  Path would resolve links
                mode="r",
                metadata_errors="replace",
                options={"protocol_whitelist": "file", "format_whitelist": CONTAINERS},
            )
        except (av.error.FFmpegError, OSError, ValueError):
            raise explain_unopened(descriptor) from None
    with container:
        yield container
