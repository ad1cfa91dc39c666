"""How vectors are stored."""

from collections.abc import Iterable

DIMENSIONS = 1024
"""Of every stored vector: what BAAI/bge-m3 gives."""


def written(vector: Iterable[float]) -> str:
    """Write a vector as pgvector reads it, with the digits that a half-precision number holds."""
    return f"[{','.join(f'{number:.5g}' for number in vector)}]"
