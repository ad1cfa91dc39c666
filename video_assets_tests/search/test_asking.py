"""A question in words, as a model is asked about it."""

import pytest

from video_assets.search.asking import texts_of


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("harbour dusk -rain", "harbour dusk"),
        ('-"heavy rain" harbour -"snow', "harbour"),
        ("well-known quay - dusk", "well-known quay - dusk"),
        ("-rain", "-rain"),
        ("", ""),
    ],
)
def test_a_model_is_not_asked_for_what_is_unwanted(question: str, asked: str):
    assert texts_of(question) == (f"Video content about: {asked}", asked)
