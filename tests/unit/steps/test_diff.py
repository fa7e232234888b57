"""`diff` asks the server and changes nothing."""

from __future__ import annotations

from mop.steps.diff import diff
from tests.fakes import FakeCluster
from tests.unit.objects import config_map, definition, deployment, environment, namespace, secret, widget


def test_it_writes_nothing() -> None:
    cluster = FakeCluster(namespace())
    diff(
        cluster,
        environment(),
        {"web": [config_map(), deployment(), secret()], "more": [definition(), widget()]},
    )
    assert {call.verb for call in cluster.calls} <= {"list", "get", "dry-run"}


def test_each_component_has_its_own_diff_in_apply_order() -> None:
    cluster = FakeCluster(namespace())
    first, second = diff(cluster, environment(), {"web": [deployment(), config_map()], "more": [secret()]})
    assert [change.ref.kind for change in first.changes] == ["ConfigMap", "Deployment"]
    assert (first.environment, first.component, second.component) == ("staging", "web", "more")
    assert first.count("add") == 2


def test_a_platform_that_is_not_there_at_all_is_all_additions() -> None:
    """Neither the environment's namespace nor a component's CustomResourceDefinition need to exist."""
    parts = {"operator": [definition()], "web": [widget(), config_map()]}
    found = diff(FakeCluster(), environment(), parts)
    assert [change.action for each in found for change in each.changes] == ["add"] * 3
