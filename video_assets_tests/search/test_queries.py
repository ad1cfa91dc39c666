"""Searching: the right clips in the right order, and none of anybody else's."""

import uuid
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from video_assets.search import queries
from video_assets.search.queries import QueryVectors, Question, Weights
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import parse
from video_assets_tests.search.shelves import Shelves, Told, vector

ANYTHING = Question()


@pytest.fixture
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


def names(hits: list[queries.Hit]) -> list[str]:
    return [hit.file_name for hit in hits]


def find(shelves: Shelves, owner: uuid.UUID, text: str, where: str = "") -> list[str]:
    question = Question(parse(where))
    return names(queries.fulltext(shelves.catalogue, owner, text, question))


def test_words_are_found_wherever_they_are_written(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("A001_harbour-C2.mov"))
    shelves.add(owner, Told("b.mp4", summary="Fishermen are mending nets"))
    shelves.add(owner, Told("c.mp4", tags=["golden hour", "Drone"]))
    shelves.add(owner, Told("d.mp4", said=["we will meet again at the lighthouse"]))
    shelves.add(owner, Told("e.mp4", facts={"camera_model": "ILCE-7M4", "camera_make": "Sony"}))
    shelves.add(owner, Told("f.mp4", facts={"location_name": "Zürich, Switzerland"}))
    shelves.add(owner, Told("g.mp4", facts={"file_path": "/cards/Wedding_2026/g.mp4"}))
    shelves.add(owner, Told("h.mp4", facts={"is_hdr": True, "hdr_format": "HLG"}))
    for text, name in (
        ("hdr", "h.mp4"),
        ("hlg", "h.mp4"),
        ("harbour", "A001_harbour-C2.mov"),
        ("A001", "A001_harbour-C2.mov"),
        ("mended net", "b.mp4"),
        ("drone", "c.mp4"),
        ('"golden hour"', "c.mp4"),
        ("lighthouses", "d.mp4"),
        ("sony", "e.mp4"),
        ("Zürich", "f.mp4"),
        ("wedding", "g.mp4"),
    ):
        assert find(shelves, owner, text) == [name], text
    assert find(shelves, owner, "submarine") == []
    assert find(shelves, owner, "") == find(shelves, owner, "the") == []


def test_names_count_more_than_speech_and_the_newest_breaks_a_tie(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("said.mp4", said=["a bridge"]))
    shelves.add(owner, Told("older.mp4", summary="A bridge"))
    shelves.add(owner, Told("newer.mp4", summary="A bridge"))
    shelves.add(owner, Told("bridge.mp4"))
    assert find(shelves, owner, "bridge") == ["bridge.mp4", "newer.mp4", "older.mp4", "said.mp4"]


def test_any_of_the_words_will_do_where_none_has_all(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("a.mp4", summary="A red balloon"))
    shelves.add(owner, Told("b.mp4", summary="A blue boat"))
    assert find(shelves, owner, "the red boat in winter") == ["b.mp4", "a.mp4"]
    assert find(shelves, owner, "balloon -red") == []
    assert find(shelves, owner, "balloon OR boat") == ["b.mp4", "a.mp4"]


def test_a_clip_that_does_not_come_into_question_answers_for_no_other(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("a.mp4", said=["a red boat"], facts={"camera_make": "Canon"}))
    shelves.add(owner, Told("b.mp4", said=["a red balloon"], facts={"camera_make": "Sony"}))
    question = Question(parse("camera_make=sony"))
    found = queries.transcripts(shelves.catalogue, owner, "red boat", question, shortest=0)
    assert names(found) == find(shelves, owner, "red boat", "camera_make=sony") == ["b.mp4"]


def test_each_language_is_stemmed_by_its_own_rules(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("de.mp4", said=["die Häuser am Fluss"], language="de"))
    shelves.add(owner, Told("fr.mp4", said=["les chevaux galopent"], language="fr"))
    shelves.add(owner, Told("ja.mp4", said=["東京 タワー"], language="ja"))
    assert find(shelves, owner, "Haus") == find(shelves, owner, "häuser") == ["de.mp4"]
    assert find(shelves, owner, "cheval") == ["fr.mp4"]
    assert find(shelves, owner, "東京") == ["ja.mp4"]


