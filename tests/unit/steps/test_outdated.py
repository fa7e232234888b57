"""Newer versions of charts: which is the newest patch, minor, major."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop import semver
from mop.model import Chart
from mop.steps.outdated import standing

SERVED = ["1.0.0", "1.0.5", "1.2.0", "2.0.0", "3.0.0-rc.1", "not-a-version"]


@pytest.mark.parametrize(
    ("locked", "declared", "expected"),
    [
        ("1.0.0", "^1", ("1.0.0", "1.0.5", "1.2.0", "2.0.0")),
        ("1.0.5", "1.0.5", ("1.0.5", "", "1.2.0", "2.0.0")),
        ("1.2.0", "1.2.0", ("1.2.0", "", "", "2.0.0")),
        ("2.0.0", "2.0.0", ("2.0.0", "", "", "")),
        ("3.0.0-alpha", "x", ("3.0.0-alpha", "3.0.0-rc.1", "", "")),
        ("", "~1.0", ("1.0.5", "", "1.2.0", "2.0.0")),
        ("", "7.0.0", ("7.0.0", "", "", "")),
    ],
)
def test_the_newest_of_each_kind(locked: str, declared: str, expected: tuple[str, str, str, str]) -> None:
    found = standing(Chart("web", "shop/web", declared), locked, SERVED)
    assert (found.current, found.patch, found.minor, found.major) == expected
    assert found.newest == next((each for each in reversed(expected[1:]) if each), "")
    assert found.trouble == ""


def test_what_is_no_version_is_said() -> None:
    assert standing(Chart("web", "shop/web", "???"), "", SERVED).trouble == "??? is no version"


NUMBERS = st.tuples(*[st.integers(0, 3)] * 3).map(lambda parts: ".".join(map(str, parts)))


@given(NUMBERS, st.lists(NUMBERS))
def test_what_is_named_is_newer_and_served(current: str, served: list[str]) -> None:
    found = standing(Chart("web", "shop/web", current), current, served)
    own = semver.parse(current)
    for version in filter(None, (found.patch, found.minor, found.major)):
        parsed = semver.parse(version)
        assert version in served
        assert parsed is not None and own is not None and parsed > own
    assert bool(found.newest) == any((each := semver.parse(v)) and own and each > own for v in served)
