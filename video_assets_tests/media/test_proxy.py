"""One pass over a clip: the proxy shows the right frames, and the measures are what was drawn."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from video_assets.media.encoders import choose_encoder, family_of
from video_assets.media.errors import UndecodableError
from video_assets.media.measurements import Measurements
from video_assets.media.measuring import Measurer
from video_assets.media.picture import proxy_size
from video_assets.media.probe import probe_media
from video_assets.media.proxy import ProxyPass, make_proxy
from video_assets.media.proxy_writer import ProxyPlan
from video_assets_tests.clips import Clip, flat, make_clip, numbered, quadrants, read_frame_number
from video_assets_tests.truth import ffmpeg_says


def pass_over(path, *, fps=5.0, height=480) -> ProxyPass:
    facts = probe_media(path)
    size = proxy_size(facts.video, height)
    plan = ProxyPlan(size, fps, 1_000_000, choose_encoder("h264"))
    return make_proxy(path, facts, plan, path.with_suffix(".proxy"), lambda _: None)


def pictures(path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path.with_suffix(".proxy"))) as container:
        return [(f.time or 0.0, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]


def test_the_proxy_shows_the_frames_that_the_map_names(tmp_path):
    path = make_clip(
        tmp_path / "clip.mp4", Clip(width=128, height=72, frames=60, rate=Fraction(30))
    )
    seen = pass_over(path).measurements
    assert list(seen.proxy_index) == list(range(0, 60, 6))
    shown = pictures(path)
    assert [read_frame_number(picture) for _, picture in shown] == list(seen.proxy_index)
    assert [time for time, _ in shown] == pytest.approx(seen.time_s[seen.proxy_index], abs=1e-4)


def test_uneven_frame_times_are_kept(tmp_path):
    times = [Fraction(n * n, 100) for n in range(20)]
    path = make_clip(tmp_path / "clip.mkv", Clip(frames=20, times_s=times))
    seen = pass_over(path).measurements
    assert seen.time_s == pytest.approx([float(time) for time in times], abs=2e-3)
    assert [time for time, _ in pictures(path)] == pytest.approx(
        seen.time_s[seen.proxy_index], abs=1e-4
    )


def test_the_proxy_is_upright_small_and_right_in_colour(tmp_path):
    clip = Clip(width=256, height=144, rotation=90, picture=quadrants)
    path = make_clip(tmp_path / "clip.mp4", clip)
    pass_over(path, height=72)
    picture = pictures(path)[0][1].astype(int)
    assert picture.shape == (128, 72, 3)
    upper_left, upper_right = picture[20, 15], picture[20, 55]  # turned clockwise: blue, red
    assert upper_left[2] > 150 > upper_left[0] + 50
    assert upper_right[0] > 150 > upper_right[2] + 50


def test_the_proxy_ends_with_its_source(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", Clip(frames=37, rate=Fraction(24)))
    assert pass_over(path).end_s == pytest.approx(37 / 24, abs=0.002)
    with av.open(str(path.with_suffix(".proxy"))) as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(37 / 24, abs=0.01)


@pytest.mark.parametrize("form", ["yuv420p", "yuv422p10le", "yuvj420p"])
def test_luma_is_a_share_of_the_range_at_any_depth(tmp_path, form):
    gray = Clip(picture=flat(128, 128, 128), pixel_format=form, codec="libx264")
    seen = pass_over(make_clip(tmp_path / "clip.mp4", gray)).measurements
    assert seen.luma_mean == pytest.approx(np.full(48, 128 / 255), abs=0.02)
    assert int(seen.histogram.sum(axis=1).min()) == 64 * 36


@pytest.mark.parametrize(
    ("codec", "form"), [("rawvideo", "uyvy422"), ("ffv1", "bgr0"), ("ffv1", "gbrp10le")]
)
def test_luma_and_colour_are_found_where_they_are_mixed(tmp_path, codec, form):
    def picture(number, width, height):
        return flat(255, 255, 255 if number < 24 else 0)(0, width, height)

    clip = Clip(picture=picture, pixel_format=form, codec=codec)
    seen = pass_over(make_clip(tmp_path / "clip.mkv", clip)).measurements
    assert seen.luma_mean[:24] == pytest.approx(np.ones(24), abs=0.01)
    assert seen.difference_saturation[24] > 200


def test_a_palette_is_measured():
    measurer = Measurer("pc")
    for level in (0, 255):
        palette = np.full((256, 4), level, np.uint8)
        image: Any = (np.zeros((36, 64), np.uint8), palette)
        frame = av.VideoFrame.from_ndarray(image, "pal8")
        measurer.add(frame, level / 255)
    seen = measurer.finish(proxy_index=[0], transfer="", damaged=0)
    assert list(seen.luma_mean) == pytest.approx([0, 1], abs=0.01)


def test_a_cut_is_a_leap_and_a_standstill_is_known(tmp_path):
    def picture(number, width, height):
        return flat(200, 40, 40)(0, width, height) if number < 24 else numbered(7, width, height)

    seen = pass_over(make_clip(tmp_path / "clip.mp4", Clip(picture=picture))).measurements
    change = seen.difference_hue + seen.difference_saturation + seen.difference_value
    assert int(np.argmax(change)) == 24
    assert change[24] > 60 > 3 > np.delete(change, 24).max()
    assert list(seen.still_since) == [0] * 24 + [24] * 24


def test_loudness_is_what_ffmpeg_measures(tmp_path):
    path = make_clip(tmp_path / "clip.mkv", Clip(frames=120, audio_tracks=1))
    sound = pass_over(path).sound
    assert sound is not None
    assert sound.integrated_lufs == pytest.approx(ffmpeg_says.loudness(path), abs=0.1)
    assert sound.true_peak_dbtp == pytest.approx(
        20 * np.log10(8000 / 32768), abs=1
    )  # the codec overshoots
    assert sound.silent_ranges == ()
    assert not sound.is_silent


def test_the_proxy_keeps_the_sound(tmp_path):
    path = make_clip(tmp_path / "clip.mov", Clip(frames=48, audio_tracks=1))
    assert pass_over(path).has_audio
    with av.open(str(path.with_suffix(".proxy"))) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48_000 == pytest.approx(2.0, abs=0.05)


def test_a_bare_stream_is_timed_by_its_rate(tmp_path):
    path = tmp_path / "clip.h264"
    with (
        av.open(str(make_clip(tmp_path / "clip.mp4", Clip(frames=48, rate=Fraction(25))))) as clip,
        av.open(str(path), "w") as bare,
    ):
        stream = bare.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.size:
                packet.stream = stream
                bare.mux(packet)
    done = pass_over(path)
    assert done.end_s == pytest.approx(48 / 25, abs=0.01)
    assert len(pictures(path)) == len(done.measurements.proxy_index) == 10


def broadcast(path, sound_rate: int, layout: str) -> bytes:
    """Two seconds of a transport stream whose sound is noise."""
    with av.open(str(path), "w", format="mpegts") as container:
        video = container.add_stream("mpeg2video", rate=25)
        sound = container.add_stream("aac", rate=sound_rate, layout=layout)
        assert isinstance(video, VideoStream)
        assert isinstance(sound, AudioStream)
        video.width, video.height, video.pix_fmt = 64, 36, "yuv420p"
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((54, 64), 90, np.uint8), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        shape = (1, av.AudioLayout(layout).nb_channels * 2 * sound_rate)
        noise = np.random.default_rng(1).normal(0, 0.1, shape).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(noise, "flt", layout)
        frame.sample_rate, frame.pts = sound_rate, 0
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path.read_bytes()


def test_sound_that_changes_its_form_is_measured_to_its_end(tmp_path):
    path = tmp_path / "clip.ts"
    parts = (
        broadcast(tmp_path / "1.ts", 48_000, "stereo"),
        broadcast(tmp_path / "2.ts", 44_100, "mono"),
    )
    path.write_bytes(b"".join(parts))
    sound = pass_over(path).sound
    assert sound is not None
    assert sound.channels == 2
    assert sound.duration_s == pytest.approx(4.0, abs=0.1)


def test_eight_channels_are_measured(tmp_path):
    path = tmp_path / "clip.ts"
    broadcast(path, 48_000, "7.1")
    sound = pass_over(path).sound
    assert sound is not None
    assert sound.channels == 8
    assert sound.integrated_lufs == pytest.approx(ffmpeg_says.loudness(path), abs=0.1)


def test_a_clip_that_breaks_off_gives_what_there_is(tmp_path):
    path = make_clip(tmp_path / "clip.ts", Clip(frames=96, codec="mpeg2video"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 20 < pass_over(path).measurements.frame_count < 80


def test_a_clip_without_a_picture_is_refused(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", Clip())
    facts = probe_media(path)
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 4], "big")
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    plan = ProxyPlan((64, 36), 5, 1_000_000, choose_encoder("h264"))
    with pytest.raises(UndecodableError, match="not one frame"):
        make_proxy(path, facts, plan, tmp_path / "proxy", lambda _: None)


def test_progress_goes_from_none_to_all(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", Clip())
    shares: list[float] = []
    facts = probe_media(path)
    plan = ProxyPlan((64, 36), 5, 1_000_000, choose_encoder("h264"))
    make_proxy(path, facts, plan, tmp_path / "proxy", shares.append)
    assert shares == sorted(shares)
    assert shares[0] < 0.1 < 0.9 < shares[-1] <= 1


def test_measurements_read_back_as_they_were(tmp_path):
    seen = pass_over(make_clip(tmp_path / "clip.mp4", Clip(frames=30))).measurements
    seen.save(tmp_path / "measurements")
    again = Measurements.load(tmp_path / "measurements")
    assert again.transfer == seen.transfer
    assert np.array_equal(again.fields, seen.fields, equal_nan=True)
    assert np.array_equal(again.pts, seen.pts)


def test_measurements_of_another_kind_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", pts=np.zeros(3))
    with pytest.raises(ValueError, match="lack"):
        Measurements.load(tmp_path / "other.npz")


def test_an_encoder_that_is_not_here_is_replaced_by_software():
    assert choose_encoder("h264_v4l2m2m").name in ("libx264", "h264_v4l2m2m")
    assert choose_encoder("hevc").family == "hevc"


def test_an_unknown_codec_is_named():
    with pytest.raises(ValueError, match="vp9"):
        family_of("vp9")
