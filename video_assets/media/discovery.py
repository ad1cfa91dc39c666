"""Which files in the given places may be clips: listed and looked at, never opened."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from video_assets.media.file_names import compile_patterns, is_hidden_or_junk
from video_assets.media.ignoring import IGNORE_FILE, Ignored, IgnoreRulesError
from video_assets.media.regular_file import explain_os_error, modified_ns, name_irregular
from video_assets.media.volume import name_volume

LONGEST_PATH = 2_000  # bytes; a database's index takes 2,700, and few programs take as many
PART_ENTRIES = 20_000  # some seconds on a slow network, and 10 MB


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
class Rules:
    """What of a folder is taken.

    patterns  file name patterns separated by commas, in any letter case; None for the default
    ignore    what is left out, in the form of .gitignore; a file .videoassetsignore in a folder
              adds to it
    apart     folders that are never looked into
    """

    patterns: str | None = None
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    apart: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What was found. A root that cannot be reached says nothing about the clips below it.

    left_out    folders that were not looked into, with a slash at the end
    after, end  the paths after which, and up to which, it tells of everything that was looked at,
                in the order of their bytes; end is None when it goes on to the last
    """

    candidates: tuple[Candidate, ...]
    rejects: tuple[Reject, ...] = ()
    unreachable: tuple[Reject, ...] = ()
    left_out: tuple[bytes, ...] = ()
    after: bytes = b""
    end: bytes | None = None

    def within(self, root: Path) -> "Listing":
        """Give what this listing of several places tells of one of them."""
        below = os.fspath(root).rstrip(os.sep) + os.sep
        return replace(
            self,
            candidates=tuple(
                each
                for each in self.candidates
                if each.path == root or os.fspath(each.path).startswith(below)
            ),
            unreachable=tuple(each for each in self.unreachable if each.path == root),
        )


def discover(paths: Iterable[Path], rules: Rules = Rules()) -> Listing:
    """List the files below folders that the rules take, and the files that are named themselves.

    A file given in `paths` is taken whatever it is called. Hidden entries and what systems leave
    behind are skipped. Links to files are taken, links to folders are not followed, so there can
    be no loop.

    Raises IgnoreRulesError where the rules' own `ignore` cannot be read.
    """
    search = _Search(rules)
    for path in paths:
        for _ in search.walk(absolute(path)):
            pass
    return search.listing()


def discover_in_parts(
    path: Path, rules: Rules, *, after: bytes = b"", entries: int = PART_ENTRIES
) -> Iterator[Listing]:
    """List one place like `discover`, in parts of so many entries, after a path of an earlier part.

    Paths come in the order of their bytes, a folder as if its name ended with a slash.
    """
    search = _Search(rules)
    begun = after
    for count, looked_at in enumerate(search.walk(absolute(path), after), start=1):
        if count % entries == 0:
            yield search.listing(after=begun, end=looked_at)
            search.clear()
            begun = looked_at
    yield search.listing(after=begun)


def absolute(path: Path) -> Path:
    """Make a path absolute without following links."""
    return Path(os.path.abspath(path))  # noqa: PTH100  Path would resolve links


# What is still to be visited: the path's bytes, its entry, and the rules that hold there.
_Pending = list[tuple[bytes, "os.DirEntry[str]", Ignored]]


