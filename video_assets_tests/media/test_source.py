"""Opening: whatever lies at a path, one clear sentence or a clip, never a hang or a leaked name."""

import os
import socket
from pathlib import Path

import pytest

from video_assets.media.errors import MediaError, NotAVideoError, UnreadableError
from video_assets.media.probe import probe_media
from video_assets.media.source import open_media
from video_assets_tests.clips import Clip, make_clip, make_sound

FRAMES = Clip(frames=6)


def complaint(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe_media(path)
    assert path.name not in str(caught.value)
    assert str(path.parent) not in str(caught.value)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"new\nline.mp4", id="newline"),
        pytest.param(b"-i.mp4", id="leading dash"),
        pytest.param(b"inv\xff\xfe.mp4", id="not UTF-8"),
        pytest.param(b"http:x.mp4", id="like an address"),
        pytest.param(b"concat:a|b.mp4", id="like a protocol"),
        pytest.param(b"frame%03d.mp4", id="like a sequence"),
        pytest.param("\u89c6\u9891 \U0001f3ac '\".mp4".encode(), id="not ASCII"),
        pytest.param(b"x" * 250 + b".mp4", id="long"),
    ],
)
def test_any_name_opens(tmp_path, name):
    clip = make_clip(tmp_path / "clip.mp4", FRAMES)
    odd = clip.rename(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)))
    assert probe_media(odd).video.frame_count == 6


def test_a_relative_path_and_a_link_open(tmp_path, monkeypatch):
    make_clip(tmp_path / "clip.mp4", FRAMES)
    (tmp_path / "link.mp4").symlink_to("clip.mp4")
    monkeypatch.chdir(tmp_path)
    with open_media(Path("link.mp4")) as container:
        assert len(container.streams.video) == 1


@pytest.mark.timeout(20)
def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "dangling.mp4").symlink_to("gone.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket.mp4"))
        assert "a socket" in complaint(tmp_path / "socket.mp4")
    assert "a named pipe" in complaint(tmp_path / "pipe.mp4")
    assert "a device" in complaint(tmp_path / "device.mp4")
    assert "gone" in complaint(tmp_path / "dangling.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert "a folder" in complaint(tmp_path / "folder.mp4")


def test_a_locked_file_says_so(open_place, unprivileged):
    make_clip(open_place / "clip.mp4", FRAMES).chmod(0)
    with unprivileged:
        assert "permission" in complaint(open_place / "clip.mp4")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(bytes(5000), "are zeros", id="zeros"),
        pytest.param(b"Shopping list: eggs\n", "found text", id="text"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(99), "a JPEG picture", id="JPEG"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(99), "a HEIF or raw picture", id="HEIC"),
        pytest.param(b"#EXTM3U\nhttp://x/y.ts\n", "a playlist", id="playlist"),
        pytest.param(b"ffconcat version 1.0\nfile /etc/passwd\n", "a playlist", id="concat"),
        pytest.param(b"\x1aE\xdf\xa3" + b"\xff" * 99, "its header is damaged", id="Matroska"),
        pytest.param(bytes(range(1, 200)), "no known container", id="noise"),
        pytest.param(b"\0\0\0\x10ftypisom\0\0\0\0", "no index (moov)", id="no moov"),
        pytest.param(
            b"\0\0\0\x10ftypisom\0\0\0\0\0\x01\0\0mdat" + b"\x07" * 50, "cut off", id="cut off"
        ),
    ],
)
def test_what_is_no_clip_is_named(tmp_path, data, said):
    (tmp_path / "clip.mp4").write_bytes(data)
    assert said in complaint(tmp_path / "clip.mp4")


def test_sound_is_no_video_even_with_a_cover(tmp_path):
    assert "found only sound (aac)" in complaint(make_sound(tmp_path / "a.mp4"))
    covered = make_sound(tmp_path / "b.mp4", cover_art=True)
    assert complaint(covered) == (
        "NotAVideoError: expected a video, found only sound (aac) and cover art"
    )


def test_a_clip_without_its_index_was_cut_off(tmp_path):
    whole = make_clip(tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableError, match=r"cut off .* copy it from the card again"):
        probe_media(tmp_path / "clip.mp4")


def test_a_still_named_like_a_clip_is_no_video(tmp_path):
    picture = make_clip(
        tmp_path / "clip.mkv", Clip(frames=1, codec="mjpeg", pixel_format="yuvj420p")
    )
    assert probe_media(picture).video.codec == "mjpeg"  # a container makes it a clip of one frame
    (tmp_path / "x.mp4").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    with pytest.raises(NotAVideoError, match="a PNG picture"):
        probe_media(tmp_path / "x.mp4")
