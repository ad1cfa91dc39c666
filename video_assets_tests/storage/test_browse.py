"""Reading a catalogue as one of two owners, who have one content in common."""

import json
import uuid
from dataclasses import asdict

import pytest

from video_assets.settings import LOCAL_OWNER, Settings
from video_assets.storage.browse import Browser
from video_assets.storage.catalogue import open_catalogue, open_existing
from video_assets.storage.counts import Counts, count
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets_tests import shelf
from video_assets_tests.shelf import MARKUP, Shelf


@pytest.fixture(scope="module")
def filled(catalogue: Postgres, admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def ours(filled: Shelf) -> Browser:
    return Browser(filled.catalogue, LOCAL_OWNER)


@pytest.fixture
def theirs(filled: Shelf) -> Browser:
    return Browser(filled.catalogue, filled.neighbour)


def counted(browser: Browser) -> Counts:
    with browser.catalogue.transaction(browser.owner) as connection:
        return count(connection)


def everything(browser: Browser) -> str:
    """All that a browser gives, as text."""
    listed = browser.list_clips(at_most=100)
    parts = [listed, counted(browser), browser.active(at_most=100)]
    parts += [browser.details(clip.id) for clip in listed.clips]
    return json.dumps([asdict(part) for part in parts if part], default=str)


def test_neither_owner_sees_anything_of_the_other(ours: Browser, theirs: Browser):
    assert "/theirs/" not in everything(ours)
    assert "neighbour" not in everything(ours)
    assert "/ours/" not in everything(theirs)
    assert MARKUP not in everything(theirs)
    assert str(LOCAL_OWNER) not in everything(theirs)


def test_each_owner_counts_their_own(ours: Browser, theirs: Browser):
    assert sum(counted(ours).clips.values()) == 6
    clips = {"complete": 0, "processing": 0, "failed": 2, "waiting": 0, "missing": 0}
    assert counted(theirs).clips == clips
    assert (counted(ours).unreadable_files, counted(theirs).unreadable_files) == (1, 1)
    assert (ours.active(at_most=1).total, theirs.active(at_most=1).total) == (6, 2)


def test_the_other_owners_clip_cannot_be_read_by_its_id(ours: Browser, theirs: Browser):
    for clip in theirs.list_clips().clips:
        assert ours.details(clip.id) is None
        assert ours.find(str(clip.id)) == []


def test_results_of_content_that_one_does_not_have_stay_closed(filled: Shelf):
    only_ours = filled.checksums["complete.mov"]
    with filled.catalogue.transaction(filled.neighbour) as connection:
        rows = connection.execute("SELECT * FROM clip_results(%s)", (only_ours,)).fetchall()
        assert rows == []


def test_a_result_is_not_older_than_the_owners_clip(theirs: Browser, filled: Shelf):
    with filled.catalogue.transaction() as connection:
        connection.execute("UPDATE results SET measured_at = measured_at - interval '1 year'")
    (clip,) = theirs.find("neighbour too.mp4")
    details = theirs.details(clip.id)
    assert details is not None
    assert {step.measured_at for step in details.steps if step.attempts} == {clip.created_at}


def test_content_in_common_has_each_owners_own_name(ours: Browser, theirs: Browser, filled: Shelf):
    checksum = filled.checksums[MARKUP]
    assert [clip.file_name for clip in ours.find(checksum)] == [MARKUP]
    assert [clip.file_name for clip in theirs.find(checksum)] == ["neighbour too.mp4"]


def test_an_empty_catalogue_is_read_as_empty(filled: Shelf):
    nobody = Browser(filled.catalogue, uuid.uuid4())
    assert (nobody.list_clips().total, nobody.active(at_most=5).total) == (0, 0)
    assert counted(nobody).steps == []


def test_looking_makes_no_catalogue(settings: Settings):
    assert open_existing(settings) is None
    assert not settings.home.exists()


def test_a_stopped_catalogue_is_started_to_be_read(settings: Settings):
    open_catalogue(settings).close()
    EmbeddedServer(settings.home).stop()
    catalogue = open_existing(settings)
    assert catalogue is not None
    assert Browser(catalogue, LOCAL_OWNER).list_clips().total == 0
    catalogue.close()
