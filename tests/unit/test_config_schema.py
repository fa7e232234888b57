"""mop/schema.json: complete, described, and of one mind with the code."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.config import build, schema, validity
from mop.durations import seconds
from mop.model import Argument, Check, Ready, Rollout

SCHEMA = schema.schema()
#: Keywords that say nothing about a value, or only lead to rules that do.
SILENT = {
    "$schema",
    "$ref",
    "title",
    "description",
    "default",
    "examples",
    "errorMessage",
    "patternErrorMessage",
}
LEADING = {"properties", "items", "propertyNames", "definitions", "anyOf"}


def rules(rule: Mapping[str, Any], path: str = "$") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, rule
    for key in ("items", "propertyNames", "additionalProperties"):
        if isinstance(rule.get(key), dict):
            yield from rules(rule[key], f"{path}.{key}")
    for key in ("properties", "definitions"):
        for name, inner in rule.get(key, {}).items():
            yield from rules(inner, f"{path}.{name}")
    for index, inner in enumerate(rule.get("anyOf", ())):
        yield from rules(inner, f"{path}.anyOf[{index}]")


RULES = dict(rules(SCHEMA))


def test_it_is_a_schema_that_editors_read() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_every_property_is_described() -> None:
    for path, rule in RULES.items():
        for name, inner in rule.get("properties", {}).items():
            assert schema.resolved(inner).get("description", "").endswith("."), f"{path}.{name}"


def test_every_keyword_that_can_say_no_has_words_for_people() -> None:
    for path, rule in RULES.items():
        for keyword in rule.keys() - SILENT - LEADING:
            assert keyword in schema._TELLERS, f"{path}: {keyword}"


def test_every_form_and_every_choice_is_put_into_words() -> None:
    for path, rule in RULES.items():
        assert ("pattern" in rule) == ("patternErrorMessage" in rule), path
        assert ("anyOf" in rule) == ("errorMessage" in rule), path


def test_every_mapping_with_known_keys_refuses_unknown_ones() -> None:
    for path, rule in RULES.items():
        if "properties" in rule:
            assert rule["additionalProperties"] is False, path


@pytest.mark.parametrize("path", [path for path, rule in RULES.items() if "examples" in rule])
def test_the_examples_are_valid(path: str) -> None:
    rule = RULES[path]
    validator = jsonschema.Draft7Validator({**rule, "definitions": SCHEMA["definitions"]})
    for example in rule["examples"]:
        assert list(validator.iter_errors(example)) == []


def test_the_defaults_it_tells_are_the_defaults_that_hold() -> None:
    def default(definition: str, key: str) -> Any:
        return SCHEMA["definitions"][definition]["properties"][key]["default"]

    ready = {key: seconds(default("ready", key)) for key in ("timeout", "grace")}
    assert Ready(**ready) == Ready()
    canary = {"pods": default("canary", "pods"), "hold": default("canary", "hold")}
    assert build._rollout({"canary": canary}) == build._rollout("canary") == Rollout("canary")
    keep = {"keep": default("blue-green", "keep")}
    assert build._rollout({"blue-green": keep}) == build._rollout("blue-green")
    for key, value in build._VALIDATE.items():
        assert default("validate", key) == value


def test_a_name_may_not_end_in_a_line_break() -> None:
    """`$` of Python's `re` would let it pass."""
    from mop.config.document import read

    document = read(
        b'version: 1\nplatform: "shop\\n"\nkubernetes: "1.34"\nenvironments: {a: {target: embedded}}\n', "f"
    )
    schema.check(document)

    assert [problem.path for problem in document.problems] == ["$.platform"]


@given(st.from_regex(r"\A([0-9]{1,3}(ms|[dhms]))*\Z") | st.text("0123456789dhms. -", max_size=8))
def test_the_schemas_durations_are_those_that_can_be_read(text: str) -> None:
    pattern = SCHEMA["definitions"]["duration"]["pattern"]
    try:
        seconds(text)
        readable = True
    except ValueError:
        readable = False

    assert (re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text) is not None) == readable


def test_checks_and_arguments_have_the_models_fields() -> None:
    http, promql = (branch["properties"] for branch in SCHEMA["definitions"]["check"]["anyOf"])
    assert Check(**dict.fromkeys({**http, **promql}, "x")) == Check("x", "x", "x", "x")
    assert build._argument({"code": "1"}) == Argument("1", code=True)


VALID: dict[str, Any] = {
    "version": 1,
    "platform": "shop",
    "kubernetes": "1.34",
    "repositories": {"grafana": {"url": "https://charts.example.com", "credentials": "env:REGISTRY"}},
    "charts": {"loki": {"chart": "grafana/loki", "version": "1.2.3"}},
    "components": {
        "loki": {"charts": ["loki"], "ready": {"timeout": "10m", "grace": "3m"}},
        "web": {"needs": ["loki"]},
    },
    "environments": {
        "local": {"target": "embedded", "order": "all-at-once", "components": ["web"]},
        "production": {
            "target": {"context": "prod"},
            "protected": True,
            "rollout": {
                "loki": {"canary": {"pods": 1, "hold": "5m", "checks": [{"http": "pods:3100/ready"}]}}
            },
            "validate": {"secrets": "external"},
            "tla": {"size": {"code": "1"}},
        },
    },
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(1.0),
    st.sampled_from(["", "10m", "1.34\n", "web", "Web", "٣m", "embedded", "a/b", "https://x", "canary"]),
    st.text(max_size=4),
    st.just([]),
    st.just({}),
    st.just(["web", "web"]),
    st.just({"http": "x"}),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@given(st.data())
def test_the_quick_answer_is_never_yes_where_there_is_a_mistake(data: st.DataObject) -> None:
    value = copy.deepcopy(VALID)
    for _ in range(data.draw(st.integers(0, 2))):
        container, key = data.draw(st.sampled_from(list(places(value))))
        container[key] = data.draw(ODD)

    assert not validity.holds(value) or not list(schema._validator().iter_errors(value))


def test_the_quick_answer_is_yes_for_what_is_valid() -> None:
    assert validity.holds(VALID)
    assert not validity.holds({**VALID, "version": 2})
