"""Focal length: the camera goes first, a model is asked only where it is silent."""

import pytest

from video_assets.analyzer import ANALYZERS
from video_assets.assets.analyze.focal_length import (
    CameraFocalLength,
    FocalLengthSettings,
    category_of_label,
    vote,
)
from video_assets.assets.derive.thumbnails import ThumbnailSettings, make_thumbnails
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.probe import Probe
from video_assets.media.camera import describe_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves
from video_assets.media.errors import ToolMissingError
from video_assets.media.probe import probe_media
from video_assets.media.source import Source
from video_assets.services import local_models
from video_assets.services.image_classifier import Guess
from video_assets.storage.artifacts import ArtifactFolder
from video_assets_tests.clips import make_clip

CHECKSUM = "c" * 64


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A vision transformer of a few hundred weights, saved as the hub has them."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    names = ["ULTRA-WIDE", "WIDE", "MEDIUM", "LONG-LENS", "TELEPHOTO"]
    config = transformers.ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        image_size=32,
        patch_size=16,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    folder = tmp_path_factory.mktemp("model")
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def look(tmp_path):
    path = make_clip(tmp_path / "clip.mp4")
    store = tmp_path / "artifacts"
    stills = make_thumbnails(
        Source(CHECKSUM, path),
        Probe.model_validate(dict(probe_media(path))),
        ThumbnailSettings(count=3, width=64),
        ArtifactFolder.of(store, CHECKSUM, "thumbnails"),
    )

    def run(camera: Camera | None, model: str) -> CameraFocalLength:
        folder = ArtifactFolder.of(store, CHECKSUM, "focal_length")
        settings = FocalLengthSettings(model=model, device="cpu")
        found = ANALYZERS["focal_length"].function(camera, stills, settings, folder)
        assert isinstance(found, CameraFocalLength)
        return found

    return run


def camera(**tags) -> Camera:
    answer = {f"ExifIFD:{name}": value for name, value in tags.items()}
    return Camera.model_validate(dict(describe_camera(Tags(answer), Moves())))


def test_a_real_model_looks_at_every_still(look, model):
    found = look(camera(), model)
    assert found.source == "AI"
    assert found.category == category_of_label(max(found.votes, key=lambda n: found.votes[n]))
    assert sum(found.votes.values()) == 3
    assert found.confidence is not None


def test_the_model_is_loaded_once(look, model):
    look(camera(), model)
    kept = local_models._kept["image_classifier"][1]
    look(camera(), model)
    assert local_models._kept["image_classifier"][1] is kept


def test_what_the_camera_says_is_never_asked_of_a_model(look):
    said = camera(FocalLength=4.25, FocalLengthIn35mmFormat=26)
    found = look(said, "there is no such model")
    assert (found.value_mm, found.category, found.source) == (4.25, "WIDE", "EXIF")


def test_a_model_that_is_not_here_is_no_fault_of_the_clip(look, tmp_path):
    with pytest.raises(ToolMissingError, match="cannot be loaded"):
        look(None, str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("LONG-LENS", "LONG-LENS"),
        ("long lens", "LONG-LENS"),
        ("Ultra-Wide", "ULTRA-WIDE"),
        ("standard", "MEDIUM"),
        ("fisheye", None),
    ],
)
def test_labels_mean_categories_or_nothing(label, category):
    assert category_of_label(label) == category


def test_the_stills_vote_by_their_probability():
    guesses = [Guess("WIDE", 0.4), Guess("WIDE", 0.4), Guess("TELE", 0.7)]
    assert vote(guesses) == ("WIDE", pytest.approx(0.5333, abs=1e-3))


def test_what_the_model_cannot_tell_stays_unknown():
    assert vote([Guess("fisheye", 0.9), Guess("WIDE", 0.3)]) == (None, None)
    assert vote([]) == (None, None)
