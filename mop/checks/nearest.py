"""What somebody probably meant."""

from __future__ import annotations

import functools
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean loki-gateway?`, or nothing."""
    return _nearest(name, frozenset(known))


@functools.lru_cache(maxsize=4096)
def _nearest(name: str, known: frozenset[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else ""
