"""mop.yaml as text: it means what Go's YAML makes of it, and whatever it holds, a mistake is all that comes of it."""

from __future__ import annotations

import json
import string
from copy import deepcopy
from pathlib import Path
from typing import Any

import _gojsonnet
import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from mop import config
from mop.config import document
from mop.config.scalars import Ambiguous, resolve
from mop.errors import ConfigError
from mop.model import Platform
from tests.unit.test_config import FULL

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PROJECTS = Path(__file__).parent.parent / "projects"


def std_parse_yaml(text: str) -> Any:
    """What plain Jsonnet, and so `tk`, sees of a file."""
    evaluated = _gojsonnet.evaluate_snippet(
        "judge",
        'std.parseYaml(importstr "mop.yaml")',
        import_callback=lambda folder, name: (name, text.encode()),
    )
    return json.loads(evaluated)


def same(ours: Any, theirs: Any) -> bool:
    """Equal as JSON data; Jsonnet has no numbers but float64."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (ours, theirs)]
    if all(numbers):
        return float(ours) == float(theirs)
    return type(ours) is type(theirs) and bool(ours == theirs)


# ---------------------------------------------------------------- scalars


# fmt: off
AGREED = [
    "", "~", "null", "true", "True", "FALSE", "0", "-1", "12345678901234567890", "1.30", "1e3", "-0.5", "12:30",
    "2024-01-01", "1.34.0", "5m", "=", "<<", "0x", "-", "+", ".", "1.2.3", "e3", "yEs", "nul", "٣", "1٣",
]
REFUSED = [
    "y", "N", "yes", "No", "on", "OFF", "0777", "010", "08", "0o17", "0x1F", "0b11", "1_000", "1_", "+1", ".5", "1.",
    "01.5", "1e400", ".inf", "-.Inf", ".NaN", "1_0.5",
]
# fmt: on


@pytest.mark.parametrize("text", AGREED)
def test_scalars_mean_what_go_makes_of_them(text: str) -> None:
    if text in ("-", "<<"):  # a list's dash, a merge key: as values they need quotes or company
        assert resolve(text) == text
    else:
        assert same(resolve(text), std_parse_yaml(f"k: {text}\n")["k"])


@pytest.mark.parametrize("text", REFUSED)
def test_scalars_that_readers_do_not_agree_on_are_refused(text: str) -> None:
    with pytest.raises(Ambiguous):
        resolve(text)


number_like = st.text("0123456789+-._eExXoObBaAfFinyNYs:", min_size=1, max_size=8)


@SETTINGS
@given(number_like | st.text(string.ascii_letters + string.digits + "-._:+", min_size=1, max_size=10))
@example("1__0")
@example("-0")
@example("0e0")
@example("9" * 400)
def test_a_plain_scalar_means_what_go_makes_of_it_or_is_refused(text: str) -> None:
    assume(not text.startswith("-") or len(text) > 1)
    assume(not text.endswith(":") and not text.startswith("---"))
    try:
        value = resolve(text)
    except Ambiguous:
        return
    assert same(value, std_parse_yaml(f"k: {text}\n")["k"])


# ---------------------------------------------------------------- documents


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@SETTINGS
@given(st.dictionaries(texts, values, max_size=5), st.booleans())
def test_a_document_means_what_std_parse_yaml_makes_of_it(data: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    read = document.read(text.encode(), "mop.yaml")

    assume(not read.problems)
    assert same(read.value, std_parse_yaml(text))


ANCHORS = """\
base: &base {a: 1, b: [x, z]}
more: &more {b: 2, c: "3"}
one: {<<: *base, b: 5}
two: {<<: [*base, *more], d: *base}
three:
  <<: *more
  c: |
    text
