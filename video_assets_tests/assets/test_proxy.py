"""The proxy asset: what its settings take, what a result says, and when it complains."""

import av
import pytest
from pydantic import ValidationError

from video_assets.analyzer import ANALYZERS
from video_assets.assets.derive.proxy import (
    Proxy,
    ProxySettings,
    find_loss,
    find_silence,
    find_unplayable,
    proxy,
)
from video_assets.assets.measure.probe import Probe
from video_assets.media.hashing import hash_file
from video_assets.media.measurements import Measurements
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.clips import Clip, make_clip

CHECKSUM = "c" * 64


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Proxy, ArtifactFolder]:
    folder = tmp_path_factory.mktemp("proxy")
    path = make_clip(folder / "clip.mp4", Clip(frames=48, audio_tracks=1))
    artifacts = ArtifactFolder.of(folder / "artifacts", CHECKSUM, "proxy")
    probe = Probe.model_validate(dict(probe_media(path)))
    result = ANALYZERS[proxy.key.to_user_string()].function(
        Source(CHECKSUM, path), probe, ProxySettings(), artifacts, Progress()
    )
    assert isinstance(result, Proxy)
    return result, artifacts


def test_its_files_are_there_and_what_their_digests_say(made):
    result, artifacts = made
    assert hash_file(artifacts.upstream(result.file)).hexdigest == result.file_digest
    seen = Measurements.load(artifacts.upstream(result.measurements))
    assert seen.frame_count == result.source_frame_count == 48
    assert sorted(path.name for path in artifacts.path.iterdir()) == [
        "measurements.npz",
        "proxy.mp4",
    ]


def test_a_sound_clip_raises_no_complaint(made):
    result, _ = made
    assert (find_loss(result), find_unplayable(result), find_silence(result)) == (None, None, None)
    assert result.has_audio


def test_a_result_holds_no_path(made, tmp_path_factory):
    result, _ = made
    assert str(tmp_path_factory.getbasetemp()) not in result.model_dump_json()


@pytest.mark.parametrize(("written", "bits"), [("1000k", 1_000_000), ("2M", 2_000_000)])
def test_a_bit_rate_is_written_as_people_do(written, bits):
    assert ProxySettings.model_validate({"bitrate": written}).bitrate == bits


@pytest.mark.parametrize("wrong", [{"bitrate": "fast"}, {"codec": "vp9"}, {"fps": 0}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        ProxySettings.model_validate(wrong)


def test_a_clip_of_which_half_is_lost_is_named(made):
    result, _ = made
    lost = result.model_copy(update={"declared_duration_s": 9.0})
    assert "lasts 9.00 s" in str(find_loss(lost))


@pytest.mark.parametrize(("picture_s", "decoded_s"), [(None, 3.0), (2.0, 2.0)])
def test_sound_that_goes_on_is_no_loss_of_picture(tmp_path, picture_s, decoded_s):
    sound, path = tmp_path / "sound.mkv", tmp_path / "clip.mkv"
    make_clip(sound, Clip(frames=72, audio_tracks=1))
    with av.open(str(sound)) as source, av.open(str(path), "w") as copy:
        streams = [copy.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            is_late = packet.stream.type == "video" and (packet.pts or 0) * packet.time_base >= 2
            if packet.size and not is_late:
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
    probe = Probe.model_validate(dict(probe_media(path)))
    video = probe.video.model_copy(update={"duration_s": picture_s})
    artifacts = ArtifactFolder.of(tmp_path / "artifacts", CHECKSUM, "proxy")
    result = ANALYZERS[proxy.key.to_user_string()].function(
        Source(CHECKSUM, path),
        probe.model_copy(update={"video": video}),
        ProxySettings(),
        artifacts,
        Progress(),
    )
    assert isinstance(result, Proxy)
    assert result.decoded_duration_s == pytest.approx(decoded_s, abs=0.05)
    assert find_loss(result) is None


def test_damage_is_named(made):
    result, _ = made
    assert "3 packets" in str(find_loss(result.model_copy(update={"damaged_packets": 3})))


def test_tracks_without_sound_are_named(made):
    result, _ = made
    assert "none of the 1" in str(find_silence(result.model_copy(update={"sound": None})))


def test_a_proxy_that_is_too_short_is_named(made):
    result, _ = made
    assert "shorter" in str(find_unplayable(result.model_copy(update={"duration_s": 0.5})))
