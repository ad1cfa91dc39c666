"""Image classification on this machine, with any such model of the Hugging Face hub or a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from video_assets.media.errors import ToolMissingError
from video_assets.services.device import Device, Wanted, choose_device
from video_assets.services.local_models import keep, load_library


@dataclass(frozen=True)
class Guess:
    """What a model says of one picture: its most probable label."""

    label: str
    probability: float


@dataclass(frozen=True)
class ClassifierSettings:
    """Which model, and where it runs."""

    model: str
    device: Wanted = "auto"


def classify(pictures: Sequence[Path], settings: ClassifierSettings) -> tuple[list[Guess], Device]:
    """Give the most probable label of each picture, and the device that was used.

    The model is loaded on first use and kept while the settings stay the same.

    Raises ToolMissingError without the libraries, the model or the device.
    """
    device = choose_device(settings.device)
    pipeline = keep("image_classifier", settings, lambda: _load(settings.model, device))
    image = load_library("PIL.Image")
    guesses = []
    for path in pictures:
        with image.open(path) as picture:
            best = max(pipeline(picture.convert("RGB")), key=lambda each: each["score"])
        guesses.append(Guess(str(best["label"]), round(float(best["score"]), 4)))
    return guesses, device


def _load(model: str, device: Device):
    transformers = load_library("transformers")
    try:
        return transformers.pipeline("image-classification", model=model, device=device)
    except (OSError, ValueError) as error:
        said = str(error).strip().partition("\n")[0]
        raise ToolMissingError(
            f"the model {model} cannot be loaded: {said}; connect this machine to the hub once, "
            "or name a folder that holds the model in the preset"
        ) from None
