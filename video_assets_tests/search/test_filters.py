"""Every filter holds in every search: of clips, of what is said, and of moments."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from video_assets.search import queries
from video_assets.search.queries import Hit, QueryVectors, Question
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import FACTS, parse
from video_assets_tests.search.shelves import Shelves, Told, vector

WHERE = {
    "camera_make=sony": "a",
    "camera_model~7m": "a",
    "lens_model~50mm": "b",
    "category=interview": "b",
    "category!=interview": "ac",
    "tag=beach": "ab",
    "tag!=beach": "c",
    "captured>2026-01-01,captured<2026-02-01": "a",
    "registered>=2026-03-01": "bc",
    "place~zürich": "a",
    "near=47.37/8.54/20": "a",
    "near=47.37/8.54/20000": "ab",
    "duration>60": "b",
    "duration<=60": "a",
    "width>=3840": "b",
    "height<1080": "a",
    "is_hdr=yes": "b",
    "is_hdr=no": "a",
    "hdr_format=hlg": "b",
    "orientation=portrait": "a",
    "orientation=landscape": "b",
    "path~wedding": "c",
    "file_name~b.mp4": "b",
    "exposure=good": "b",
    "has_speech=yes": "ab",
    "has_speech=no": "c",
    "has_audio=yes": "a",
    "language=de": "b",
    "status=complete": "c",
    "status=incomplete": "ab",
    "codec=hevc": "b",
    "container=mov": "a",
    "preset=fast": "c",
    "frame_rate>30": "b",
    "size>1000": "c",
    "scenes>=3": "b",
    "tag=beach,duration>60,camera_make=canon": "b",
    "tag=beach,camera_make=nobody": "",
}
SEARCHES = ("fulltext", "transcripts", "semantic", "hybrid", "similar", "moments")


@dataclass(frozen=True)
class Three:
    """The searches of an owner with three clips that all answer, the third without speech."""

    shelves: Shelves
    owner: uuid.UUID
    source: uuid.UUID

    def find(self, search: str, where: str) -> set[str]:
        """Ask, and give the names of what was found."""
        ask, question = (self.shelves.catalogue, self.owner), Question(parse(where))
        asked = QueryVectors(vector(1), vector(1))
        searches: dict[str, Callable[[], list[Hit]]] = {
            "fulltext": lambda: queries.fulltext(*ask, "street", question),
            "transcripts": lambda: queries.transcripts(*ask, "street", question, shortest=0),
            "semantic": lambda: queries.semantic(*ask, asked, question),
            "hybrid": lambda: queries.hybrid(*ask, "street", asked, question),
            "similar": lambda: queries.similar(*ask, self.source, question),
            "moments": lambda: queries.moments(*ask, "street", asked, question),
        }
        return {hit.file_name[0] for hit in searches[search]()} - {"s"}


@pytest.fixture(scope="module")
def three(catalogue: Postgres, admin_url: str) -> Three:
    shelves = Shelves(catalogue, admin_url)
    owner = shelves.owner()
    facts = {
        "a": {
            "created_at": "2026-02-01",
            "camera_make": "Sony",
            "camera_model": "ILCE-7M4",
            "container": "mov",
            "duration_seconds": 60,
            "width": 720,
            "height": 720,
            "display_width": 1080,
            "display_height": 1920,
            "gps_latitude": 47.3,
            "gps_longitude": 8.5,
            "captured_at": "2026-01-15T10:00:00Z",
            "location_name": "Zürich",
            "has_audio": True,
            "is_hdr": False,
        },
        "b": {
            "created_at": "2026-03-01",
            "camera_make": "Canon",
            "lens_model": "RF 50mm",
            "codec": "hevc",
            "content_category": "interview",
            "duration_seconds": 61.5,
            "width": 3840,
            "height": 2160,
            "display_width": 3840,
            "display_height": 2160,
            "frame_rate": 50,
            "gps_latitude": -33.9,
            "gps_longitude": 18.4,
            "is_hdr": True,
            "hdr_format": "HLG",
            "exposure_quality": "good",
            "scene_count": 3,
        },
        "c": {
            "created_at": "2026-03-02",
            "file_path": "/cards/Wedding/c.mp4",
            "file_size_bytes": 5000,
            "preset": "fast",
            "processing_progress": 100,
        },
    }
    tags, said, language = {"a": ["beach"], "b": ["Beach", "sea"]}, ["street", "road"], {"b": "de"}
    for name, known in facts.items():
        told = Told(
            f"{name}.mp4",
            "street",
            tags.get(name, ()),
            said if name != "c" else (),
            language.get(name, "en"),
            vector(1),
            vector(1),
            known,
            moment_vectors=[vector(1)] * 2 if name != "c" else (),
        )
        shelves.add(owner, told)
    source = shelves.add(owner, Told("source.mp4", summary_vector=vector(1)))
    return Three(shelves, owner, source)


def test_each_fact_is_tried():
    assert {condition.fact for where in WHERE for condition in parse(where)} == set(FACTS)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("where", WHERE)
def test_a_filter_holds(three: Three, search: str, where: str):
    answers = "ab" if search in ("transcripts", "moments") else "abc"
    assert three.find(search, "") == set(answers)
    assert three.find(search, where) == set(WHERE[where]) & set(answers)
