"""Words that must not be there: Postgres, the searches and the command read them alike."""

import re

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from video_assets.search.unwanted import unwanted_spans, without_unwanted
from video_assets.settings import LOCAL_OWNER

DASH = re.compile(r'(?<![^\s"])-+(?!\S)')  # by itself; Postgres takes it for one of the next word
PIECES = ("ice", "rain", "-", "--", '"', " ", "  ", " -", ' -"', '" ', "-rain", '"wide field"')


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("ice -rain", "ice "),
        ('-"heavy rain" ice -"snow', " ice "),
        ('-"heavy rain" ice -"grey snow" sun', " ice  sun"),
        ('"ice -rain" well-known', '"ice -rain" well-known'),
        ('"ice"-rain', '"ice"'),
        ("ice --rain - dusk", "ice --rain - dusk"),
        ("-rain", ""),
        ("", ""),
    ],
)
def test_what_is_wanted_is_left(question: str, wanted: str):
    assert without_unwanted(question) == wanted


def test_the_database_reads_them_in_the_same_way(admin_url: str):
    with psycopg.connect(admin_url, autocommit=True) as connection:

        @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
        def compare(question: str) -> None:
            cut = [question[begin:end].lstrip("-") for begin, end in unwanted_spans(question)]
            row = connection.execute(
                """SELECT private.unwanted(%(owner)s, %(question)s),
                          (private.text_query(%(owner)s, %(cut)s)).all_words,
                          (private.text_query(%(owner)s, %(question)s)).all_words::text,
                          websearch_to_tsquery('simple', %(dashless)s)::text""",
                {
                    "owner": LOCAL_OWNER,
                    "question": question,
                    "cut": " OR ".join(cut),
                    "dashless": DASH.sub(" ", question),
                },
            ).fetchone()
            assert row is not None
            theirs, ours, asked, plain = row
            assert theirs == ours
            is_any_unwanted = "!" in plain.replace("!!", "")
            assert (theirs is not None) == is_any_unwanted
            assert ("!" in (asked or "").replace("!!", "")) == is_any_unwanted

        compare()
