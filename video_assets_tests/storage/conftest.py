"""What tests of the catalogue's rows share."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from video_assets.storage.postgres import Postgres
from video_assets_tests.storage.two_owners import Clip


@pytest.fixture(scope="module")
def neighbour(catalogue: Postgres, admin_url: str) -> uuid.UUID:
    made = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, 'ben@example.org')", (made,)
        )
    return made


@pytest.fixture
def clip(catalogue: Postgres, neighbour: uuid.UUID) -> Iterator[Clip]:
    made = Clip(catalogue, neighbour)
    yield made
    with catalogue.transaction() as connection:
        connection.execute("DELETE FROM clips WHERE file_checksum = %s", (made.checksum,))
