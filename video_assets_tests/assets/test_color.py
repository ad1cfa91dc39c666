"""The color asset: what is told of clips whose colour is known, and when it complains."""

import json

import pytest

from video_assets.assets.measure.color import Color, describe_color, find_contradiction, summarize
from video_assets.assets.measure.probe import Probe
from video_assets.clip_worker import Measured, Task, perform
from video_assets.media.mediainfo import read_mediainfo
from video_assets.media.probe import probe_media
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.locations import Found
from video_assets_tests.clips import HLG, PQ, Clip, make_clip

GRADED = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):"
    "max-cll=1000,400:repeat-headers=1:log-level=none"
)
BT709 = {"color_primaries": 1, "color_trc": 1, "colorspace": 1, "color_range": 1}


def hdr_clip(color: dict[str, int] = PQ, parameters: str = GRADED) -> Clip:
    options = {"x265-params": parameters}
    return Clip(
        codec="libx265", pixel_format="yuv420p10le", frames=4, color=dict(color), options=options
    )


def told(path) -> Color:
    probe = Probe.model_validate(dict(probe_media(path)))
    return describe_color(read_mediainfo(path), probe)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_hdr10_is_told_with_its_light(tmp_path, suffix):
    color = told(make_clip(tmp_path / f"a.{suffix}", hdr_clip()))
    hdr = color.hdr
    assert (hdr.is_hdr, hdr.hdr_format, hdr.hdr_format_commercial) == (True, "HDR10", "HDR10")
    assert (hdr.min_luminance_nits, hdr.max_luminance_nits) == (0.005, 1000.0)
    assert (hdr.max_cll, hdr.max_fall) == (1000, 400)
    assert hdr.master_display == "Display P3, min 0.005 cd/m2, max 1000 cd/m2"
    assert (color.color_primaries, color.transfer_characteristics) == ("bt2020", "smpte2084")
    assert (color.matrix_coefficients, color.color_range) == ("bt2020nc", "Limited")
    assert (color.color_space, color.bit_depth, color.chroma_subsampling) == ("YUV", 10, "4:2:0")
    assert color.disagreements == ()


def test_hlg_is_told(tmp_path):
    hdr = told(make_clip(tmp_path / "a.mp4", hdr_clip(HLG, "log-level=none"))).hdr
    assert (hdr.is_hdr, hdr.hdr_format, hdr.transfer_characteristics) == (
        True,
        "HLG",
        "arib-std-b67",
    )
    assert (hdr.master_display, hdr.max_cll, hdr.dolby_vision) == (None, None, None)


@pytest.mark.parametrize("color", [{}, BT709])
def test_sdr_is_no_hdr_of_no_format(tmp_path, color):
    hdr = told(make_clip(tmp_path / "a.mp4", Clip(frames=4, color=color))).hdr
    assert (hdr.is_hdr, hdr.hdr_format, hdr.max_luminance_nits) == (False, None, None)


def test_an_undeclared_colour_is_unknown(tmp_path):
    color = told(make_clip(tmp_path / "a.avi", Clip(frames=4, codec="mpeg4")))
    assert (color.color_primaries, color.transfer_characteristics) == (None, None)
    assert color.hdr.is_hdr is False


def test_full_range_is_told(tmp_path):
    color = told(make_clip(tmp_path / "a.mp4", Clip(frames=4, color={**BT709, "color_range": 2})))
    assert color.color_range == "Full"


def test_cinema_is_named_and_is_no_hdr(tmp_path):
    cinema = {"color_primaries": 11, "color_trc": 17, "colorspace": 1, "color_range": 1}
    color = told(make_clip(tmp_path / "a.mp4", Clip(frames=4, color=cinema)))
    assert (color.is_dci, color.hdr.is_hdr, color.hdr.hdr_format) == (True, False, None)


@pytest.mark.parametrize(
    ("stream", "container", "form"),
    [
        pytest.param(hdr_clip(), (1, 1, 1), "HDR10", id="HDR in an SDR container"),
        pytest.param(Clip(frames=4, color=BT709), (9, 16, 9), None, id="SDR in an HDR container"),
    ],
)
def test_the_stream_is_believed_and_the_container_named(tmp_path, stream, container, form):
    path = make_clip(tmp_path / "a.mp4", stream)
    data = path.read_bytes()
    place = data.index(b"colrnclx") + 8
    box = b"".join(code.to_bytes(2, "big") for code in container)
    path.write_bytes(data[:place] + box + data[place + 6 :])
    color = told(path)
    assert color.hdr.hdr_format == form
    assert [sentence.split()[3] for sentence in color.disagreements] == [
        "primaries",
        "transfer",
        "matrix",
    ]
    assert "the stream" in (find_contradiction(color) or "")


def test_a_container_that_hides_hdr_is_named(tmp_path):
    path = make_clip(tmp_path / "a.mp4", hdr_clip())
    path.write_bytes(path.read_bytes().replace(b"colrnclx", b"freenclx"))
    color = told(path)
    assert color.hdr.hdr_format == "HDR10"
    assert "of which the container says nothing" in (find_contradiction(color) or "")


def test_a_peak_in_the_wrong_unit_is_understood_and_named(tmp_path):
    color = told(make_clip(tmp_path / "a.mp4", hdr_clip(PQ, GRADED.replace("10000000", "1000"))))
    assert (color.hdr.max_luminance_nits, color.hdr.min_luminance_nits) == (1000.0, 0.005)
    assert find_contradiction(color) == (
        "a display with a peak of 0.1 cd/m2 cannot be; 1000 cd/m2 is meant"
    )


def test_frames_brighter_than_their_pixels_are_named(tmp_path):
    color = told(make_clip(tmp_path / "a.mp4", hdr_clip(PQ, GRADED.replace("1000,400", "300,400"))))
    assert (color.hdr.max_cll, color.hdr.max_fall) == (300, 400)
    assert "cannot have a brightest pixel" in (find_contradiction(color) or "")


def test_a_worker_gives_a_document_that_reads_back(tmp_path):
    path = make_clip(tmp_path / "a.mp4", hdr_clip())
    answer = perform(task("color", path, tmp_path), Progress())
    assert isinstance(answer, Measured)
    color = Color.model_validate(json.loads(json.dumps(answer.document)))
    assert answer.problems == {}
    assert "a.mp4" not in json.dumps(answer.document)
    shown = summarize(color, ArtifactFolder(tmp_path))
    assert (shown["hdr"], shown["max_cll"], shown["mastered_to_nits"]) == ("HDR10", 1000, 1000)
    assert None not in shown.values()


def task(name: str, path, folder) -> Task:
    """Ask for one of the two assets that read what MediaInfo says."""
    return Task(
        module=f"video_assets.assets.measure.{name}",
        name=name,
        checksum="c" * 64,
        source=Found(path, path.stat().st_size, path.stat().st_mtime_ns),
        inputs={"probe": probe_media(path).model_dump(mode="json")},
        settings={},
        artifacts=folder / "artifacts",
    )
