"""What leaves this machine, as `doctor` says it: by each step of the preset, and to whom."""

import importlib.metadata
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from video_assets.services.outgoing import Outgoing
from video_assets.settings import Settings

ANSWERS_WITHIN_S = 1.0


@dataclass(frozen=True)
class Leaving:
    """What one step sends.

    step   of the preset
    is_on  the preset has it enabled
    sent   where it goes, and what is sent
    """

    step: str
    is_on: bool
    sent: Outgoing

    @property
    def words(self) -> str:
        """What is sent, and what is not."""
        sent = self.sent
        given, kept = ", ".join(sent.sends), ", ".join(sent.keeps)
        off = "" if self.is_on else "off; when it is on: "
        if sent.is_here:
            told = f"{off}nothing leaves this machine; {sent.base_url} gets {given}"
        else:
            told = f"{off}{sent.host} gets {given}"
        key = f"; {sent.secret} is set" if sent.secret and sent.has_key else ""
        return f"{told}; it does not get {kept}{key}"

    @property
    def faults(self) -> list[str]:
        """What it lacks, and what to do about it."""
        found = []
        if self.sent.secret and not self.sent.has_key:
            found.append(f"no key: set {self.sent.secret}")
        if not _is_installed(self.sent.library):
            found.append(f"{self.sent.library} is not installed: pip install 'video-assets[ai]'")
        if self.sent.is_here and not _answers(self.sent.base_url):
            found.append(f"no server answers at {self.sent.base_url}: start it")
        return found


def leaving(settings: Settings) -> Iterator[Leaving]:
    """Ask each step of the preset what it sends by its settings.

    Raises PresetError for a preset that cannot be read.
    """
    from video_assets.automation.plan import analyzers
    from video_assets.presets.model import load_preset

    known = analyzers()
    for step in load_preset(settings.preset).steps:
        analyzer = known.get(step.name)
        if analyzer is None or analyzer.sends is None or analyzer.settings_model is None:
            continue
        chosen = analyzer.settings_model.model_validate(analyzer.settings(step.params))
        if (sent := analyzer.sends(chosen)) is not None:
            yield Leaving(step.name, step.enabled, sent)


def _is_installed(library: str) -> bool:
    try:
        importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _answers(base_url: str) -> bool:
    """Tell whether anybody listens there; nothing is sent."""
    address = urlsplit(base_url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        with socket.create_connection((address.hostname or "", port), ANSWERS_WITHIN_S):
            return True
    except OSError:
        return False
