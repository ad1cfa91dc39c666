"""Ranges of partition keys."""

import pytest

from video_assets.partitions import ranges

KEYS = ["e", "d", "c", "b", "a"]  # in the order they were added, not in their own


@pytest.mark.parametrize(
    ("wanted", "longest", "expected"),
    [
        pytest.param(["d", "c"], 100, [("d", "c")], id="neighbours are one range"),
        pytest.param(["a", "e"], 100, [("e", "a")], id="what lies between is passed over"),
        pytest.param(KEYS, 2, [("e", "d"), ("c", "b"), ("a", "a")], id="no range is too long"),
        pytest.param(["e", "a"], 2, [("e", "e"), ("a", "a")], id="far apart are two ranges"),
        pytest.param(["c", "c"], 100, [("c", "c")], id="a key counts once"),
        pytest.param([], 100, [], id="nothing wanted, nothing asked"),
    ],
)
def test_ranges_cover_what_is_wanted(wanted, longest, expected):
    assert ranges(KEYS, wanted, longest=longest) == expected


def test_a_range_without_gaps_spans_nothing_else():
    found = ranges(KEYS, ["e", "d", "b", "a"], longest=100, has_gaps=False)
    assert found == [("e", "d"), ("b", "a")]


def test_a_key_that_is_no_partition_is_an_error():
    with pytest.raises(KeyError, match="unknown"):
        ranges(KEYS, ["unknown"], longest=100)
