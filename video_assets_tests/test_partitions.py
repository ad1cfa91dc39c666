"""Batches of partition keys."""

import pytest

from video_assets.partitions import ONLY, RANGE_END, RANGE_START, Batch, batches, meant

KEYS = ["e", "d", "c", "b", "a"]  # in the order they were added, not in their own


def keys_of(found: list[Batch]) -> list[str]:
    return ["".join(batch.checksums) for batch in found]


@pytest.mark.parametrize(
    ("wanted", "most", "span", "expected"),
    [
        pytest.param(["d", "c"], 100, 100, ["dc"], id="neighbours are one batch"),
        pytest.param(["a", "e"], 100, 100, ["ea"], id="so are others that are near enough"),
        pytest.param(KEYS, 2, 100, ["ed", "cb", "a"], id="no batch is too large"),
        pytest.param(["e", "a"], 100, 2, ["e", "a"], id="far apart are two batches"),
        pytest.param(["c", "c"], 100, 100, ["c"], id="a key counts once"),
        pytest.param([], 100, 100, [], id="nothing wanted, nothing asked"),
    ],
)
def test_batches_hold_what_is_wanted(wanted, most, span, expected):
    assert keys_of(batches(KEYS, wanted, most=most, span=span)) == expected


@pytest.mark.parametrize("wanted", ["edc", "ea", "eca", "db", "c"])
def test_a_run_finds_its_own_clips_in_the_range_that_dagster_gives_it(wanted):
    (batch,) = batches(KEYS, wanted, most=100)
    first, last = KEYS.index(batch.tags[RANGE_START]), KEYS.index(batch.tags[RANGE_END])
    assert meant(KEYS[first : last + 1], batch.tags) == list(wanted)


def test_a_range_without_gaps_needs_no_list_of_its_clips():
    (batch,) = batches(KEYS, ["e", "d", "c"], most=100)
    assert ONLY not in batch.tags


def test_a_key_that_is_no_partition_is_an_error():
    with pytest.raises(KeyError, match="unknown"):
        batches(KEYS, ["unknown"], most=100)
