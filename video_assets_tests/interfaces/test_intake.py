"""Files that change while they are read: each is refused with a reason, and nothing breaks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from video_assets.interfaces.cli.intake import Intake, take_in
from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.stopping import Stop
from video_assets.media.discovery import discover
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registered, Registrar


class Meddler(Meter):
    """Does something to the files as soon as the first byte was read."""

    def __init__(self, deed: Callable[[], object]) -> None:
        super().__init__(quiet=True)
        self._deed: Callable[[], object] | None = deed

    def advance_bytes(self, count: int) -> None:
        deed, self._deed = self._deed, None
        if deed:
            deed()


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (lambda file: file.unlink(), "deleted while it was read"),
        (lambda file: file.write_bytes(b"y" * 200), "the file changed while it was read"),
        (lambda file: file.rename(file.with_name("b.mp4")), "moved while it was read"),
    ],
    ids=["deleted", "growing", "renamed"],
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    catalogue: Postgres, tmp_path: Path, deed: Callable[[Path], object], reason: str
):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"x" * 100)
    registrar = Registrar(catalogue, LOCAL_OWNER, "blake3")
    intake = Intake((tmp_path,))
    told: list[Registered] = []
    meter = Meddler(lambda: deed(file))
    take_in(intake, registrar, discover([tmp_path]), meter, Stop(), told.append)
    (refused,) = intake.of_state("unreadable")
    assert told == [refused]
    assert reason in (refused.reason or "")
    assert intake.checksums == []


def test_a_wish_to_stop_ends_reading(catalogue: Postgres, tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"z" * 100)
    registrar, stop = Registrar(catalogue, LOCAL_OWNER, "blake3"), Stop()
    meter = Meddler(stop.asked.set)
    with pytest.raises(KeyboardInterrupt):
        take_in(Intake((tmp_path,)), registrar, discover([tmp_path]), meter, stop, print)


def test_files_are_named_below_the_folder_that_was_given(tmp_path: Path):
    intake = Intake((tmp_path, tmp_path / "single.mp4"))
    assert intake.name(tmp_path / "day 1" / "a.mp4") == "day 1/a.mp4"
    assert intake.name(tmp_path / "single.mp4") == "single.mp4"
    assert intake.name(Path("/elsewhere/b.mp4")) == "/elsewhere/b.mp4"
