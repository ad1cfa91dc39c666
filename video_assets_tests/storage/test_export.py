"""Tables of one owner's catalogue: which rows, in which form, and safe in a spreadsheet."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import export, export_files
from video_assets.storage.export import TableName, open_rows
from video_assets_tests import shelf
from video_assets_tests.analyses import CLAUDE, GEMINI, description
from video_assets_tests.shelf import LONG, MARKUP, Shelf

FORMULA = "=HYPERLINK(0)"


@pytest.fixture(scope="module")
def filled(catalogue, admin_url, tmp_path_factory) -> Shelf:
    filled = shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))
    with catalogue.transaction() as connection:
        connection.execute(
            """UPDATE clips SET camera_make = 'Canon', camera_model = %s, content_tags = %s,
                      captured_at = '2026-01-02 03:04:05+02', gps_latitude = -33.5
                WHERE file_name = 'complete.mov'""",
            (FORMULA, ["Bridge", "dusk, fog"]),
        )
        connection.execute(
            """INSERT INTO scenes (video_id, user_id, scene_number, timestamp_start, timestamp_end)
               SELECT id, user_id, n, n - 1, n FROM clips, generate_series(1, 3) AS n
                WHERE file_name IN ('complete.mov', 'neighbour.mp4')"""
        )
        connection.execute(
            """INSERT INTO transcripts (clip_id, user_id, full_text, segments, language)
               SELECT id, user_id, '-- hello', '[{"text": "hello", "start_time": 0.5}]', 'en'
                 FROM clips WHERE file_name IN ('complete.mov', 'neighbour.mp4')"""
        )
    return filled


def written(
    filled: Shelf,
    form: export_files.Format,
    table: Any = "clips",
    *,
    checksums: Sequence[str] | None = None,
) -> bytes:
    file = io.BytesIO()
    with open_rows(filled.catalogue, LOCAL_OWNER, table, checksums=checksums) as rows:
        export_files.WRITERS[form](rows, file)
    return file.getvalue()


def test_every_clip_of_the_owner_is_a_row_and_none_of_another(filled: Shelf):
    rows = json.loads(written(filled, "json"))
    assert len(rows) == 6
    assert [row["file_path"] for row in rows] == sorted(row["file_path"] for row in rows)
    assert "neighbour" not in json.dumps(rows)
    assert len(json.loads(written(filled, "json", "scenes"))) == 3
    assert len(json.loads(written(filled, "json", "transcripts"))) == 1


def test_every_analysis_is_a_row_with_what_it_took(filled: Shelf):
    for name in (LONG, "neighbour.mp4"):
        shelf.done(filled, name, "claude_analysis", CLAUDE)
        shelf.done(filled, name, "gemini_analysis", GEMINI)
        said = description(claude_analysis=CLAUDE, gemini_analysis=GEMINI)
        shelf.done(filled, name, "description", said)
    rows = json.loads(written(filled, "json", "analyses"))
    assert [(row["file_name"], row["analyzer"], row["is_chosen"]) for row in rows] == [
        (LONG, "claude_analysis", False),
        (LONG, "gemini_analysis", True),
    ]
    assert rows[0]["tags"] == CLAUDE["summary"]["content_tags"]
    assert rows[0]["summary"] == CLAUDE["summary"]["overall"]
    assert (rows[0]["cost_usd"], rows[0]["seconds"], rows[0]["output_tokens"]) == (
        0.0312,
        9.25,
        720,
    )


def test_many_rows_come_in_batches(filled: Shelf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export, "CLIPS_AT_ONCE", 2)
    assert len(json.loads(written(filled, "json"))) == 6
    assert pq.read_table(io.BytesIO(written(filled, "parquet"))).num_rows == 6


def test_csv_says_the_same_as_the_catalogue(filled: Shelf):
    text = written(filled, "csv").decode()
    rows = {row["file_name"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    row = rows["complete.mov"]
    assert (row["width"], row["is_vfr"], row["duration_seconds"][:3]) == ("64", "false", "1.6")
    assert row["captured_at"] == "2026-01-02T01:04:05+00:00"
    assert row["content_tags"] == "Bridge; dusk, fog"
    assert row["gps_latitude"] == "-33.5"  # a number is no formula
    assert row["lens_model"] == ""
    assert set(rows) >= {MARKUP, LONG}


def test_no_cell_of_a_spreadsheet_is_a_formula(filled: Shelf):
    for table, column in (("clips", "camera_model"), ("transcripts", "full_text")):
        text = written(filled, "csv", table).decode()
        told = [row[column] for row in csv.DictReader(io.StringIO(text, newline=""))]
        assert not [each for each in told if each.startswith(export_files.FORMULA_SIGNS)]
        assert f"'{FORMULA}" in told or "'-- hello" in told


def test_parquet_has_the_types_of_the_catalogue(filled: Shelf):
    table = pq.read_table(io.BytesIO(written(filled, "parquet")))
    types = {field.name: field.type for field in table.schema}
    assert types["duration_seconds"] == pa.float64()
    assert types["file_size_bytes"] == pa.int64()
    assert types["is_hdr"] == pa.bool_()
    assert types["captured_at"] == pa.timestamp("us", tz="UTC")
    assert types["captured_at_local"] == pa.timestamp("us")
    assert types["content_tags"] == pa.list_(pa.string())
    assert types["id"] == pa.string()
    (row,) = (row for row in table.to_pylist() if row["file_name"] == "complete.mov")
    assert row["captured_at"] == datetime(2026, 1, 2, 1, 4, 5, tzinfo=timezone.utc)
    assert row["content_tags"] == ["Bridge", "dusk, fog"]
    assert row["camera_model"] == FORMULA
    (spoken,) = pq.read_table(io.BytesIO(written(filled, "parquet", "transcripts"))).to_pylist()
    assert json.loads(spoken["segments"])[0]["text"] == "hello"


def test_no_row_is_a_table_too(filled: Shelf):
    assert json.loads(written(filled, "json", checksums=[])) == []
    assert written(filled, "csv", checksums=[]).count(b"\n") == 1
    assert pq.read_table(io.BytesIO(written(filled, "parquet", checksums=[]))).num_rows == 0


def test_rows_of_some_clips(filled: Shelf):
    found = [filled.checksums["complete.mov"], filled.checksums["neighbour.mp4"]]
    wanted: dict[TableName, int] = {"clips": 1, "scenes": 3, "transcripts": 1}
    for table, count in wanted.items():
        with open_rows(filled.catalogue, LOCAL_OWNER, table, checksums=found) as rows:
            assert sum(len(batch) for batch in rows.batches) == count