@dataclass
class _Search:
    rules: Rules
    candidates: dict[str, Candidate] = field(default_factory=dict)
    rejects: set[Reject] = field(default_factory=set)
    unreachable: set[Reject] = field(default_factory=set)
    left_out: list[bytes] = field(default_factory=list)
    volumes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.matches = compile_patterns(self.rules.patterns)
        self.apart = {os.fspath(absolute(path)) for path in self.rules.apart}

    def listing(self, after: bytes = b"", end: bytes | None = None) -> Listing:
        return Listing(
            candidates=tuple(
                sorted(self.candidates.values(), key=lambda each: os.fsencode(each.path))
            ),
            rejects=tuple(sorted(self.rejects)),
            unreachable=tuple(sorted(self.unreachable)),
            left_out=tuple(self.left_out),
            after=after,
            end=end,
        )

    def clear(self) -> None:
        for found in (self.candidates, self.rejects, self.unreachable, self.left_out):
            found.clear()

    def walk(self, root: Path, after: bytes = b"") -> Iterator[bytes]:
        """Visit everything that lies after a path, and give each path that was looked at."""
        pending = self.visit_root(root)
        while pending:
            path, entry, ignored = pending.pop()
            if not path.endswith(b"/"):
                if path > after:
                    self.visit_file(entry, ignored)
                    yield path
            elif path > after or after.startswith(path):
                pending += self.visit_folder(entry, ignored)
                yield max(path, after)

    def visit_root(self, root: Path) -> _Pending:
        ignored = Ignored().and_below(os.fspath(root), self.rules.ignore)
        try:
            status = root.stat()
        except OSError as error:
            reason = _explain_missing(root) or explain_os_error(error)
            self.unreachable.add(Reject(root, reason))
            return []
        if not stat.S_ISDIR(status.st_mode):
            self.take(os.fspath(root), status)
            return []
        try:
            return self.list_folder(os.fspath(root), ignored)
        except OSError as error:
            self.unreachable.add(Reject(root, _explain_folder_error(error)))
        except IgnoreRulesError as error:
            self.unreachable.add(Reject(root, str(error)))
        return []

    def visit_folder(self, entry: "os.DirEntry[str]", ignored: Ignored) -> _Pending:
        """List a folder that is wanted; its name and its rules may say that it is not."""
        try:
            if self.is_wanted(entry, ignored):
                return self.list_folder(entry.path, ignored)
        except OSError as error:
            self.reject(entry.path, _explain_folder_error(error))
        except IgnoreRulesError as error:
            self.reject(entry.path, str(error))
        self.left_out.append(os.fsencode(entry.path) + b"/")
        return []

    def is_wanted(self, entry: "os.DirEntry[str]", ignored: Ignored) -> bool:
        if is_hidden_or_junk(entry.name) or entry.path in self.apart:
            return False
        if not self.rules.recursive and self.matches(entry.name):
            self.reject(entry.path, "expected a file, found a folder")
        return self.rules.recursive and not ignored.covers(entry.path, is_folder=True)

    def list_folder(self, folder: str, ignored: Ignored) -> _Pending:
        """List a folder, the first to be visited last."""
        pending: list[tuple[bytes, os.DirEntry[str]]] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                slash = b"/" if _is_folder(entry) else b""
                pending.append((os.fsencode(entry.path) + slash, entry))
                if entry.name == IGNORE_FILE:
                    ignored = ignored.and_file_in(folder)
        pending.sort(key=lambda each: each[0], reverse=True)
        return [(path, entry, ignored) for path, entry in pending]

    def visit_file(self, entry: "os.DirEntry[str]", ignored: Ignored) -> None:
        if is_hidden_or_junk(entry.name) or ignored.covers(entry.path, is_folder=False):
            return
        try:
            if self.matches(entry.name) and not entry.is_dir():
                self.take(entry.path, entry.stat())
            elif self.rules.recursive and entry.is_symlink() and entry.is_dir():
                reason = "a link to a folder; add the folder itself to include it"
                self.reject(entry.path, reason)
        except OSError as error:
            if self.matches(entry.name):
                self.reject(entry.path, _explain_missing(entry) or explain_os_error(error))

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
        self.rejects.add(Reject(Path(path), reason))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _explain_missing(path: "Path | os.DirEntry[str]") -> str | None:
    if os.path.islink(path):  # noqa: PTH114  Path raises where it may not look
        return "a link that leads nowhere; its goal was moved, deleted, or its drive was removed"
    return None


def _explain_folder_error(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to list the folder; allow reading it and run again"
    return f"the system cannot list the folder: {os.strerror(error.errno or 0)}"
