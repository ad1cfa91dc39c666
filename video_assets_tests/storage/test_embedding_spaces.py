"""Where vectors go by their model, and when a new model's are searched."""

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from video_assets.services.vectors import written
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger, replaced_vectors
from video_assets.storage.deletions import Wish
from video_assets.storage.postgres import Postgres
from video_assets.storage.projection import project_clip
from video_assets.storage.refusals import NoRoomError, RefusedError
from video_assets.storage.replaced_vectors import remove_replaced

OLD, NEW = "old/model", "new/model"


def vector(*numbers: float) -> str:
    return written([*numbers, *[0.0] * (1024 - len(numbers))])


class Clips:
    """Clips of one owner, whose results are saved as the workers do."""

    def __init__(self, catalogue: Postgres) -> None:
        self.catalogue = catalogue

    def add(self, owner: uuid.UUID = LOCAL_OWNER, checksum: str | None = None) -> str:
        checksum = checksum or uuid.uuid4().hex * 2
        with self.catalogue.transaction() as connection:
            connection.execute(
                """INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                                      file_size_bytes)
                   VALUES (%s, '/x', '/x', 'x.mov', %s, 1)""",
                (owner, checksum),
            )
        return checksum

    def save(self, checksum: str, asset: str, document: dict[str, Any]) -> None:
        ledger.save_done(
            self.catalogue,
            asset=asset,
            checksum=checksum,
            made=ledger.Made("1", "", ""),
            document=document,
            problems={},
            seconds=1.0,
            cpu_seconds=1.0,
            run_id="run",
        )

    def embed(self, checksum: str, model: str, *numbers: float, keyword: bool = True) -> None:
        self.save(
            checksum,
            "embeddings",
            {
                "model": model,
                "summary_vector": vector(*numbers) if numbers else None,
                "keyword_vector": vector(*numbers) if numbers and keyword else None,
                "embedded_content": f"by {model}",
                "original_content": "all",
                "token_count": 2,
                "original_token_count": 3,
                "truncation_method": "summary:none, keyword:none",
                "skipped": None if numbers else "nothing is known",
            },
        )

    def fail(self, checksum: str, fault: str, error_class: str = "MediaError") -> None:
        ledger.save_failed(
            self.catalogue,
            asset="embeddings",
            checksum=checksum,
            made=ledger.Made("1", "", ""),
            error_class=error_class,
            error="refused",
            fault=fault,
            seconds=1.0,
            run_id="run",
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.catalogue.transaction(LOCAL_OWNER) as connection:
            return [tuple(row.values()) for row in connection.execute(query.encode())]

    def spaces(self) -> dict[str, bool]:
        rows = self.rows("SELECT model, is_in_use FROM embedding_spaces")
        return dict(rows)

    def vectors(self, model: str) -> list[tuple[str, int]]:
        return self.rows(
            f"""SELECT c.file_checksum, v.kind
                  FROM clip_vectors AS v
                  JOIN embedding_spaces AS s ON s.id = v.space AND s.model = '{model}'
                  JOIN clips AS c ON c.id = v.clip_id
                 ORDER BY c.created_at, v.kind"""  # noqa: S608
        )


@pytest.fixture
def clips(catalogue: Postgres, admin_url: str) -> Iterator[Clips]:
    yield Clips(catalogue)
    with psycopg.connect(admin_url) as connection:
        connection.execute("TRUNCATE clips, results, embedding_spaces, deletions CASCADE")


def test_the_first_model_is_searched_at_once(clips: Clips):
    clip = clips.add()
    clips.embed(clip, OLD, 1.0)
    assert clips.spaces() == {OLD: True}
    assert clips.vectors(OLD) == [(clip, 1), (clip, 2)]
    (told,) = clips.rows(
        """SELECT embedding_type, embedding_source, embedded_content, original_content, token_count,
                  original_token_count, truncation_method, v.summary_vector::text,
                  v.keyword_vector = v.summary_vector
             FROM vectors AS v"""
    )
    assert told[:7] == ("full_clip", OLD, f"by {OLD}", "all", 2, 3, "summary:none, keyword:none")
    assert told[7].startswith("[1,0,0")
    assert told[8] is True


def test_once_more_replaces_and_an_empty_text_leaves_nothing(clips: Clips):
    clip = clips.add()
    clips.embed(clip, OLD, 1.0)
    clips.embed(clip, OLD, 0.0, 1.0, keyword=False)
    assert clips.vectors(OLD) == [(clip, 1)]
    assert clips.rows("SELECT count(*), min(v::text) LIKE '[0,1,%' FROM clip_vectors") == [
        (1, True)
    ]
    assert clips.rows("SELECT count(*) FROM vectors") == [(1,)]
    clips.embed(clip, OLD)
    assert clips.vectors(OLD) == clips.rows("SELECT 1 FROM vectors") == []


def test_a_new_model_is_searched_when_every_clip_has_its_vectors(clips: Clips):
    first, second, third = (clips.add() for _ in range(3))
    for clip in (first, second, third):
        clips.embed(clip, OLD, 1.0)
    clips.embed(first, NEW, 1.0)
    clips.embed(second, NEW, 1.0, keyword=False)
    assert clips.spaces() == {OLD: True, NEW: False}
    assert len(clips.vectors(OLD)) == 5  # the keyword vector of a text that is empty now is gone
    clips.embed(third, NEW, 1.0)
    assert clips.spaces() == {OLD: False, NEW: True}
    clips.embed(third, NEW, 0.5)
    assert clips.spaces() == {OLD: False, NEW: True}


def test_a_clip_that_the_new_model_refuses_is_not_waited_for(clips: Clips):
    first, second = clips.add(), clips.add()
    for clip in (first, second):
        clips.embed(clip, OLD, 1.0)
    clips.fail(second, "unreachable")
    clips.embed(first, NEW, 1.0)
    assert not clips.spaces()[NEW]
    clips.fail(second, "file")
    clips.embed(first, NEW, 1.0)
    assert clips.spaces()[NEW]


def test_other_owners_of_the_clips_are_waited_for(clips: Clips, admin_url: str):
    neighbour = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (neighbour,))
    mine, theirs = clips.add(), clips.add(neighbour)
    clips.embed(mine, OLD, 1.0)
    clips.embed(theirs, OLD, 1.0)
    clips.embed(mine, NEW, 1.0)
    assert not clips.spaces()[NEW]
    clips.embed(theirs, NEW, 1.0)
    assert clips.spaces()[NEW]


