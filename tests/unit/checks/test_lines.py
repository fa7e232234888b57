"""A Problem's path is found in the rendered file."""

from __future__ import annotations

from mop.checks.lines import located
from mop.problem import Problem

TEXT = """apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels:
    app.kubernetes.io/name: x
data:
  a.yaml: |
    first
    second
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
    assert line("spec.ports[0].port") == (14, 7)
    assert line('metadata.labels["app.kubernetes.io/name"]') == (6, 5)


def test_a_line_inside_a_block_text() -> None:
    assert line('data["a.yaml"] line 2') == (10, 3)


def test_what_is_missing_is_told_at_its_nearest_parent() -> None:
    assert line("spec.ports[0].targetPort") == (13, 7)
    assert line("spec.ports[5].name") == (12, 3)
    assert line("nowhere") == (1, 1)


def test_without_a_file_nothing_is_read() -> None:
    problem = Problem("x", path="metadata")
    assert list(located([problem], {}.__getitem__)) == [problem]