@pytest.mark.parametrize(
    "text", ["'", '"', "a & | ! b", "\\", "x:* <-> y", "(((", "-", "OR", "é" * 999]
)
def test_whatever_is_asked_is_a_question(shelves: Shelves, text: str):
    owner = shelves.owner()
    shelves.add(owner, Told("a.mp4", summary="x y", said=["x y"]))
    assert len(find(shelves, owner, text)) <= 1
    assert len(queries.transcripts(shelves.catalogue, owner, text, ANYTHING)) <= 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("camera_make=sony", ["a"]),
        ("camera_make!=sony", ["b", "c"]),
        ("camera_model~7m", ["a"]),
        ("duration>60", ["b"]),
        ("duration<=60", ["a"]),
        ("tag=Beach", ["a", "b"]),
        ("tag!=beach", ["c"]),
        ("is_hdr=yes", ["b"]),
        ("orientation=portrait", ["a"]),
        ("orientation=landscape", ["b"]),
        ("has_speech=yes", ["b"]),
        ("language=de", ["b"]),
        ("category=interview,duration>1", ["b"]),
        ("near=47.37/8.54/20", ["a"]),
        ("near=-47.37/8.54/20", []),
        ("captured>2026-01-01,captured<2026-02-01", ["a"]),
        ("path~footage/b", ["b"]),
        ("place~zürich", ["a"]),
        ("status=complete", ["c"]),
        ("exposure=good", ["b"]),
        ("hdr_format=hlg", ["b"]),
    ],
)
def test_conditions_hold(shelves: Shelves, where: str, expected: list[str]):
    owner = shelves.owner()
    shelves.add(
        owner,
        Told(
            "a.mp4",
            "street",
            ["beach"],
            facts={
                "camera_make": "Sony",
                "camera_model": "ILCE-7M4",
                "duration_seconds": 60,
                "display_width": 1080,
                "display_height": 1920,
                "gps_latitude": 47.3,
                "gps_longitude": 8.5,
                "captured_at": "2026-01-15T10:00:00Z",
                "location_name": "Zürich",
            },
        ),
    )
    shelves.add(
        owner,
        Told(
            "b.mp4",
            "street",
            ["Beach", "sea"],
            ["Guten Tag"],
            "de",
            facts={
                "camera_make": "Canon",
                "duration_seconds": 61.5,
                "is_hdr": True,
                "hdr_format": "HLG",
                "display_width": 1920,
                "display_height": 1080,
                "content_category": "Interview",
                "exposure_quality": "good",
            },
        ),
    )
    shelves.add(owner, Told("c.mp4", "street", facts={"processing_progress": 100}))
    assert sorted(find(shelves, owner, "street", where)) == [f"{name}.mp4" for name in expected]


def test_a_condition_that_is_no_condition_is_refused_and_never_run(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("a.mp4", "street"))
    for fact, op, word in (
        ("1=1) --", "=", "x"),
        ("codec", "= '' OR true --", "x"),
        ("codec", "<", "x"),
        ("near", "=", "x"),
    ):
        condition = [{"fact": fact, "op": op, "word": word}]
        with (
            pytest.raises(psycopg.errors.InvalidParameterValue),
            shelves.catalogue.transaction(owner) as connection,
        ):
            connection.execute(
                "SELECT * FROM fulltext_search_clips('street', 10, %s)",
                (Jsonb(condition),),
            )
    assert find(shelves, owner, "street", "codec=') OR (true") == []