def test_the_vectors_of_before_make_room_for_a_third_model(clips: Clips):
    clip = clips.add()
    for model in (OLD, NEW):
        clips.embed(clip, model, 1.0)
    clips.embed(clip, "third", 1.0)
    assert clips.spaces() == {NEW: False, "third": True}
    clips.embed(clip, NEW, 1.0)
    assert clips.spaces() == {NEW: True, "third": False}


def test_a_third_model_beside_two_that_are_needed_is_refused(clips: Clips):
    first, second = clips.add(), clips.add()
    for clip in (first, second):
        clips.embed(clip, OLD, 1.0)
    clips.embed(first, NEW, 1.0)
    with pytest.raises(NoRoomError, match=r"no room for those of third; let .* name one model"):
        clips.embed(second, "third", 1.0)
    assert clips.spaces() == {OLD: True, NEW: False}
    assert clips.vectors(OLD) == [(clip, kind) for clip in (first, second) for kind in (1, 2)]
    assert issubclass(NoRoomError, RefusedError)  # a failure of this clip alone


def test_a_clip_for_which_a_third_model_had_no_room_is_waited_for(clips: Clips):
    first, second = clips.add(), clips.add()
    for clip in (first, second):
        clips.embed(clip, OLD, 1.0)
    clips.fail(second, "ours", "NoRoomError")
    clips.embed(first, NEW, 1.0)
    assert clips.spaces() == {OLD: True, NEW: False}
    clips.embed(second, NEW, 1.0)
    assert clips.spaces() == {OLD: False, NEW: True}


def test_what_a_replaced_model_made_is_nothing_to_an_owner_who_comes_later(
    clips: Clips, admin_url: str
):
    refused, clip, neighbour = clips.add(), clips.add(), uuid.uuid4()
    passages = [{"number": 1, "start_s": 0.0, "end_s": 2.5, "text": "x"}]
    clips.save(refused, "search_texts", {"passages": passages, "language": "en"})
    moments = {"vectors": [{"number": 1, "vector": vector(1)}], "mean_vector": vector(1)}
    clips.save(refused, "moment_embeddings", {"model": OLD, **moments})
    clips.embed(refused, OLD, 1.0)
    clips.embed(clip, OLD, 1.0)
    clips.embed(clip, NEW, 1.0)
    with clips.catalogue.transaction() as connection:  # as if it refused the clip for good
        connection.execute("UPDATE embedding_spaces SET is_in_use = false WHERE model = %s", (OLD,))
        connection.execute("UPDATE embedding_spaces SET is_in_use = true WHERE model = %s", (NEW,))
    with psycopg.connect(admin_url) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (neighbour,))
    clips.add(neighbour, refused)
    with clips.catalogue.transaction() as connection:
        project_clip(connection, refused, neighbour)
    for table in ("clip_vectors", "moment_vectors", "vectors"):
        with clips.catalogue.transaction(neighbour) as connection:
            query = sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table))
            assert connection.execute(query).fetchone() == {"n": 0}


def test_passages_are_segments_that_go_with_their_text(clips: Clips):
    clip = clips.add()
    passages = [
        {"number": 1, "start_s": 0.0, "end_s": 2.5, "text": "die Häuser"},
        {"number": 2, "start_s": 3.0, "end_s": 4.0, "text": "am Fluss"},
    ]
    clips.save(clip, "search_texts", {"passages": passages, "language": "de"})
    query = """SELECT number, timestamp_start, timestamp_end, content, fts::text
                 FROM segments WHERE kind = 'passage' ORDER BY number"""
    assert clips.rows(query) == [
        (1, 0.0, 2.5, "die Häuser", "'haus':2"),
        (2, 3.0, 4.0, "am Fluss", "'fluss':2"),
    ]
    before = clips.rows("SELECT id FROM segments WHERE number = 1")
    clips.save(clip, "search_texts", {"passages": passages[:1], "language": "de"})
    assert clips.rows("SELECT id FROM segments") == before


