"""Progress is shown beside the work, and never in its way."""

import threading
from contextlib import contextmanager
from datetime import datetime, timezone

import psycopg
import pytest

from video_assets.interfaces.cli import progress
from video_assets.interfaces.cli.progress import Meter
from video_assets.storage.postgres import DatabaseUnreachableError


class Failing:
    """A catalogue that cannot be asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    @contextmanager
    def transaction(self):
        self.asked += 1
        raise self.error
        yield


def poll(catalogue: Failing) -> None:
    Meter(quiet=True)._poll(
        catalogue,  # pyright: ignore[reportArgumentType]
        {"checksum": 1},
        ["probe"],
        datetime.now(timezone.utc),
        threading.Event(),
    )


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "POLL_S", 0.01)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed the connection"),
        psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
        DatabaseUnreachableError("the database did not lend a connection"),
    ],
)
def test_it_ends_with_the_database_and_leaves_it_to_the_work_to_say_so(error: Exception):
    catalogue = Failing(error)
    poll(catalogue)
    assert catalogue.asked == 1


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        poll(Failing(ZeroDivisionError()))
