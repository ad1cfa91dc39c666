"""One partition = one clip, keyed by the checksum of its bytes."""

from collections.abc import Iterable, Sequence

import dagster as dg

CLIPS = "clips"
KEYS_PER_CALL = 5_000  # one statement per call: Postgres takes at most 65,535 parameters

clips = dg.DynamicPartitionsDefinition(name=CLIPS)


def add_clips(instance: dg.DagsterInstance, checksums: Sequence[str]) -> None:
    """Add partition keys in the order given, so that clips registered together are contiguous."""
    for start in range(0, len(checksums), KEYS_PER_CALL):
        instance.add_dynamic_partitions(CLIPS, checksums[start : start + KEYS_PER_CALL])


def ranges(
    ordered_keys: Sequence[str], wanted: Iterable[str], *, longest: int, has_gaps: bool = True
) -> list[tuple[str, str]]:
    """Cover the wanted keys by ranges of partition keys, first and last, both included.

    ordered_keys  all partition keys in the order they were added
    longest       the most keys that one range may span
    has_gaps      whether a range may span keys nobody asked for; an asset passes over those whose
                  result is valid
    """
    position = {key: index for index, key in enumerate(ordered_keys)}
    found: list[tuple[int, int]] = []
    for index in sorted(position[key] for key in set(wanted)):
        is_near = has_gaps or (found and index == found[-1][1] + 1)
        if found and is_near and index - found[-1][0] < longest:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return [(ordered_keys[first], ordered_keys[last]) for first, last in found]
