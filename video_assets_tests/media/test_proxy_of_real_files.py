"""The proxies of real files play: upright, in order, as long as the source, and as loud."""

import av
import numpy as np
import pytest

from video_assets.media.encoders import choose_encoder
from video_assets.media.picture import proxy_size
from video_assets.media.probe import probe_media
from video_assets.media.proxy import make_proxy
from video_assets.media.proxy_writer import ProxyPlan
from video_assets_tests.test_manifest import MEDIA, PLAYABLE, missing
from video_assets_tests.truth import ffmpeg_says

FPS, HEIGHT = 5.0, 480
LOUDNESS_LU, QUIETEST_LUFS = 0.5, -70.0
SLOWEST_FRAME_S = 1 / 10


@missing
@pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in PLAYABLE])
def test_the_proxy_plays_and_its_sound_is_as_loud_as_ffmpeg_says(row, tmp_path):
    path, goal = MEDIA / row["file"], tmp_path / "proxy.mp4"
    facts = probe_media(path)
    size = proxy_size(facts.video, HEIGHT)
    plan = ProxyPlan(size, FPS, 1_000_000, choose_encoder("h264"))
    done = make_proxy(path, facts, plan, goal, lambda _: None)
    seen = done.measurements
    with av.open(str(goal)) as container:
        length_s = (container.duration or 0) / 1e6
        has_audio = bool(container.streams.audio)
        shown = [(frame.pts or 0, frame.width, frame.height) for frame in container.decode(video=0)]
    assert len(shown) == len(seen.proxy_index)
    assert np.all(np.diff([pts for pts, *_ in shown]) > 0)
    assert {each[1:] for each in shown} == {size}
    aspect = facts.video.display_width / facts.video.display_height
    assert size[0] / size[1] == pytest.approx(aspect, rel=0.03)
    assert length_s == pytest.approx(done.end_s, abs=SLOWEST_FRAME_S)
    picture_s = float(seen.time_s.max()) + seen.spacing_s()
    assert length_s >= picture_s - max(SLOWEST_FRAME_S, seen.spacing_s())
    assert has_audio == (done.sound is not None)

    theirs = ffmpeg_says.loudness(path)
    ours = done.sound.integrated_lufs if done.sound is not None else None
    if theirs is None or theirs <= QUIETEST_LUFS:
        assert ours is None
    else:
        assert ours == pytest.approx(theirs, abs=LOUDNESS_LU)