"""


@pytest.mark.parametrize("text", [FULL, ANCHORS], ids=["full", "anchors"])
def test_real_documents_mean_what_std_parse_yaml_makes_of_them(text: str) -> None:
    read = document.read(text.encode(), "mop.yaml")

    assert read.problems == []
    assert same(read.value, std_parse_yaml(text))


def test_jsonnet_sees_of_an_environment_what_it_would_read_itself(tmp_path: Path) -> None:
    (tmp_path / "mop.yaml").write_text(FULL)
    platform = config.load(tmp_path / "mop.yaml")

    seen = platform.environment_slice("staging")

    whole = std_parse_yaml(FULL)
    assert seen == {**whole, "environments": {"staging": whole["environments"]["staging"]}}


def test_every_key_and_value_has_its_place() -> None:
    read = document.read(b"a: 1\nb:\n  - x\n  - {c: 1.30}\n", "mop.yaml")

    marks = {path: (mark.line, mark.column, mark.source) for path, mark in read.marks.items()}
    assert marks == {
        (): (1, 1, ""),
        ("a",): (1, 4, "1"),
        ("b",): (3, 3, ""),
        ("b", 0): (3, 5, "x"),
        ("b", 1): (4, 5, ""),
        ("b", 1, "c"): (4, 9, "1.30"),
    }
    assert {path: (mark.line, mark.column) for path, mark in read.keys.items()} == {
        ("a",): (1, 1),
        ("b",): (2, 1),
        ("b", 1, "c"): (4, 6),
    }


# ---------------------------------------------------------------- anything at all


def outcome(root: Path, data: bytes) -> Platform | ConfigError:
    """What comes of `data` as mop.yaml: a Platform or a ConfigError, and every problem lies within the file."""
    (root / "mop.yaml").write_bytes(data)
    lines = data.count(b"\n") + data.count(b"\r") + data.count(b"\xc2\x85") + data.count(b"\xe2\x80") + 1
    try:
        return config.load(root / "mop.yaml")
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.message
            assert 0 <= problem.line <= lines
        return error


@SETTINGS
@given(st.binary(max_size=200) | texts.map(str.encode))
@example(b"\x00")
@example(b"\xff\xfe\x00")
@example(b"- " * 2000)
@example(b"[" * 2000)
@example(b"a: " * 500)
@example(b"? " * 500)
@example(b"\n\n\n---\n...\n")
@example(b"!!omap {}")
@example(b"%TAG ! x\n---\n{}")
@example(b"&a *a : b")
@example(b"{? {} : {}}")
@example(b"<<: {a: 1}\n")
@example(b"<<: [*a]\n")
def test_any_bytes_give_a_mistake_or_a_platform(tmp_path: Path, data: bytes) -> None:
    outcome(tmp_path, data)


@SETTINGS
@given(st.dictionaries(texts, values, max_size=5))
def test_any_mapping_gives_a_mistake(tmp_path: Path, data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)

    assert isinstance(outcome(tmp_path, text.encode()), ConfigError)


@SETTINGS
@given(st.data())
def test_a_character_more_or_less_gives_a_mistake_or_a_platform(tmp_path: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(FULL)))
    end = data.draw(st.integers(start, min(len(FULL), start + 40)))
    inserted = data.draw(st.text(string.printable, max_size=3))

    text = FULL[:start] + inserted + FULL[end:]
    platform = outcome(tmp_path, text.encode())

    if isinstance(platform, Platform):
        assert same(platform.declared, std_parse_yaml(text))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        found += places(inner, (*path, key))
    return found


VALID = yaml.safe_load(FULL)
PLACES = [place for place in places(VALID) if place]
names = st.sampled_from(
    ["loki", "canary", "local", "staging", "charts", "needs", "whole", "../x", "1h", "~", ""]
)


def mutated(draw: st.DrawFn, tree: Any) -> None:
    """Delete, rename or retype one node of `tree`."""
    *above, last = draw(st.sampled_from(PLACES))
    parent = tree
    for key in above:
        try:
            parent = parent[key]
        except (KeyError, IndexError, TypeError):
            return
    if last not in (
        parent if isinstance(parent, dict) else range(len(parent)) if isinstance(parent, list) else ()
    ):
        return
    action = draw(st.sampled_from(["delete", "rename", "retype"]))
    if action == "rename" and isinstance(parent, dict):
        parent[draw(names)] = parent.pop(last, {})
    elif action == "delete":
        parent.pop(last, None) if isinstance(parent, dict) else parent.pop(last)
    else:
        parent[last] = draw(
            values | names | names.map(lambda name: [name]) | names.map(lambda name: {name: {}})
        )


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    tree = deepcopy(VALID)
    for _ in range(draw(st.integers(1, 4))):
        mutated(draw, tree)
    return tree


@settings(SETTINGS, max_examples=300)
@given(mutants())
def test_a_valid_file_mutated_gives_a_mistake_or_a_platform(tmp_path: Path, tree: Any) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)

    platform = outcome(tmp_path, text.encode())

    if isinstance(platform, Platform):
        for environment in platform.environments.values():
            for position, name in enumerate(environment.components):
                assert set(platform.components[name].needs) <= set(environment.components[:position])
            assert environment.rollout.keys() <= set(environment.components)
            assert environment.after in {"", *platform.environments} - {environment.name}
            assert ".." not in environment.path.split("/")
        assert same(platform.declared, std_parse_yaml(text))