def test_what_is_said_is_found_with_its_time_and_its_words(shelves: Shelves):
    owner = shelves.owner()
    said = ["Good morning everybody", "today we look at glaciers", "and then we go home again"]
    shelves.add(owner, Told("talk.mp4", said=said))
    shelves.add(owner, Told("short.mp4", said=["glaciers"]))
    (hit,) = queries.transcripts(shelves.catalogue, owner, "glacier", ANYTHING)
    assert (hit.file_name, hit.at_s, hit.until_s) == ("talk.mp4", 10.0, 20.0)
    assert hit.excerpt == "today we look at «glaciers»"
    both = queries.transcripts(shelves.catalogue, owner, "glacier", ANYTHING, shortest=0)
    assert sorted(names(both)) == ["short.mp4", "talk.mp4"]


def test_words_of_different_parts_are_one_answer(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("a.mp4", said=["the harbour is quiet", "boats come at nine"]))
    (hit,) = queries.transcripts(shelves.catalogue, owner, "harbour boats", ANYTHING, shortest=0)
    assert (hit.at_s, hit.excerpt) == (0.0, "the «harbour» is quiet")


def test_meaning_is_the_weighted_sum_of_both_likenesses(shelves: Shelves):
    owner = shelves.owner()
    first = shelves.add(owner, Told("a.mp4", summary_vector=vector(1), keyword_vector=vector(0)))
    second = shelves.add(owner, Told("b.mp4", summary_vector=vector(0.5), keyword_vector=vector(1)))
    third = shelves.add(owner, Told("c.mp4", keyword_vector=vector(0.25)))
    shelves.add(owner, Told("no vector.mp4"))
    asked = QueryVectors(vector(1), vector(1))
    hits = queries.semantic(shelves.catalogue, owner, asked, ANYTHING)
    assert [(hit.id, round(hit.score, 3)) for hit in hits] == [
        (second, 1.3),
        (first, 1.0),
        (third, 0.2),
    ]
    some = queries.semantic(shelves.catalogue, owner, asked, ANYTHING, threshold=0.6)
    assert [hit.id for hit in some] == [first]


def test_lists_are_fused_by_their_places(shelves: Shelves):
    owner = shelves.owner()
    everywhere = shelves.add(
        owner, Told("a.mp4", "bridge", summary_vector=vector(1), keyword_vector=vector(1))
    )
    asked = QueryVectors(vector(1), vector(1))
    (hit,) = queries.hybrid(shelves.catalogue, owner, "bridge", asked, ANYTHING)
    assert (hit.id, hit.match_type) == (everywhere, "hybrid")
    assert hit.score == pytest.approx(1 / 51 + 1 / 51 + 0.8 / 51)
    assert hit.places == {"text": 1, "summary": 1, "keyword": 1}
    keyword = shelves.add(owner, Told("b.mp4", keyword_vector=vector(2)))
    text = shelves.add(owner, Told("bridge.mp4"))
    weights = Weights(fulltext=1.0, summary=0.1, keyword=5.0)
    hits = queries.hybrid(shelves.catalogue, owner, "bridge", asked, ANYTHING, weights=weights)
    assert [(hit.id, hit.match_type) for hit in hits] == [
        (everywhere, "hybrid"),
        (keyword, "semantic"),
        (text, "fulltext"),
    ]
    words = queries.hybrid(shelves.catalogue, owner, "bridge", None, ANYTHING)
    assert [hit.id for hit in words] == [text, everywhere]


def test_a_list_of_vectors_holds_what_is_like_the_question(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("a bridge.mp4", summary_vector=vector(0.1), keyword_vector=vector(0.9)))
    shelves.add(owner, Told("b.mp4", summary_vector=vector(0.29), keyword_vector=vector(-1)))
    asked = QueryVectors(vector(1), vector(1))
    nonsense = (shelves.catalogue, owner, "zzzz", asked, ANYTHING)
    assert sorted(names(queries.hybrid(*nonsense))) == ["a bridge.mp4", "b.mp4"]
    (hit,) = queries.hybrid(*nonsense, threshold=0.3)
    assert (hit.file_name, hit.places) == ("a bridge.mp4", {"keyword": 1})
    assert queries.hybrid(*nonsense, threshold=0.95) == []
    (hit,) = queries.hybrid(shelves.catalogue, owner, "bridge", asked, ANYTHING, threshold=0.95)
    assert (hit.match_type, hit.places) == ("fulltext", {"text": 1})


