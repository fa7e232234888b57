"""Durations as people write them: `90s`, `10m`, `1h30m`. Seconds inside, text outside."""

from __future__ import annotations

import re

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"([0-9]+)(ms|d|h|m|s)")
_WHOLE = re.compile(r"(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?")


def seconds(text: str) -> float:
    """The seconds of `text`: whole numbers with units d, h, m, s, ms, larger units first, each at most once.

    Raises ValueError for anything else, a bare number included: 5 what?
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"expected a duration such as 90s, 10m or 1h30m, found {text!r}")
    return sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text))


def text(duration: float) -> str:
    """`duration` seconds as the shortest text that `seconds` reads back, to the millisecond."""
    left = max(0, round(duration * 1000))
    parts = []
    for unit, size in _UNITS.items():
        count, left = divmod(left, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
