"""The report as a page: whole in itself, without scripts, whatever the clips are called."""

import base64
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest

from video_assets.interfaces.web import charts, report
from video_assets.interfaces.web.charts import Column
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import run_folder, runs
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.run_facts import RunFacts
from video_assets.storage.run_folder import RunFolder
from video_assets_tests import shelf
from video_assets_tests.clips import quadrants
from video_assets_tests.interfaces.chromium import CHROMIUM, open_page
from video_assets_tests.shelf import Shelf

HOSTILE = (
    "<script>document.title='taken'<!--.mp4",
    "\"><img src=x onerror=document.title='taken'>.mp4",
    "{{ 7 * 7 }} {% raw %}.mp4",
    "two\nlines.mp4",
    "\u202egnp.4pm.mp4",
    "שלום עולם.mp4",
    "x" * 240 + ".mp4",
    "a & b; 'c'.mp4",
)


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(catalogue, admin_url, tmp_path_factory) -> Path:
    """A report of clips with hostile names, one of which failed in hostile words."""
    home = tmp_path_factory.mktemp("home")
    filled = shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))
    record = runs.begin(
        catalogue, LOCAL_OWNER, "ingest", preset="default", preset_document={}, name=HOSTILE[0]
    )
    hostile = filled.folder / "hostile"
    hostile.mkdir()
    for name in HOSTILE:
        (hostile / name).write_bytes(name.encode())
    known = shelf.register(catalogue, LOCAL_OWNER, hostile)
    for checksum in (*known.values(), filled.checksums["complete.mov"]):
        record.take_in(checksum, "new")
    record.note_unreadable(f"{hostile}/{HOSTILE[1]}", f"found {HOSTILE[1]}; do <b>this</b>")
    record.flush()
    hostile_shelf = Shelf(catalogue, hostile, filled.neighbour, known)
    shelf.fail(hostile_shelf, HOSTILE[0])
    shelf.fail(hostile_shelf, HOSTILE[0], "camera")
    shelf.fail(hostile_shelf, HOSTILE[2])
    shelf.done(hostile_shelf, HOSTILE[1], "thumbnails", still(home))
    with catalogue.transaction() as connection:
        connection.execute(
            """UPDATE clips SET camera_make = '<i>Make', camera_model = '<i>Make & Co',
                      location_name = 'O''Hare "<u>"', full_transcript = '</style><script>',
                      transcript_preview = '</style><script>1</script>'
                WHERE file_checksum = %s""",
            (known[HOSTILE[1]],),
        )
    record.end("completed")
    (run, *_), _ = runs.list_runs(catalogue, LOCAL_OWNER)
    folder = RunFolder.of(home, run.run_id)
    facts = RunFacts(catalogue, LOCAL_OWNER, run.run_id)
    run_folder.write(folder, run, facts, Cache(home / "artifacts"))
    return report.write(folder, run, facts, Cache(home / "artifacts"))


def still(home: Path) -> dict[str, object]:
    is_done, coded = cv2.imencode(".jpg", quadrants(0, 960, 540))
    assert is_done
    (home / "artifacts").mkdir()
    (home / "artifacts" / "0.jpg").write_bytes(coded.tobytes())
    told = {"index": 0, "name": "0.jpg", "size_bytes": coded.size}
    return {"thumbnails": [told], "contact_sheet": None}


@pytest.fixture(scope="module")
def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text("utf-8"))
    return reader