def test_why_a_clip_is_compared_with_none_is_told(shelves: Shelves):
    owner = shelves.owner()
    there = shelves.add(owner, Told("a.mp4", summary_vector=vector(1)))
    state = {"there": there}
    for asset, status in (("none", "done"), ("failed", "failed")):
        made = Told(f"{asset}.mp4")
        state[asset] = shelves.add(owner, made)
        with shelves.catalogue.transaction() as connection:
            connection.execute(
                """INSERT INTO results (file_checksum, asset, status, code_version, result, error,
                                        error_class, fault)
                   SELECT file_checksum, 'embeddings', %(status)s, '1',
                          CASE %(status)s WHEN 'done' THEN '{}'::jsonb END,
                          CASE %(status)s WHEN 'failed' THEN 'x' END,
                          CASE %(status)s WHEN 'failed' THEN 'x' END,
                          CASE %(status)s WHEN 'failed' THEN 'file' END
                     FROM clips WHERE id = %(id)s""",
                {"status": status, "id": made.id},
            )
    state["waits"] = shelves.add(owner, Told("waits.mp4"))
    state["of the next model"] = shelves.add(owner, Told("next.mp4"))
    with shelves.catalogue.transaction() as connection:
        connection.execute("INSERT INTO embedding_spaces (id, model) VALUES (2, 'the next')")
        connection.execute(
            """INSERT INTO clip_vectors (user_id, space, kind, clip_id, v)
               SELECT user_id, 2, 1, %s, v FROM clip_vectors WHERE clip_id = %s""",
            (state["of the next model"], there),
        )
    found = {
        name: queries.vector_state(shelves.catalogue, owner, clip) for name, clip in state.items()
    }
    assert found == {name: name for name in state}
    with shelves.catalogue.transaction() as connection:
        connection.execute("DELETE FROM embedding_spaces WHERE id = 2")


def test_similar_clips_leave_out_the_clip_itself_and_what_is_less_alike(shelves: Shelves):
    owner = shelves.owner()
    source = shelves.add(owner, Told("a.mp4", summary_vector=vector(1)))
    near = shelves.add(owner, Told("b.mp4", summary_vector=vector(0.9)))
    shelves.add(owner, Told("c.mp4", summary_vector=vector(0.4)))
    hits = queries.similar(shelves.catalogue, owner, source, ANYTHING)
    assert [(hit.id, round(hit.score, 2)) for hit in hits] == [(near, 0.9)]
    stranger = shelves.owner()
    assert queries.similar(shelves.catalogue, stranger, source, ANYTHING) == []


def test_pages_are_parts_of_one_list(shelves: Shelves):
    owner, random = shelves.owner(), np.random.default_rng(5)
    for number in range(25):
        numbers = random.normal(size=1024).tolist()
        shelves.add(owner, Told(f"street {number}.mp4", summary_vector=numbers))
    asked = QueryVectors(random.normal(size=1024).tolist(), vector(1))
    for ask in (
        lambda question: queries.fulltext(shelves.catalogue, owner, "street", question),
        lambda question: queries.hybrid(shelves.catalogue, owner, "street", asked, question),
        lambda question: queries.semantic(
            shelves.catalogue, owner, asked, question, threshold=-1e9
        ),
    ):
        whole = names(ask(Question(limit=100)))
        pages = [names(ask(Question(limit=7, offset=offset))) for offset in range(0, 28, 7)]
        assert [name for page in pages for name in page] == whole
        assert len(set(whole)) == 25


