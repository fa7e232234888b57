"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.durations import seconds, text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("2d", 172800),
        ("250ms", 0.25),
        ("1m500ms", 60.5),
        ("0s", 0),
    ],
)
def test_units_are_read(written: str, expected: float) -> None:
    assert seconds(written) == expected


@pytest.mark.parametrize(
    "written", ["", "5", "5 m", "-5s", "1.5h", "30m1h", "5m5m", "5min", "soon", "10m\n", "٥m"]
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(written)


@pytest.mark.parametrize(
    ("duration", "expected"), [(0, "0s"), (90, "1m30s"), (0.25, "250ms"), (86400 * 3 + 1, "3d1s"), (-1, "0s")]
)
def test_seconds_are_written_short(duration: float, expected: str) -> None:
    assert text(duration) == expected


@given(st.integers(0, 10**10))
def test_what_is_written_reads_back(milliseconds: int) -> None:
    assert round(seconds(text(milliseconds / 1000)) * 1000) == milliseconds
