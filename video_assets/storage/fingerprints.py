"""Fingerprints: what a result was made with, so that nothing is done twice or stays stale."""

import json
from collections.abc import Mapping
from typing import Any

from blake3 import blake3

LENGTH = 32  # hex digits, 128 bits: no two results of one asset collide by chance


def digest(document: Mapping[str, Any]) -> str:
    """Digest a JSON document; the order of its keys does not matter."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def input_fingerprint(digests: Mapping[str, str]) -> str:
    """Name the upstream results that a result was made from, readable: `asset:digest,…`.

    The query `cells` in ledger.sql builds the same text.
    """
    return ",".join(f"{asset}:{digests[asset]}" for asset in sorted(digests))
