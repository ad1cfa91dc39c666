"""What `video-assets doctor` tells of one thing that it looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: Literal["good", "note", "missing"]
    found: str
    cost: str = ""
    leaves: Mapping[str, Any] | None = None
    """Of a step that asks a service: whom, and what it gives."""
