"""A victim whose every row tells of a secret, and Eve."""

from collections.abc import Iterator

import psycopg
import pytest

from video_assets.storage.postgres import Postgres
from video_assets_tests.lite.server import Lite
from video_assets_tests.security.intruders import Trial
from video_assets_tests.security.owners import Owner, fill, make_owner
from video_assets_tests.security.project import WORD, Project, populate


@pytest.fixture(scope="module")
def victim_and_eve(catalogue: Postgres, admin_url: str) -> tuple[Owner, Owner]:
    victim = make_owner(catalogue, admin_url, WORD, "c" * 64)
    eve = make_owner(catalogue, admin_url, "eve")
    fill(admin_url, victim)
    return victim, eve


@pytest.fixture(scope="module")
def project(lite: Lite) -> Iterator[Project]:
    """A project with people in it; what succeeds in it is not taken back."""
    project = populate(lite)
    yield project
    project.close()


@pytest.fixture
def trial(admin_url: str, victim_and_eve: tuple[Owner, Owner]) -> Iterator[Trial]:
    with psycopg.connect(admin_url) as connection:
        yield Trial(connection, *victim_and_eve)
