"""Versions and ranges, against the library that Helm itself uses."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mop import semver
from tests.unit.engines.go_programs import built


class Judge:
    """Masterminds/semver, asked over a pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [built("semverjudge")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, constraint: str, versions: list[str]) -> dict[str, Any]:
        """What it makes of the range, and of each version."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"constraint": constraint, "versions": versions}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def go() -> Iterator[Judge]:
    judge = Judge()
    yield judge
    judge.stop()


_NUMBER = st.sampled_from(["0", "1", "2", "3", "10", "11", "01"])
_TAIL = st.sampled_from(
    ["", "", "", "-0", "-1", "-10", "-rc.1", "-rc.2", "-rc.1.x", "-01", "-", "+b1", "-a+b"]
)
_VERSIONS = st.lists(
    st.builds(
        lambda v, parts, tail: v + ".".join(parts) + tail,
        st.sampled_from(["", "", "v"]),
        st.lists(_NUMBER, min_size=1, max_size=4),
        _TAIL,
    ),
    min_size=2,
    max_size=12,
)
_WILD = st.one_of(_NUMBER, st.sampled_from(["x", "*", "X", "1|2", "x1"]))
_TERM = st.builds(
    lambda operator, space, parts, tail: operator + space + ".".join(parts) + tail,
    st.sampled_from(["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "=="]),
    st.sampled_from(["", "", " "]),
    st.lists(_WILD, min_size=1, max_size=3),
    _TAIL,
)
_GROUP = st.builds(
    lambda separator, terms: separator.join(terms),
    st.sampled_from([" ", ", ", ",", " - ", "  "]),
    st.lists(_TERM, min_size=1, max_size=3),
)
_RANGE = st.builds("||".join, st.lists(_GROUP, min_size=1, max_size=2))


@given(_RANGE, _VERSIONS)
@example("^*", ["0.0.0", "0.0.1", "0.1.0", "1.0.0"])
@example("<=*", ["0.0.0", "0.0.1", "0.1.0", "1.0.0"])
@example("!=1.2", ["1.2.3-rc.1", "1.2.3", "1.3.0"])
@example("1.2 - 1.4.5", ["1.2.0", "1.4.5", "1.4.6", "1.5.0"])
@example(">=1.2-0 <2", ["1.3.0-rc.1", "2.0.0-rc.1", "1.2.0"])
def test_a_range_means_what_helm_says(go: Judge, text: str, versions: list[str]) -> None:
    said = go.ask(text, versions)
    parsed = [semver.parse(version) for version in versions]
    assert [version is not None for version in parsed] == said["versions"]
    try:
        wanted = semver.Range(text)
    except ValueError:
        assert not said["valid"]
        return
    assert said["valid"]
    assert [version is not None and wanted.matches(version) for version in parsed] == said["matches"]


@given(_VERSIONS)
def test_versions_are_ordered_as_helm_orders_them(go: Judge, versions: list[str]) -> None:
    parsed = [semver.parse(version) for version in versions]
    mine = [0 if a is None or b is None else (a > b) - (a < b) for a, b in itertools.pairwise(parsed)]
    assert mine == (go.ask("*", versions)["order"] or [])


def test_the_newest_wanted_version_is_taken_and_what_is_no_version_is_passed_over() -> None:
    served = ["6.1.0", "6.10.2", "6.9.0", "7.0.0", "6.11.0-rc.1", "latest", "garbage!"]
    assert semver.Range("^6.0").best(served) == "6.10.2"
    assert semver.Range("^8").best(served) is None
    assert semver.Range("^6.0-0").best(served) == "6.11.0-rc.1"


def test_the_nearest_versions_are_named_for_one_that_is_not_there() -> None:
    served = ["17.1.0", "18.9.0", "18.11.1", "18.11.2", "19.0.0", "18.11.0-rc.1"]
    assert semver.nearest("18.11.0", served) == ["18.11.2", "18.11.1", "18.9.0"]
    assert semver.nearest("^42", served)[0] == "19.0.0"


@pytest.mark.parametrize("text", ["", "latest", "^", "1.2.3.4", ">1 ||", "1" * 600, "||".join(["1"] * 33)])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no range of versions"):
        semver.Range(text)


@pytest.mark.parametrize(
    ("text", "is_exact"),
    [
        ("1.2.3", True),
        ("1.2.3-rc.1+b", True),
        ("v1.2.3", True),
        ("1.2", False),
        ("^1.2.3", False),
        ("1.x.3", False),
    ],
)
def test_an_exact_version_is_told_from_a_range(text: str, is_exact: bool) -> None:
    assert semver.exact(text) is is_exact