def test_nobody_finds_what_is_another_s(shelves: Shelves):
    owner, stranger = shelves.owner(), shelves.owner()
    source = shelves.add(
        owner,
        Told("secret.mp4", "secret", ["secret"], ["the secret of the lake"] * 3, "en", vector(1)),
    )
    mine = shelves.add(stranger, Told("mine.mp4", summary_vector=vector(0.1)))
    asked = QueryVectors(vector(1), vector(1))
    ask = (shelves.catalogue, stranger)
    assert queries.fulltext(*ask, "secret", ANYTHING) == []
    assert queries.transcripts(*ask, "secret", ANYTHING) == []
    assert queries.similar(*ask, source, ANYTHING) == []
    assert [hit.id for hit in queries.semantic(*ask, asked, ANYTHING)] == [mine]
    assert [hit.id for hit in queries.hybrid(*ask, "secret", asked, ANYTHING)] == [mine]
    assert queries.statistics(*ask).total_clips == 1
    assert queries.visible(*ask).clips_with_speech == 0
    for table in ("clip_texts", "clip_vectors", "vectors"):
        with shelves.catalogue.transaction(stranger) as connection:
            query = sql.SQL("SELECT user_id FROM {}").format(sql.Identifier(table))
            rows = connection.execute(query).fetchall()
        assert {row["user_id"] for row in rows} <= {stranger}


def test_helpers_that_are_told_an_owner_cannot_be_called(shelves: Shelves):
    owner = shelves.owner()
    for call in (
        b"private.find_texts(%(who)s, 'secret', '[]', 10)",
        b"private.find_transcripts(%(who)s, 'secret', '[]', 0, 10)",
        b"private.match_words('clip_texts', %(who)s, 'secret', '[]', 10)",
        b"private.nearest(%(who)s, 1, NULL, '[]', 10)",
        b"private.text_query(%(who)s, 'secret')",
    ):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            shelves.catalogue.transaction(owner) as connection,
        ):
            connection.execute(b"SELECT * FROM " + call, {"who": owner})


def test_an_empty_catalogue_has_statistics_too(shelves: Shelves):
    found = queries.statistics(shelves.catalogue, shelves.owner())
    assert (found.total_clips, found.total_duration_hours, found.total_storage_gb) == (0, 0, 0)


def test_progress_writes_no_words_anew(shelves: Shelves):
    owner = shelves.owner()
    clip = shelves.add(owner, Told("a.mp4", "street"))
    query = "SELECT xmin::text AS written FROM clip_texts WHERE clip_id = %s"
    with shelves.catalogue.transaction() as connection:
        before = connection.execute(query, (clip,)).fetchone()
        connection.execute(
            "UPDATE clips SET processing_progress = 50, file_name = file_name WHERE id = %s",
            (clip,),
        )
    with shelves.catalogue.transaction() as connection:
        assert connection.execute(query, (clip,)).fetchone() == before
        connection.execute("UPDATE clips SET content_summary = 'avenue' WHERE id = %s", (clip,))
    assert find(shelves, owner, "street") == []
    assert find(shelves, owner, "avenue") == ["a.mp4"]


def test_a_clip_with_an_unwanted_word_is_in_no_list(shelves: Shelves):
    owner = shelves.owner()
    both: dict[str, Any] = {"summary_vector": vector(1), "keyword_vector": vector(1)}
    shelves.add(
        owner,
        Told("dry.mp4", "A harbour at dusk", **both),
        Told("wet.mp4", "A quay on which rains fall", tags=["well-known"], **both),
        Told("lauf.mp4", "Pfade", said=["Wir gehen durch Wälder"], language="de", **both),
    )
    asked = QueryVectors(vector(1), vector(1))

    def kept(text: str) -> set[str]:
        return set(names(queries.hybrid(shelves.catalogue, owner, text, asked, ANYTHING)))

    every = {"dry.mp4", "wet.mp4", "lauf.mp4"}
    assert kept("harbour dusk -rain") == kept("-rain") == every - {"wet.mp4"}
    assert kept("quay -rain") == kept("quay -raining") == every - {"wet.mp4"}
    assert find(shelves, owner, "quay -raining") == []
    assert kept('harbour -"at dusk" -wald') == {"wet.mp4"}
    assert kept('harbour "at -dusk" well-known') == kept("harbour - -- -") == every
