"""File systems by names that outlive a remount where the system knows one."""

import os
from pathlib import Path

BY_UUID = Path("/dev/disk/by-uuid")
_FLEETING = "dev-"


def name_volume(path: Path, device: int) -> str:
    """Name the file system of a path whose `st_dev` is `device`."""
    try:
        identity = os.statvfs(path).f_fsid
    except OSError:
        identity = 0
    if identity not in (0, device):
        return f"fsid-{identity:x}"
    # FAT, exFAT and XFS give the number of the device, which the next card in the slot has too.
    if uuid := find_uuid(device):
        return f"uuid-{uuid}"
    return f"{_FLEETING}{device:x}"


def is_lasting(volume: str) -> bool:
    """Tell whether a name means the same file system after a remount."""
    return not volume.startswith(_FLEETING)


def find_uuid(device: int, folder: Path = BY_UUID) -> str | None:
    """Find the UUID of a block device where Linux lists them."""
    try:
        links = sorted(folder.iterdir())
    except OSError:
        return None
    for link in links:
        try:
            if link.stat().st_rdev == device:
                return link.name
        except OSError:
            continue
    return None
