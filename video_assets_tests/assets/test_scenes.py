"""Scenes and exposure: what is found in the measures of made clips is what was drawn."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.exposure import (
    Exposure,
    find_impossible,
    find_other_fields,
)
from video_assets.assets.analyze.scenes import Scenes, find_hole
from video_assets.assets.derive.proxy import ProxySettings
from video_assets.assets.measure.probe import Probe
from video_assets.clip_worker import Failed, Task, perform
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.clips import Clip, flat, make_clip

CHECKSUM = "c" * 64
RED, BLUE, BLACK, WHITE = flat(200, 30, 30), flat(30, 30, 200), flat(0, 0, 0), flat(255, 255, 255)


@pytest.fixture
def analyze(tmp_path):
    def run(clip: Clip, name: str = "clip.mp4") -> tuple[Scenes, Exposure, ArtifactFolder]:
        path = make_clip(tmp_path / name, clip)
        folders = {
            asset: ArtifactFolder.of(tmp_path / "artifacts", CHECKSUM, asset)
            for asset in ("proxy", "scenes", "exposure")
        }
        probe = Probe.model_validate(dict(probe_media(path)))
        made = {asset: ANALYZERS[asset].function for asset in folders}
        proxy = made["proxy"](
            Source(CHECKSUM, path), probe, ProxySettings(), folders["proxy"], Progress()
        )
        scenes = made["scenes"](proxy, folders["scenes"])
        exposure = made["exposure"](probe, None, proxy, scenes, folders["exposure"])
        assert isinstance(scenes, Scenes)
        assert isinstance(exposure, Exposure)
        return scenes, exposure, folders["scenes"]

    return run


def pictures(*parts):
    """Draw each picture for so many frames."""

    def picture(number, width, height):
        for draw, count in parts:
            if number < count:
                return draw(number, width, height)
            number -= count
        return parts[-1][0](number, width, height)

    return picture


def test_cuts_are_found_at_the_very_frame(analyze):
    clip = Clip(frames=72, picture=pictures((RED, 24), (BLUE, 20), (RED, 28)))
    scenes, _, artifacts = analyze(clip)
    assert [(s.start_frame, s.end_frame) for s in scenes.scenes] == [(0, 24), (24, 44), (44, 72)]
    assert scenes.scene_changes == pytest.approx((1.0, 44 / 24), abs=1e-4)
    assert scenes.scenes[-1].end_s == pytest.approx(3.0, abs=0.01)
    still = scenes.scenes[1].representative_frame
    image = cv2.imdecode(
        np.frombuffer(artifacts.upstream(str(still)).read_bytes(), np.uint8), cv2.IMREAD_COLOR
    )
    assert image is not None
    assert image[..., 0].mean() > 150 > 80 > image[..., 2].mean()  # blue before red
    assert find_hole(scenes) is None


def test_uneven_times_are_told_exactly(analyze):
    times = [Fraction(n, 10) if n < 10 else Fraction(n - 9) for n in range(20)]
    clip = Clip(frames=20, times_s=times, picture=pictures((RED, 12), (BLUE, 8)))
    scenes, _, _ = analyze(clip, "clip.mkv")
    assert scenes.scene_changes == pytest.approx((3.0,), abs=2e-3)


def test_a_clip_without_a_cut_is_one_scene(analyze):
    scenes, _, _ = analyze(Clip(frames=24, picture=RED))
    assert [s.begins_with for s in scenes.scenes] == ["start"]
    assert scenes.scene_changes == ()


def test_one_frame_is_one_scene(analyze):
    scenes, exposure, _ = analyze(Clip(frames=1, picture=RED))
    assert len(scenes.scenes) == 1
    assert exposure.frames_measured == 1


def test_a_flash_is_no_cut(analyze):
    scenes, _, _ = analyze(Clip(frames=72, picture=pictures((RED, 36), (WHITE, 2), (RED, 34))))
    assert scenes.scene_changes == ()


def test_a_fade_through_black_divides_in_its_middle(analyze):
    def fading(number, width, height):
        share = abs(number - 48) / 48  # black at frame 48
        return np.full((height, width, 3), round(200 * max(0.0, share - 0.1)), np.uint8)

    scenes, _, _ = analyze(Clip(frames=96, picture=fading))
    assert [s.begins_with for s in scenes.scenes] == ["start", "fade"]
    assert scenes.scene_changes == pytest.approx((2.0,), abs=1 / 12)


def test_black_and_standstill_are_found_where_they_are(analyze):
    clip = Clip(frames=120, picture=pictures((RED, 24), (BLACK, 24), (BLUE, 72)))
    _, exposure, _ = analyze(clip)
    assert [(s.start_s, s.end_s) for s in exposure.black_ranges] == [
        (pytest.approx(1.0, abs=1e-3), pytest.approx(2.0, abs=1e-3))
    ]
    assert [s.end_s for s in exposure.frozen_ranges] == [pytest.approx(5.0, abs=0.05)]


@pytest.mark.parametrize(
    ("level", "stops", "quality"), [(128, 0.0, "excellent"), (64, -2.4, "poor"), (40, -4.0, "poor")]
)
def test_stops_are_counted_in_light(analyze, level, stops, quality):
    _, exposure, _ = analyze(Clip(frames=12, picture=flat(level, level, level)))
    assert exposure.stops == pytest.approx(stops, abs=0.15)
    assert exposure.overall_quality == quality


def test_what_is_white_or_black_is_lost(analyze):
    def half(number, width, height):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, : width // 2] = 255
        return picture

    _, exposure, _ = analyze(Clip(frames=12, picture=half))
    assert exposure.overexposed_percentage == pytest.approx(50, abs=3)
    assert exposure.underexposed_percentage == pytest.approx(50, abs=3)
    assert exposure.warning
    assert find_impossible(exposure) is None


def test_each_scene_is_judged_by_itself(analyze):
    _, exposure, _ = analyze(Clip(frames=72, picture=pictures((WHITE, 36), (BLACK, 36))))
    first, second = exposure.per_scene
    assert (first.overexposed_percentage, second.underexposed_percentage) == (100, 100)


@pytest.mark.parametrize(("is_top_first", "order"), [(True, "tff"), (False, "bff")])
def test_the_order_of_fields_is_seen_in_the_picture(analyze, is_top_first, order):
    def woven(number, width, height):
        lines = []
        for half in (0, 1):
            step = (2 * number + half) * 3
            columns = (np.arange(width) + step) // 16 % 2 * 160 + 40
            lines.append(np.tile(columns, (height, 1)))
        earlier, later = lines
        picture = np.empty((height, width), np.uint8)
        picture[0::2], picture[1::2] = (earlier[0::2], later[1::2])
        if not is_top_first:
            picture[0::2], picture[1::2] = (later[0::2], earlier[1::2])
        return np.repeat(picture[..., None], 3, axis=2)

    clip = Clip(width=128, height=96, frames=48, picture=woven, options={"crf": "4"})
    _, exposure, _ = analyze(clip)
    assert exposure.interlacing.found == order
    assert "progressive" in str(find_other_fields(exposure)) or not exposure.interlacing.declared


def test_moving_whole_frames_are_progressive(analyze):
    def sliding(number, width, height):
        columns = (np.arange(width) + number * 3) // 16 % 2 * 160 + 40
        return np.repeat(np.tile(columns, (height, 1))[..., None], 3, axis=2).astype(np.uint8)

    _, exposure, _ = analyze(Clip(width=128, height=96, frames=48, picture=sliding))
    assert exposure.interlacing.found == "progressive"
    assert find_other_fields(exposure) is None


def test_a_hand_shakes_and_a_tripod_does_not(analyze):
    texture = np.random.default_rng(3).integers(0, 255, (200, 300), np.uint8)
    texture = np.asarray(cv2.GaussianBlur(texture, (0, 0), 2), np.uint8)

    def view(jitter):
        def picture(number, width, height):
            moves = np.random.default_rng(number).integers(-jitter, jitter + 1, 2) + 20
            cut = texture[moves[0] : moves[0] + height, moves[1] : moves[1] + width]
            return np.repeat(cut[..., None], 3, axis=2)

        return picture

    clip = Clip(width=128, height=96, frames=48, picture=view(6))
    _, shaken, _ = analyze(clip)
    _, steady, _ = analyze(Clip(width=128, height=96, frames=48, picture=view(0)), "steady.mp4")
    assert shaken.shake.jitter_percentage is not None
    assert steady.shake.jitter_percentage is not None
    assert shaken.shake.jitter_percentage > 2 > 0.2 > steady.shake.jitter_percentage


def test_a_soft_picture_has_less_focus(analyze):
    texture = np.random.default_rng(3).integers(0, 255, (96, 128), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(texture, (0, 0), 3), np.uint8)

    def show(image):
        return lambda *_: np.repeat(image[..., None], 3, axis=2)

    _, sharp, _ = analyze(Clip(width=128, height=96, frames=12, picture=show(texture)))
    _, soft, _ = analyze(Clip(width=128, height=96, frames=12, picture=show(blurred)), "soft.mp4")
    assert sharp.focus.median > 10 * soft.focus.median


def test_a_proxy_that_is_gone_is_named_and_not_blamed_on_the_clip(analyze, tmp_path):
    analyze(Clip(frames=12, picture=RED))
    folder = ArtifactFolder.of(tmp_path / "artifacts", CHECKSUM, "proxy")
    path = tmp_path / "clip.mp4"
    probe = Probe.model_validate(dict(probe_media(path)))
    made = ANALYZERS["proxy"].function(
        Source(CHECKSUM, path), probe, ProxySettings(), folder, Progress()
    )
    document = made.model_dump(mode="json")
    (folder.path / "measurements.npz").unlink()
    task = Task(
        module="video_assets.assets.analyze.scenes",
        name="scenes",
        checksum=CHECKSUM,
        source=None,
        inputs={"proxy": document},
        settings={},
        artifacts=ArtifactFolder.of(tmp_path / "artifacts", CHECKSUM, "scenes").path,
    )
    answer = perform(task, Progress())
    assert isinstance(answer, Failed)
    assert (answer.error_class, answer.fault) == ("ArtifactMissing", "unreachable")
    assert "that proxy made" in answer.message
