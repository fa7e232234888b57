"""YAML inside ConfigMaps: structure and texts, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mop.checks.texts import parse


def test_scalars_are_texts() -> None:
    parsed = parse('a: true\nb: 1.50\nc: "x"\nd: ~\ne: null\nf: "null"\ng:\nh: [1, {i: 2}]\nj: {}\nk: []\n')
    assert parsed.value == {
        "a": "true", "b": "1.50", "c": "x", "d": "", "e": "", "f": "null", "g": "", "h": ["1", {"i": "2"}],
        "j": {}, "k": [],
    }  # fmt: skip


def test_anchors_and_merges() -> None:
    parsed = parse("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\nmany: {<<: [*b, {z: 4}]}\nsame: *b\n")
    assert parsed.value["one"] == {"x": "1", "y": "3"}
    assert parsed.value["many"] == {"x": "1", "y": "2", "z": "4"}
    assert parsed.value["same"] == {"x": "1", "y": "2"}


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "the key c is there twice", 4),
        ("a: [1\nb: 2\n", "not YAML: did not find expected ',' or ']'", 2),
        ("a: b: c", "not YAML: mapping values are not allowed in this context", 1),
        ("a: *nowhere", "not YAML: found undefined alias", 1),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, fault: str, line: int) -> None:
    parsed = parse(text)
    assert (parsed.fault, parsed.line) == (fault, line)


def test_nothing_is_nothing() -> None:
    assert parse("").value is None
    assert parse("# a comment\n").value is None


VALUES = st.recursive(
    st.text(alphabet="abc: -#'\"\n1{}[],&*!|>%@", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="ab<~", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_what_was_written_is_read(value: Any) -> None:
    assert parse(yaml.safe_dump(value)).value == without_merges(value)


def without_merges(value: Any) -> Any:
    """A key `<<` that holds a text merges nothing and is no key either."""
    if isinstance(value, list):
        return [without_merges(entry) for entry in value]
    if isinstance(value, dict):
        out: dict[str, Any] = {}
        for key, below in value.items():
            if key != "<<":
                out[key] = without_merges(below)
        for base in value["<<"] if isinstance(value.get("<<"), list) else [value.get("<<")]:
            if isinstance(base, dict):
                out = {**without_merges(base), **out}
        return out
    return value


@given(st.text(alphabet="ab:-[]{}&*!\n \"'|>%@,#?", max_size=40))
def test_any_text_gives_a_value_or_a_fault(text: str) -> None:
    parsed = parse(text)
    assert parsed.value is None or not parsed.fault
