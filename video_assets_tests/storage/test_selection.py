"""Clips selected by what is known of them; nothing that a person writes becomes SQL."""

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import SelectionError, parse, select_clips
from video_assets_tests import shelf
from video_assets_tests.shelf import Shelf


@pytest.fixture(scope="module")
def filled(catalogue: Postgres, admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    filled = shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            """UPDATE clips SET camera_make = 'Canon', is_hdr = true, duration_seconds = 61.5,
                                captured_at = '2026-05-31 12:00+00'
                WHERE file_name = 'complete.mov'"""
        )
    return filled


def selected(filled: Shelf, text: str) -> list[str]:
    names = {checksum: name for name, checksum in filled.checksums.items()}
    found = select_clips(filled.catalogue, parse(text), owner=LOCAL_OWNER)
    return sorted(names[clip.checksum] for clip in found)


@pytest.mark.parametrize(
    "text",
    [
        "camera_make=canon",
        "camera_make ~ ANO",
        "duration>60",
        "duration >= 61.5, duration<=61.5",
        "is_hdr=yes",
        "captured>2026-05-30,captured<2026-06-02",
        "file_name=complete.mov,camera_make!=Sony",
    ],
)
def test_one_clip_is_meant(filled: Shelf, text: str):
    assert selected(filled, text) == ["complete.mov"]


def test_a_fact_that_is_unknown_differs_from_every_value(filled: Shelf):
    assert "complete.mov" not in selected(filled, "camera_make!=Canon")
    assert "waiting.mp4" in selected(filled, "camera_make!=Canon")
    assert selected(filled, "width<99999,camera_make=Canon,is_hdr=no") == []


def test_what_looks_like_sql_is_a_value(filled: Shelf):
    assert selected(filled, "file_name='; DROP TABLE clips; --") == []
    assert selected(filled, "file_name~%") == []
    assert len(selected(filled, "")) == 6


def test_another_owner_s_clips_are_not_selected(filled: Shelf):
    assert "neighbour.mp4" not in selected(filled, "file_name~mp4")
    everybody = select_clips(filled.catalogue, parse("file_name~neighbour"))
    assert len(everybody) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("camera_mak=Canon", "did you mean camera_make?"),
        ("user_id=1", "known: file_name, path"),
        ("duration", "write one as duration>60"),
        ("duration>long", "a number such as 60, not 'long'"),
        ("duration>nan", "a number such as 60"),
        ("captured>yesterday", "a date such as 2026-05-31"),
        ("camera_make>Canon", "is a word, which takes = != ~"),
        ("is_hdr=perhaps", "is yes or no"),
        ("camera_make=", "names no value"),
        ("near=47.37/8.54", "latitude/longitude/km such as"),
        ("near=91/8.54/10", "latitude/longitude/km such as"),
        ("near=47.37/361/10", "latitude/longitude/km such as"),
        ("near=nan/8.54/10", "latitude/longitude/km such as"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(text: str, said: str):
    with pytest.raises(SelectionError, match=said.replace("?", r"\?")):
        parse(text)
