"""How good a ranked list is: recall and nDCG of its first k places."""

import math
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID


def recall_at(found: Sequence[UUID], relevant: Collection[UUID], k: int) -> float:
    """Give the share of the relevant clips that stand in the first k places.

    Of more than k relevant ones no list can show more than k, so a perfect list always has 1.
    """
    return len(set(found[:k]) & set(relevant)) / min(k, len(relevant))


def ndcg_at(found: Sequence[UUID], grades: Mapping[UUID, float], k: int) -> float:
    """Give how near the order of the first k places is to the best one, which has 1.

    A clip counts by its grade, less by the logarithm of its place (Järvelin and Kekäläinen 2002).
    """
    best = sorted(grades.values(), reverse=True)
    return _gain([grades.get(clip, 0.0) for clip in found[:k]]) / _gain(best[:k])


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(place + 1) for place, grade in enumerate(grades, start=1))
