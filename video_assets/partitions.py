"""One partition = one clip, keyed by the checksum of its bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

CLIPS = "clips"
KEYS_PER_CALL = 5_000  # one statement per call: Postgres takes at most 65,535 parameters

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
ONLY = "video-assets/only"  # run tag: how the keys begin that a run with a wider range is meant for
PREFIX = 16  # hex digits of a key: 64 bits tell the keys of one range apart
LONGEST_SPAN = 100_000  # partitions: a wide run costs a second more, and a run of its own many

clips = dg.DynamicPartitionsDefinition(name=CLIPS)


def add_clips(instance: dg.DagsterInstance, checksums: Sequence[str]) -> None:
    """Add partition keys in the order given, so that clips registered together are contiguous."""
    for start in range(0, len(checksums), KEYS_PER_CALL):
        instance.add_dynamic_partitions(CLIPS, checksums[start : start + KEYS_PER_CALL])


@dataclass(frozen=True)
class Batch:
    """Clips to be processed in one run, in the order of their partitions.

    tags  what tells a run of Dagster, which knows only ranges, that it is meant for these clips
    """

    checksums: tuple[str, ...]
    tags: dict[str, str]


def batches(
    ordered_keys: Sequence[str], wanted: Iterable[str], *, most: int, span: int = LONGEST_SPAN
) -> list[Batch]:
    """Part the wanted keys into batches; a run leaves alone what lies between those of its batch.

    ordered_keys  all partition keys in the order they were added
    most          the most keys of a batch
    span          the most partitions from its first key to its last
    """
    position = {key: index for index, key in enumerate(ordered_keys)}
    found: list[list[int]] = []
    for index in sorted(position[key] for key in set(wanted)):
        if found and len(found[-1]) < most and index - found[-1][0] < span:
            found[-1].append(index)
        else:
            found.append([index])
    return [_batch(ordered_keys, indexes) for indexes in found]


def _batch(ordered_keys: Sequence[str], indexes: Sequence[int]) -> Batch:
    checksums = tuple(ordered_keys[index] for index in indexes)
    tags = {RANGE_START: checksums[0], RANGE_END: checksums[-1]}
    if indexes[-1] - indexes[0] >= len(indexes):
        tags[ONLY] = ",".join(key[:PREFIX] for key in checksums)
    return Batch(checksums, tags)


def meant(keys: Sequence[str], tags: Mapping[str, str]) -> list[str]:
    """Choose the keys of a run's range that the run is meant for."""
    if ONLY not in tags:
        return list(keys)
    wanted = set(tags[ONLY].split(","))
    return [key for key in keys if key[:PREFIX] in wanted]
