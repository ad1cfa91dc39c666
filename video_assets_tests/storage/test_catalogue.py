"""Opening the catalogue: ready from nothing, quick when it is up, and only for fitting settings."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER, Settings, load_settings
from video_assets.storage.catalogue import CatalogueError, open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import MigrationError


@pytest.fixture
def on_server(embedded_server: EmbeddedServer) -> Settings:
    """Settings whose home is the one of the tests' server."""
    return load_settings(embedded_server.home)


def test_a_catalogue_comes_to_be_by_opening_it(on_server: Settings):
    catalogue = open_catalogue(on_server)
    with catalogue.transaction(LOCAL_OWNER) as connection:
        rows = connection.execute("SELECT id, display_name FROM user_profiles").fetchall()
    assert rows == [{"id": LOCAL_OWNER, "display_name": "Local owner"}]
    catalogue.close()


def test_opening_a_running_catalogue_is_quick(on_server: Settings, embedded_server: EmbeddedServer):
    open_catalogue(on_server)
    url = embedded_server.admin_url()
    opened, connected = [], []
    for _ in range(20):  # in turn, and the quickest of each: so a busy machine slows both alike
        opened.append(seconds_of(lambda: open_catalogue(on_server)))
        connected.append(seconds_of(lambda: psycopg.connect(url).close()))
    assert min(opened) < 8 * min(connected)  # 2 to 3 times are usual


def seconds_of(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def test_algorithms_are_never_mixed(on_server: Settings):
    open_catalogue(on_server)
    other = on_server.model_copy(update={"checksum_algorithm": "md5"})
    with pytest.raises(
        CatalogueError, match="identifies clips by blake3, the settings ask for md5"
    ):
        open_catalogue(other)


def test_a_database_by_url_is_not_migrated_in_passing(
    embedded_server: EmbeddedServer, tmp_path: Path
):
    bare = embedded_server.admin_url("postgres")
    settings = load_settings(tmp_path).model_copy(update={"db_url": bare})
    with pytest.raises(MigrationError, match=r"has no catalogue yet; .*video-assets db migrate"):
        open_catalogue(settings)


def test_a_migrated_database_by_url_is_opened(
    embedded_server: EmbeddedServer, admin_url: str, tmp_path: Path
):
    settings = load_settings(tmp_path).model_copy(update={"db_url": admin_url})
    catalogue = open_catalogue(settings)
    with catalogue.transaction() as connection:
        row = connection.execute("SELECT current_user AS who").fetchone()
    assert row == {"who": "service_role"}
    assert list(tmp_path.iterdir()) == []
    catalogue.close()
