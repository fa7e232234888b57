"""What rendered files look like."""

from __future__ import annotations

import pytest

from mop import goyaml

MANIFEST = {
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {"name": "loki", "labels": {}, "annotations": {"on": "yes", "checksum/config": "12e4567"}},
    "data": {
        "config.yaml": "a: 1\n\nb:\n  - x\n",
        "no-newline": "a\nb",
        "two-newlines": "a\n\n",
        "indented": "  a\nb\n",
        "windows": "a\r\nb\r\n",
        "empty": "",
        "url": "http://loki:3100/ready",
        "arguments": "-config.file=/etc/loki.yaml",
        "colon": "a: b",
        "version": "1.30",
        "quantity": "100m",
        "emoji": "🙂",
    },
    "spec": [
        1,
        0.5,
        1e-7,
        1e22,
        None,
        True,
        [],
        {},
        ["a", ["b"]],
        {"b": 2, "a": [{"c": 3}]},
        "multi\nline\n",
    ],
}

TEXT = """\
apiVersion: v1
data:
  arguments: "-config.file=/etc/loki.yaml"
  colon: "a: b"
  config.yaml: |
    a: 1

    b:
      - x
  emoji: "🙂"
  empty: ""
  indented: |2
      a
    b
  no-newline: |-
    a
    b
  quantity: 100m
  two-newlines: |+
    a

  url: http://loki:3100/ready
  version: "1.30"
  windows: "a\\r\\nb\\r\\n"
kind: ConfigMap
metadata:
  annotations:
    checksum/config: "12e4567"
    "on": "yes"
  labels: {}
  name: loki
spec:
- 1
- 0.5
- 1.0e-07
- 1.0e+22
- null
- true
- []
- {}
- - a
  - - b
- a:
  - c: 3
  b: 2
- |
  multi
  line
"""


def test_a_manifest() -> None:
    assert goyaml.dump(MANIFEST) == TEXT


def test_keys_that_are_too_long_for_one_line() -> None:
    assert goyaml.dump({"x" * 600: {"a": 1}}) == f"? {'x' * 600}\n:\n  a: 1\n"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]])
def test_numbers_that_json_has_not(value: object) -> None:
    with pytest.raises(ValueError, match="JSON has no such number"):
        goyaml.dump(value)


def test_what_is_no_json() -> None:
    with pytest.raises(TypeError, match="not JSON: set"):
        goyaml.dump({"a": {1}})
