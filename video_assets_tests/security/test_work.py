"""How much work a question is does not tell what others have.

Time is told by pages that are looked at, which is the same each time. What the victim has hundreds
of times is as much work to look for as what nobody has, but for a few pages of the index of words,
which all owners share: none of the rows behind them is looked at.
"""

import uuid

import pytest

from video_assets_tests.security.intruders import Trial

CLIPS = 500
FEW = 8  # their rows fill more than thirty
WORD, NOBODYS = "pomegranate", "etanargemop"
FILL = """
    WITH made AS (
        INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                           file_size_bytes, content_summary, content_tags, full_transcript)
        SELECT %(owner)s, '/x', '/x', %(word)s || n || '.mov',
               md5(n::text || %(word)s) || md5(n::text),
               1, %(word)s || ' and more', ARRAY[%(word)s], %(word)s
          FROM generate_series(1, %(count)s) AS n
        RETURNING id, user_id
    ), told AS (
        INSERT INTO transcripts (clip_id, user_id, full_text, segments)
        SELECT id, user_id, %(word)s || ' is said', '[]' FROM made
    )
    INSERT INTO segments (clip_id, user_id, kind, number, content)
    SELECT id, user_id, 'passage', 1, %(word)s || ' is said' FROM made
"""
QUESTIONS = {
    "fulltext_search_clips": "'%(word)s'",
    "search_transcripts": "'%(word)s'",
    "search_moments": "'%(word)s', array_fill(1, ARRAY[1024])::vector",
    "hybrid_search_clips": "'%(word)s', array_fill(1, ARRAY[1024])::vector,"
    " array_fill(1, ARRAY[1024])::vector",
    "clip_results": "'%(checksum)s'",
    "clip_documents": "ARRAY['%(clip)s']::uuid[]",
    "find_similar_clips": "'%(clip)s'",
    "run_steps": "'%(run)s'",
}


@pytest.fixture(scope="module")
def _filled(catalogue, victim_and_eve) -> None:
    victim, eve = victim_and_eve
    with catalogue.transaction() as connection:
        for owner, word, count in ((victim, WORD, CLIPS), (eve, "quince", 20)):
            told = {"owner": owner.id, "word": word, "count": count}
            connection.execute(FILL, told)


@pytest.mark.usefixtures("_filled")
@pytest.mark.parametrize("function", QUESTIONS)
def test_what_others_have_is_no_more_work_than_what_nobody_has(trial: Trial, function: str):
    trial.connection.execute("ANALYZE")
    victim, nobody = trial.victim, trial.nobody()
    theirs = {"word": WORD, "checksum": victim.checksum, "clip": victim.clip, "run": victim.name}
    nones = {"word": NOBODYS, "checksum": nobody.checksum, "clip": uuid.uuid4(), "run": "no run"}
    with trial.intruding("as herself"):
        work = [[pages(trial, function, told) for told in (nones, theirs)] for _ in range(5)]
    # What is looked up for the first time, or once more after an autovacuum, is no work of theirs.
    of_nobody, of_theirs = map(min, zip(*work, strict=True))
    assert abs(of_theirs - of_nobody) <= FEW, work


def pages(trial: Trial, function: str, told: dict[str, object]) -> int:
    """How many pages of the database a question looks at."""
    asked = f"SELECT * FROM {function}({QUESTIONS[function] % told})"  # noqa: S608  ours
    query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}"
    row = trial.connection.execute(query.encode()).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
