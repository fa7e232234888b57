"""What differs between live and dry run: each change once, at a path that people recognise, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.results import FieldChange
from mop.rollout.compare import declared, field_changes, owned, same
from tests.unit.objects import config_map, deployment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "x", "a/b"]), inner),
    max_leaves=8,
)


def changes(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    return [(c.action, c.path, c.old, c.new) for c in field_changes({"s": before}, {"s": after})]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 1, []),
        (1, 2, [("update", "s", 1, 2)]),
        (1, True, [("update", "s", 1, True)]),
        ({"a": 1}, {"a": 1, "b": 2}, [("add", "s.b", None, 2)]),
        ({"a": 1, "b": {"c": 2}}, {"a": 1}, [("delete", "s.b", {"c": 2}, None)]),
        ({"example.com/x": "1"}, {"example.com/x": "2"}, [("update", 's["example.com/x"]', "1", "2")]),
        ([1, 2], [1, 3, 4], [("update", "s[1]", 2, 3), ("add", "s[2]", None, 4)]),
        ({}, None, [("update", "s", {}, None)]),
    ],
)
def test_each_change_once(before: Any, after: Any, expected: list[tuple[str, str, Any, Any]]) -> None:
    assert changes(before, after) == expected


def test_a_new_container_in_front_is_one_change() -> None:
    loki, sidecar = {"name": "loki", "image": "loki:1"}, {"name": "sidecar", "image": "s:1"}
    found = changes([loki], [sidecar, {**loki, "image": "loki:2"}])
    assert found == [("add", "s[sidecar]", None, sidecar), ("update", "s[loki].image", "loki:1", "loki:2")]


def test_items_that_changed_places_are_told() -> None:
    a, b = {"name": "a"}, {"name": "b"}
    assert changes([a, b], [b, a]) == [("update", "s[order]", ["a", "b"], ["b", "a"])]


def test_ports_of_one_name_or_none_are_told_apart() -> None:
    tcp, udp = {"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}
    assert changes([tcp, udp], [tcp]) == [("delete", "s[1]", udp, None)]


@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert field_changes({"s": value}, {"s": value}) == ()
    assert same(value, value)


@given(JSON, JSON)
def test_a_difference_is_never_silent(before: Any, after: Any) -> None:
    """What `apply` decides by (`same`) and what people see (`field_changes`) agree."""
    assert same(before, after) == (field_changes({"s": before}, {"s": after}) == ())


def test_what_only_the_server_writes_is_not_compared() -> None:
    live = deployment()
    live["metadata"] |= {"uid": "1", "resourceVersion": "2", "generation": 3, "managedFields": []}
    live["status"] = {"replicas": 1}
    assert declared(live) == deployment()
    assert declared(live, status=True) == {**deployment(), "status": {"replicas": 1}}


def test_what_a_manager_owns_is_what_it_applied() -> None:
    live = config_map()
    live["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:a": {}}},
        {"manager": "mop", "operation": "Apply", "subresource": "scale", "fieldsV1": {"f:b": {}}},
        {"manager": "mop", "operation": "Apply", "fieldsV1": {"f:data": {}}, "time": "2026-01-01T00:00:00Z"},
    ]
    assert owned(live, "mop") == {"f:data": {}}
    assert owned(live, "helm") is None


def test_a_change_says_what_happened_to_the_field() -> None:
    assert field_changes({"a": 1}, {"a": 2}) == (FieldChange("update", "a", 1, 2),)