def test_an_owner_who_comes_later_has_the_same_vectors(clips: Clips, admin_url: str):
    clip, neighbour = clips.add(), uuid.uuid4()
    clips.embed(clip, OLD, 1.0)
    with psycopg.connect(admin_url) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (neighbour,))
    clips.add(neighbour, clip)
    with clips.catalogue.transaction() as connection:
        project_clip(connection, clip, neighbour)
    with clips.catalogue.transaction(neighbour) as connection:
        found = connection.execute("SELECT count(*) AS n FROM clip_vectors").fetchone()
    assert found == {"n": 2}


def test_what_is_part_of_a_clip_names_the_part(clips: Clips):
    clip = clips.add()
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="check_vector_scope"),
        clips.catalogue.transaction() as connection,
    ):
        connection.execute(
            """INSERT INTO vectors (clip_id, user_id, embedding_type, embedding_source,
                                    embedded_content)
               SELECT id, user_id, 'segment', 'x', 'x' FROM clips WHERE file_checksum = %s""",
            (clip,),
        )


@pytest.fixture
def replaced(clips: Clips) -> tuple[str, str]:
    """Two clips, of which the new model refused the second, whose vectors are by the old one."""
    first, second = clips.add(), clips.add()
    passages = [{"number": 1, "start_s": 0.0, "end_s": 2.5, "text": "x"}]
    clips.save(second, "search_texts", {"passages": passages, "language": "en"})
    moments = {"vectors": [{"number": 1, "vector": vector(1)}], "mean_vector": vector(1)}
    clips.save(second, "moment_embeddings", {"model": OLD, **moments})
    for clip in (first, second):
        clips.embed(clip, OLD, 1.0)
    with clips.catalogue.transaction() as connection:
        connection.execute(
            "UPDATE results SET status = 'failed', fault = 'file', result = NULL, "
            "error_class = 'MediaError', error = 'refused' "
            "WHERE file_checksum = %s AND asset LIKE '%%embeddings'",
            (second,),
        )
    clips.embed(first, NEW, 1.0)
    assert clips.spaces() == {OLD: False, NEW: True}
    return first, second


def test_vectors_of_a_replaced_model_are_marked_and_removed_when_they_have_waited(
    clips: Clips, replaced: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replaced_vectors, "VECTORS_PER_STATEMENT", 2)
    first, _ = replaced
    before = clips.vectors(OLD)
    assert len(before) == 5
    rehearsed = remove_replaced(clips.catalogue, Wish("test", 0.0, dry_run=True))
    assert (rehearsed.removed, rehearsed.names, rehearsed.removed_bytes) == (6, [OLD], 6 * 2056)
    waiting = remove_replaced(clips.catalogue, Wish("test", 60.0))
    assert (waiting.removed, waiting.waiting, waiting.waiting_bytes) == (0, 6, 6 * 2056)
    assert clips.vectors(OLD) == before
    gone = remove_replaced(clips.catalogue, Wish("test", 0.0))
    assert (gone.removed, gone.waiting, gone.names) == (6, 0, [OLD])
    assert clips.spaces() == {NEW: True}
    assert clips.vectors(NEW) == [(first, 1), (first, 2)]
    assert clips.rows("SELECT count(*) FROM moment_vectors") == [(0,)]
    assert clips.rows("SELECT embedding_source FROM vectors") == [(NEW,)]
    with clips.catalogue.transaction() as connection:
        query = "SELECT target, items, marked_by, removed_by FROM deletions WHERE kind = 'vectors'"
        assert connection.execute(query).fetchall() == [
            {"target": OLD, "items": 6, "marked_by": "test", "removed_by": "test"}
        ]
    assert remove_replaced(clips.catalogue, Wish("test", 0.0)).removed == 0


def test_vectors_that_are_searched_or_are_about_to_be_stay(clips: Clips):
    first, second = clips.add(), clips.add()
    for clip in (first, second):
        clips.embed(clip, OLD, 1.0)
    clips.embed(first, NEW, 1.0)
    assert remove_replaced(clips.catalogue, Wish("test", 0.0)).removed == 0
    assert len(clips.vectors(OLD)) == 4
    assert len(clips.vectors(NEW)) == 2


def test_a_model_that_is_used_once_more_is_marked_no_more(clips: Clips, replaced: tuple[str, str]):
    remove_replaced(clips.catalogue, Wish("test", 60.0))
    clips.embed(replaced[1], OLD, 1.0)  # its vectors of before made room for these
    assert remove_replaced(clips.catalogue, Wish("test", 60.0)).waiting == 0
    with clips.catalogue.transaction() as connection:
        assert connection.execute("SELECT target FROM deletions").fetchall() == []