def test_nothing_comes_from_elsewhere_and_nothing_is_run(read: Reader):
    names = {name for name, _ in read.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "i", "u"})
    for name, attributes in read.tags:
        assert not [each for each in attributes if each.startswith("on")], (name, attributes)
        source = attributes.get("src")
        assert source is None or source.startswith("data:image/jpeg;base64,")
        link = attributes.get("href")
        assert link is None or "://" not in link
    (policy,) = (a for name, a in read.tags if a.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_every_name_is_read_as_it_is(read: Reader):
    for name in HOSTILE:
        shown = name.replace("\n", "\\n").replace("\u202e", "\\u202e")
        assert shown in read.text
    assert "do <b>this</b>" in read.text
    assert "<i>Make & Co" in read.text
    assert "<i>Make <i>Make" not in read.text  # a model that begins with its make
    assert "no \\x1b[31mframe decodes" in read.text


def test_a_clip_that_failed_in_two_steps_is_named_once_with_both(page: Path):
    failed = (
        page.read_text("utf-8").partition('<section id="failed">')[2].partition("</section>")[0]
    )
    told: dict[str, str] = {}
    for article in failed.split("<article>")[1:]:
        reader = Reader()
        reader.feed(article)
        for name in HOSTILE:
            if name in reader.text:
                assert name not in told
                told[name] = reader.text
    assert set(told) == {HOSTILE[0], HOSTILE[1], HOSTILE[2]}
    steps = [{"camera", "probe", "read"} & set(told[name].split()) for name in HOSTILE[:3]]
    assert steps == [{"camera", "probe"}, {"read"}, {"probe"}]


def test_links_lead_to_files_of_the_run(read: Reader, page: Path):
    links = {unquote(a["href"] or "") for name, a in read.tags if name == "a"}
    assert links >= {"../run_manifest.json", "../pipeline_config.json"}
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == ["../exports/clips.csv"]  # which the command writes


def test_stills_are_small_and_inside(read: Reader):
    (source,) = (str(a["src"]) for name, a in read.tags if name == "img")
    data = np.frombuffer(base64.b64decode(source.partition(",")[2]), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (135, 240, 3)


def test_stills_cost_no_more_than_their_budget(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(report, "STILLS_BYTES", 10)
    assert list(report._affordable(["x" * 6, None, "y" * 6, "z"])) == ["x" * 6, None, None, None]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_browser_shows_it_on_every_width(page: Path, tmp_path: Path):
    with open_page(page.as_uri(), tmp_path / "profile") as shown:
        deadline = time.monotonic() + 30
        while (
            shown.evaluate("document.readyState == 'complete' && !!document.images[0]") is not True
        ):
            assert time.monotonic() < deadline
        assert shown.evaluate("document.scripts.length") == 0
        assert shown.evaluate("document.title.includes('processing report')")
        for width in (1200, 360):
            script = (
                f"document.documentElement.style.width = '{width}px', "
                "document.body.scrollWidth <= document.documentElement.clientWidth"
            )
            assert shown.evaluate(script), width
        image = "[...document.images].every(i => i.complete && i.naturalWidth == 240)"
        assert shown.evaluate(image)


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        ({"2026-01-30": 2, "2026-02-01": 1}, [("30 Jan", 2), ("31 Jan", 0), ("01 Feb", 1)]),
        ({"2025-12-01": 2, "2026-01-31": 1}, [("2025-12", 2), ("2026-01", 1)]),
        ({"2020-12-01": 2, "2022-12-31": 1}, [("2020", 2), ("2021", 0), ("2022", 1)]),
        ({"12026-01-01": 2}, []),
        ({}, []),
    ],
)
def test_dates_are_counted_by_how_far_they_reach(days, labels):
    assert charts.by_time(days) == [Column(*each) for each in labels]


def test_values_are_counted_in_even_steps():
    assert charts.by_width([], 3.0) == []
    found = charts.by_width([-23.0, -22.9, -16.0, 0.0], 3.0)
    assert sum(column.value for column in found) == 4
    assert [column.value for column in found] == [2, 0, 1, 0, 0, 0, 0, 0, 1]
    assert found[0].label == "\u221224"


def test_what_is_left_of_a_long_list_is_its_last_bar():
    rows = charts.bars({f"c{n}": 20 - n for n in range(20)}, at_most=3)
    assert [(row.label, row.value) for row in rows] == [
        ("c0", 20),
        ("c1", 19),
        ("18 others", 171),
    ]
    assert max(row.percent for row in rows) == 100


def test_no_number_is_divided_by_nothing():
    assert "</svg>" in charts.columns("x", [Column("a", 0)])
    assert "</svg>" in charts.columns("x", [])
    assert charts.bars({}) == []
    assert charts.by_duration([]) == []
