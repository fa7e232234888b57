"""A Problem's path is found in the rendered file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mop import goyaml
from mop.checks.lines import located, place
from mop.problem import Problem

TEXT = """apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels:
    app.kubernetes.io/name: x
    "on": "1"
data:
  a.yaml: |
    first
    second

    fourth: x
spec:
  ports:
    - name: http
      port: 80
"""


def line(path: str) -> tuple[int, int]:
    (problem,) = located([Problem("x", file="f.yaml", path=path)], {"f.yaml": TEXT}.__getitem__)
    return problem.line, problem.column


def test_fields_items_and_keys_in_brackets() -> None:
    assert line("metadata.name") == (4, 3)
    assert line("spec.ports[0].port") == (17, 7)
    assert line('metadata.labels["app.kubernetes.io/name"]') == (6, 5)
    assert line("metadata.labels.on") == (7, 5)


def test_a_line_inside_a_block_text() -> None:
    assert line('data["a.yaml"] line 2') == (11, 3)
    assert line('data["a.yaml"]: groups[0].rules[1]') == (9, 3)


def test_what_is_missing_is_told_at_its_nearest_parent() -> None:
    assert line("spec.ports[0].targetPort") == (16, 7)
    assert line("spec.ports[5].name") == (15, 3)
    assert line("nowhere") == (1, 1)
    assert line("data.fourth") == (8, 1)


def test_without_a_file_nothing_is_read() -> None:
    problem = Problem("x", path="metadata")
    assert list(located([problem], {}.__getitem__)) == [problem]


KEYS = st.sampled_from(["a", "b/c", "on", "x y", "d.yaml", "é"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "text", "a: b\n- c\n\n  d\n", "- x", "'q'"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_path_of_a_rendered_object_is_found_where_a_yaml_parser_finds_it(value: dict[str, Any]) -> None:
    text = goyaml.dump(value)
    for path, mark in marks(yaml.compose(text), ""):
        assert place(text, path) == (mark.line + 1, mark.column + 1), (path, text)


def marks(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every path below a node, and where its key or entry stands."""
    for index, entry in enumerate(node.value if isinstance(node.value, list) else ()):
        if isinstance(entry, tuple):
            key, below = entry
            where = f"{path}[{json.dumps(key.value)}]"
            yield where, key.start_mark
            yield from marks(below, where)
        else:
            yield f"{path}[{index}]", entry.start_mark
            yield from marks(entry, f"{path}[{index}]")
