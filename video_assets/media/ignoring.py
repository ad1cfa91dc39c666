"""What its owner wants left out of a folder, in the form of .gitignore, in any letter case."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from video_assets.media.errors import MediaError
from video_assets.media.file_names import fold
from video_assets.media.regular_file import open_regular

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".videoassetsignore"
_LONGEST_FILE = 1_000_000  # bytes


class IgnoreRulesError(ValueError):
    """Rules that cannot be read; whoever wrote them would not want them passed over."""


@dataclass(frozen=True)
class Ignored:
    """Rules with the folder in which they stand; the innermost that speaks of a path decides."""

    rules: tuple[tuple[str, "GitIgnoreSpec"], ...] = ()

    def and_below(self, folder: str, lines: Iterable[str]) -> "Ignored":
        """Add rules that stand in a folder.

        Raises IgnoreRulesError.
        """
        folded = [fold(line) for line in lines]
        if not folded:
            return self
        from pathspec import GitIgnoreSpec  # 30 ms, for those who ignore something

        try:
            spec = GitIgnoreSpec.from_lines(folded)
        except ValueError as error:
            raise IgnoreRulesError(f"{error}; write it as in .gitignore") from None
        return Ignored((*self.rules, (folder, spec))) if spec else self

    def and_file_in(self, folder: str) -> "Ignored":
        """Add the rules of a folder's file.

        Raises IgnoreRulesError.
        """
        try:
            with open_regular(Path(folder, IGNORE_FILE)) as descriptor:
                text = os.read(descriptor, _LONGEST_FILE).decode("utf-8", "surrogateescape")
            return self.and_below(folder, text.splitlines())
        except (IgnoreRulesError, MediaError, OSError) as error:
            raise IgnoreRulesError(f"its {IGNORE_FILE} cannot be used: {error}") from None

    def covers(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a file or folder is to be left out; its folders are not."""
        for folder, spec in reversed(self.rules):
            relative = fold(os.path.relpath(path, folder)).replace(os.sep, "/")
            found = spec.check_file(f"{relative}/" if is_folder else relative)
            if found.include is not None:
                return found.include
        return False
