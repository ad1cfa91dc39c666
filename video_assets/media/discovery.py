"""Which files in the given places may be clips: listed and looked at, never opened."""

import fnmatch
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from video_assets.media.source import explain_os_error, modified_ns, name_irregular

EXTENSIONS = (
    *("mp4", "m4v", "mov", "qt", "3gp", "3g2", "insv", "lrv"),  # ISO and QuickTime
    *("mkv", "webm", "avi", "divx", "wmv", "asf", "flv", "f4v", "ogv", "ogm", "rm", "rmvb"),
    *("mxf", "gxf", "lxf", "dv", "dif"),  # professional cameras and decks
    *("mts", "m2ts", "m2t", "ts", "tod", "mod", "mpg", "mpeg", "m2v", "vob", "wtv"),  # MPEG
)
DEFAULT_PATTERN = ",".join(f"*.{extension}" for extension in EXTENSIONS)

LONGEST_PATH = 2_000  # bytes; a database's index takes 2,700, and few programs take as many

# Left behind by systems, NAS boxes and file managers; names are compared in lower case.
_JUNK_FOLDERS = {"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information"}


@dataclass(frozen=True, order=True)
class Candidate:
    """A file that may be a clip. Together the fields tell an unchanged file without reading it."""

    path: Path
    size_bytes: int
    mtime_ns: int
    inode: int
    volume: str


@dataclass(frozen=True, order=True)
class Reject:
    """A path that was asked for and is not taken, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Listing:
    """What was found. A root that cannot be reached says nothing about the clips below it."""

    candidates: tuple[Candidate, ...]
    rejects: tuple[Reject, ...]
    unreachable: tuple[Reject, ...]


def discover(
    paths: Iterable[Path], patterns: str | None = None, *, recursive: bool = True
) -> Listing:
    """List the files below folders whose names match, and the files that are named themselves.

    patterns   file name patterns separated by commas, in any letter case; None for the default.
               A file given in `paths` is taken whatever it is called.

    Hidden entries and what systems leave behind are skipped. Links to files are taken, links to
    folders are not followed, so there can be no loop.
    """
    search = _Search(compile_patterns(patterns), recursive)
    for path in paths:
        search.visit_root(Path(os.path.abspath(path)))  # noqa: PTH100  Path would resolve links
    return Listing(
        candidates=tuple(sorted(search.candidates.values())),
        rejects=tuple(sorted(set(search.rejects))),
        unreachable=tuple(sorted(set(search.unreachable))),
    )


def compile_patterns(patterns: str | None) -> Callable[[str], bool]:
    """Make a test of file names from patterns separated by commas."""
    wanted = [part.strip() for part in (patterns or "").split(",") if part.strip()]
    expressions = (fnmatch.translate(_fold(part)) for part in wanted or DEFAULT_PATTERN.split(","))
    matches = re.compile("|".join(expressions)).match
    return lambda name: matches(_fold(name)) is not None


def is_settled(before: Candidate, after: Candidate, *, now_ns: int, quiet_s: float) -> bool:
    """Tell whether a file is no longer being written, from two looks at it.

    quiet_s  for how long it must not have been touched. A time in the future (a camera's wrong
             clock) settles nothing by itself, so two equal looks are enough then.
    """
    if (before.size_bytes, before.mtime_ns) != (after.size_bytes, after.mtime_ns):
        return False
    age_ns = now_ns - after.mtime_ns
    return age_ns < 0 or age_ns >= quiet_s * 1e9


def name_volume(path: Path, device: int) -> str:
    """Name the file system of a path so that the name outlives a remount where it can."""
    try:
        identity = os.statvfs(path).f_fsid
    except OSError:
        identity = 0
    return f"fsid-{identity:x}" if identity else f"dev-{device:x}"


def _fold(name: str) -> str:
    # macOS stores decomposed names: `é` as two code points.
    return unicodedata.normalize("NFC", name).lower()


@dataclass
class _Search:
    matches: Callable[[str], bool]
    recursive: bool
    candidates: dict[str, Candidate] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    unreachable: list[Reject] = field(default_factory=list)
    volumes: dict[int, str] = field(default_factory=dict)

    def visit_root(self, root: Path) -> None:
        try:
            status = root.stat()
        except OSError as error:
            reason = _explain_missing(root) or explain_os_error(error)
            self.unreachable.append(Reject(root, reason))
            return
        if not stat.S_ISDIR(status.st_mode):
            self.take(str(root), status)
        elif (reason := self.visit_folder(str(root))) is not None:
            self.unreachable.append(Reject(root, reason))

    def visit_folder(self, folder: str) -> str | None:
        """Take what a folder holds; give the reason if it cannot be listed."""
        folders = [folder]
        while folders:
            here = folders.pop()
            try:
                with os.scandir(here) as entries:
                    folders += [e.path for e in entries if self.visit_entry(e)]
            except OSError as error:
                reason = _explain_folder_error(error)
                if here == folder:
                    return reason
                self.rejects.append(Reject(Path(here), reason))
        return None

    def visit_entry(self, entry: os.DirEntry[str]) -> bool:
        """Take or reject one entry; true for a folder to go into."""
        if entry.name.startswith(".") or entry.name.lower() in _JUNK_FOLDERS:
            return False
        try:
            return self.visit_visible(entry)
        except OSError as error:
            if self.matches(entry.name):
                self.reject(entry.path, _explain_missing(entry) or explain_os_error(error))
            return False

    def visit_visible(self, entry: os.DirEntry[str]) -> bool:
        if entry.is_dir(follow_symlinks=False):
            if not self.recursive and self.matches(entry.name):
                self.reject(entry.path, "expected a file, found a folder")
            return self.recursive
        if entry.is_dir():
            if self.recursive:
                self.reject(entry.path, "a link to a folder; add the folder itself to include it")
        elif self.matches(entry.name):
            self.take(entry.path, entry.stat())
        return False

    def take(self, path: str, status: os.stat_result) -> None:
        if (length := len(os.fsencode(path))) > LONGEST_PATH:
            reason = f"a path of {length} bytes; move it to where it has at most {LONGEST_PATH}"
            self.reject(path, reason)
        elif what := name_irregular(status.st_mode):
            self.reject(path, f"expected a file, found {what}")
        elif status.st_size == 0:
            self.reject(path, "the file is empty; copy it from the card again")
        else:
            self.candidates[path] = Candidate(
                path=Path(path),
                size_bytes=status.st_size,
                mtime_ns=modified_ns(status),
                inode=status.st_ino,
                volume=self.volume_of(path, status.st_dev),
            )

    def volume_of(self, path: str, device: int) -> str:
        if device not in self.volumes:
            self.volumes[device] = name_volume(Path(path), device)
        return self.volumes[device]

    def reject(self, path: str, reason: str) -> None:
        self.rejects.append(Reject(Path(path), reason))


def _explain_missing(path: Path | os.DirEntry[str]) -> str | None:
    if os.path.islink(path):  # noqa: PTH114  Path raises where it may not look
        return "a link that leads nowhere; its goal was moved, deleted, or its drive was removed"
    return None


def _explain_folder_error(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to list the folder; allow reading it and run again"
    return f"the system cannot list the folder: {os.strerror(error.errno or 0)}"
