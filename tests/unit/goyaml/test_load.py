"""Reading YAML: what the property tests do not show at a glance, and every error with its place."""

from __future__ import annotations

from typing import Any

import pytest

from mop.goyaml import YamlError, load_all, load_all_v2


def test_the_two_generations_side_by_side() -> None:
    text = "on: yes\nday: 2001-01-02\nmode: 0777\ntime: 12:30:45\n"
    assert load_all(text) == [{"on": "yes", "day": "2001-01-02T00:00:00Z", "mode": 511, "time": "12:30:45"}]
    assert load_all_v2(text) == [{"true": True, "day": "2001-01-02", "mode": 511, "time": "12:30:45"}]


def test_an_equals_sign_is_a_text() -> None:
    assert load_all("enum: [=, '!=', =~]") == [{"enum": ["=", "!=", "=~"]}]


def test_bytes_and_byte_order_marks() -> None:
    assert (
        load_all("a: é".encode())
        == load_all("\ufeffa: é")
        == load_all("a: é".encode("utf-16"))
        == [{"a": "é"}]
    )


def test_numbers_without_a_fraction_are_integers() -> None:
    (value,) = load_all("[1.0, 1e3, 1e21, 0.5, -0.0]")
    assert [type(item) for item in value] == [int, int, float, float, float]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x {k: 1}\nb: *x", {"a": {"k": 1}, "b": {"k": 1}}),
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", {"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}),
        ("b: {k: 3, <<: [{k: 1, l: 1}, {l: 2, m: 2}]}", {"b": {"k": 3, "l": 1, "m": 2}}),
        ("'<<': 1", {"<<": 1}),
        ("a: <<", {"a": "<<"}),
    ],
)
def test_aliases_and_merges(text: str, expected: Any) -> None:
    assert load_all(text) == [expected]


def test_what_two_aliases_give_are_two_things() -> None:
    (value,) = load_all("a: &x {k: [1]}\nb: *x\nc: {<<: *x}")
    value["a"]["k"].append(2)
    assert value["b"] == value["c"] == {"k": [1]}


def test_anchors_end_with_their_document_for_kubectl_and_do_not_for_yaml_v3() -> None:
    text = "a: &x 1\n---\nb: *x"
    assert load_all(text) == [{"a": 1}, {"b": 1}]
    with pytest.raises(YamlError, match="unknown anchor 'x'"):
        load_all_v2(text)


@pytest.mark.parametrize(
    ("text", "problem", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "mapping key 'a' already defined at line 1", 3, 1),
        ("a:\n  1: x", "the key '1' is not a string", 2, 3),
        ("a:\n- b: 1\n c: 2", "did not find expected key", 3, 2),
        ("a: b: c", "mapping values are not allowed in this context", 1, 5),
        ("a: *nope", "unknown anchor 'nope' referenced", 1, 4),
        ("a: &x [*x]", "anchor 'x' value contains itself", 1, 8),
        ("a:\n\t- b", "found character that cannot start any token", 2, 1),
        ("a: !!int x", "cannot decode !!str `x` as a !!int", 1, 4),
        ("a: .inf", "JSON has no such number: .inf", 1, 4),
        ("a: 'x", "found unexpected end of stream", 1, 6),
        ("<<: 1", "map merge requires map or sequence of maps", 1, 5),
        ("? [a]\n: b", "a mapping or sequence cannot be a key", 1, 3),
    ],
)
def test_errors_have_their_place(text: str, problem: str, line: int, column: int) -> None:
    with pytest.raises(YamlError) as caught:
        load_all(text)
    assert caught.value.problem.startswith(problem)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value) == f"line {line}: {caught.value.problem}"


@pytest.mark.parametrize("text", ["a: \x00", b"a: \xff", "a: \x1b[0m"])
def test_characters_that_yaml_does_not_allow(text: str | bytes) -> None:
    with pytest.raises(YamlError):
        load_all(text)


def test_a_billion_laughs_are_not_laughed() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    with pytest.raises(YamlError, match="excessive aliasing"):
        load_all("\n".join(lines))


@pytest.mark.parametrize("text", ["[" * 5000 + "]" * 5000, "- " * 5000 + "x"])
def test_nesting_without_end(text: str) -> None:
    with pytest.raises(YamlError, match="nest"):
        load_all(text)
