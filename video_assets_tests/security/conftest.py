"""A victim whose every row tells of a secret, and Eve."""

from collections.abc import Iterator

import psycopg
import pytest

from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets_tests.lite.server import serve_lite
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
def project(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project of its own: what succeeds in it is not taken back."""
    with serve_lite(embedded_server, tmp_path_factory.mktemp("lite")) as lite:
        project = populate(lite)
        yield project
        project.close()


@pytest.fixture
def trial(admin_url: str, victim_and_eve: tuple[Owner, Owner]) -> Iterator[Trial]:
    with psycopg.connect(admin_url) as connection:
        yield Trial(connection, *victim_and_eve)
