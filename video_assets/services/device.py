"""Where a local model runs: Apple's GPU, an NVIDIA one, or the processor."""

from typing import Literal

from video_assets.media.errors import ToolMissingError
from video_assets.services.local_models import load_library

Device = Literal["mps", "cuda", "cpu"]
Wanted = Literal["auto", "mps", "cuda", "cpu"]


def choose_device(wanted: Wanted = "auto") -> Device:
    """Choose the device of a torch model: MPS, then CUDA, then the processor.

    Raises ToolMissingError if torch is not installed, or a device is asked for that is not here.
    """
    torch = load_library("torch")
    here: list[Device] = ["cpu"]
    if torch.cuda.is_available():
        here.insert(0, "cuda")
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    return _choose(wanted, here)


def choose_ctranslate_device(wanted: Wanted = "auto") -> Device:
    """Choose the device of a CTranslate2 model, which knows CUDA and the processor only."""
    library = load_library("ctranslate2")
    here: list[Device] = ["cuda", "cpu"] if library.get_cuda_device_count() else ["cpu"]
    return _choose(wanted, here)


def _choose(wanted: Wanted, here: list[Device]) -> Device:
    if wanted == "auto":
        return here[0]
    if wanted not in here:
        raise ToolMissingError(
            f"the preset asks for the device {wanted}, but here is only {', '.join(here)}; "
            "set device to auto, then run again"
        )
    return wanted
