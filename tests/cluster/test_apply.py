"""Applies against a real API server: everything arrives, nothing is written twice, what fails is told in full."""

from __future__ import annotations

from typing import Any

import pytest

from mop.controlplane import Endpoint
from mop.engines.protocols import Cluster
from mop.errors import FieldConflict, Interrupted, NotReady, Rejected
from mop.manifest import Manifest, ref
from mop.model import Environment, Ready
from mop.results import ApplyResult, Waiting, Written
from mop.rollout.applyset import Owner
from mop.rollout.concurrent import Stop
from mop.steps.apply import Options, apply
from mop.steps.diff import plan
from mop.steps.status import status
from tests.cluster.actors import apply_as
from tests.cluster.objects import config_map, definition, deployment, environment, job, obj, secret, workload


def run(
    cluster: Cluster, staging: Environment, components: dict[str, list[Manifest]], **more: Any
) -> list[ApplyResult]:
    """Plan and apply, patiently."""
    patient = {name: Ready(timeout=120, grace=120) for name in components}
    return apply(cluster, staging, plan(cluster, staging, components), ready=patient, **more)


def versions(cluster: Cluster, manifests: list[Manifest]) -> list[str]:
    live = [cluster.get(ref(manifest)) for manifest in manifests]
    return [each["metadata"]["resourceVersion"] if each else "absent" for each in live]


def test_from_nothing_to_ready_and_a_second_apply_writes_nothing(cluster: Cluster, namespace: str) -> None:
    """Namespace, definition, custom resource and workloads in one run, of a namespace that is not there."""
    crd, api_version = definition()
    fresh = f"{namespace}-fresh"
    parts = [
        obj(api_version, "Widget", fresh, "gear", spec={"size": 3}),
        crd,
        deployment(fresh, replicas=2),
        workload("StatefulSet", fresh, "db", replicas=2),
        workload("DaemonSet", fresh, "agent"),
        job(fresh),
        config_map(fresh),
        secret(fresh),
    ]
    staging = environment(fresh)

    (first,) = run(cluster, staging, {"web": parts})
    assert first.count("add") == len(parts)
    assert {each.state for each in first.objects} == {"ready"}
    before = versions(cluster, parts)

    (second,) = run(cluster, staging, {"web": parts})
    assert second.written == 0
    assert versions(cluster, parts) == before
    assert all(each.ready for each in status(cluster, staging, {"web": parts}))

    cluster.delete(ref(crd))
    cluster.delete(ref(obj("v1", "Namespace", "", fresh)))


def test_objects_bear_their_labels_and_pods_do_not(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    run(cluster, staging, {"web": [deployment(namespace)]})
    live = cluster.get(ref(deployment(namespace)))
    assert live is not None
    assert live["metadata"]["labels"] == Owner(staging.name, "web", namespace).labels
    assert live["spec"]["template"]["metadata"]["labels"] == {"app": "web"}


def test_a_change_rolls_out_and_is_waited_for(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    run(cluster, staging, {"web": [deployment(namespace, image="example.com/app:1", replicas=3)]})
    facts: list[Written | Waiting] = []
    (result,) = run(
        cluster,
        staging,
        {"web": [deployment(namespace, image="example.com/app:2", replicas=3)]},
        progress=facts.append,
    )
    assert result.count("update") == 1
    pods = cluster.list("v1", "Pod", namespace)
    images = {p["spec"]["containers"][0]["image"] for p in pods if not p["metadata"].get("deletionTimestamp")}
    assert images == {"example.com/app:2"}
    assert any(isinstance(fact, Waiting) and fact.unready for fact in facts)


def test_component_by_component_stops_at_the_first_that_fails(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace, order="component-by-component")
    components = {
        "one": [config_map(namespace, "one")],
        "two": [job(namespace, "two", simulate="Failed", backoffLimit=0)],
        "three": [config_map(namespace, "three")],
    }
    with pytest.raises(NotReady) as caught:
        run(cluster, staging, components)
    assert f"{namespace}/two failed: Job/{namespace}/two" in caught.value.message
    assert "2 of 3 objects were dealt with" in caught.value.message
    assert versions(cluster, components["three"]) == ["absent"]


def test_nothing_is_written_where_one_object_is_refused(cluster: Cluster, namespace: str) -> None:
    parts = [config_map(namespace), obj("v1", "ConfigMap", namespace, "UPPER")]
    with pytest.raises(Rejected):
        run(cluster, environment(namespace), {"web": parts})
    assert versions(cluster, parts) == ["absent", "absent"]


def test_nothing_is_written_where_another_owns_a_field(
    cluster: Cluster, namespace: str, endpoint: Endpoint
) -> None:
    apply_as("their-tool", config_map(namespace, "theirs", colour="red"), endpoint)
    parts = [config_map(namespace, "ours"), config_map(namespace, "theirs", colour="blue")]
    with pytest.raises(FieldConflict) as caught:
        run(cluster, environment(namespace), {"web": parts})
    assert [(p.found, p.path) for p in caught.value.problems] == [("their-tool", "data.colour")]
    assert versions(cluster, parts[:1]) == ["absent"]
    run(cluster, environment(namespace), {"web": parts}, options=Options(force=True))
    live = cluster.get(ref(parts[1]))
    assert live is not None
    assert live["data"] == {"colour": "blue"}


def test_an_interrupted_apply_is_finished_by_the_next(cluster: Cluster, namespace: str) -> None:
    parts, stop = [config_map(namespace, f"c{number:02}") for number in range(30)], Stop()
    staging = environment(namespace)

    def press(fact: Written | Waiting) -> None:
        if isinstance(fact, Written) and fact.done == 5:
            stop.set()

    with pytest.raises(Interrupted) as caught:
        run(cluster, staging, {"web": parts}, progress=press, stop=stop)
    written = [version for version in versions(cluster, parts) if version != "absent"]
    assert f"{len(written)} of 30 objects were dealt with ({len(written)} written)" in caught.value.message
    assert 5 <= len(written) < 30

    (result,) = run(cluster, staging, {"web": parts})
    assert (result.written, result.count("keep")) == (30 - len(written), len(written))


def test_a_namespace_that_goes_away_is_waited_for_by_its_user(cluster: Cluster, namespace: str) -> None:
    held = config_map(namespace, "held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    cluster.apply(held)
    cluster.delete(ref(obj("v1", "Namespace", "", namespace)))
    try:
        with pytest.raises(Rejected, match=r"being deleted|rejects") as caught:
            run(cluster, environment(namespace), {"web": [config_map(namespace)]})
        assert "wait until it is gone" in f"{caught.value.hint}{caught.value.problems}"
    finally:
        cluster.apply(config_map(namespace, "held"))


def test_an_object_of_another_namespace_stays_there(cluster: Cluster, namespace: str) -> None:
    """A component may have objects in other namespaces; nothing of its own is moved."""
    other = f"{namespace}-other"
    parts = [obj("v1", "Namespace", "", other), config_map(other), config_map(namespace)]
    run(cluster, environment(namespace), {"web": parts})
    assert "absent" not in versions(cluster, parts)
    cluster.delete(ref(parts[0]))
