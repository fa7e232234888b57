"""Waiting on a real API server with its real controllers: what becomes ready, what fails, and why."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mop.engines.protocols import Cluster
from mop.errors import NotReady
from mop.manifest import Manifest, ref
from mop.model import Ready
from mop.results import ObjectStatus, Waiting, Written
from mop.rollout.wait import Awaited, wait_ready
from mop.steps.status import status
from tests.cluster.objects import deployment, environment, job, obj, workload


def wait(
    cluster: Cluster, *manifests: Manifest, timeout: float = 120, grace: float = 120, **more: Any
) -> tuple[ObjectStatus, ...]:
    for manifest in manifests:
        cluster.apply(manifest)
    refs = [ref(manifest) for manifest in manifests]
    return wait_ready(cluster, "test", [Awaited("web", refs, Ready(timeout, grace))], **more)["web"]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda ns: deployment(ns, replicas=3), id="Deployment"),
        pytest.param(lambda ns: deployment(ns, replicas=0), id="Deployment of none"),
        pytest.param(lambda ns: workload("StatefulSet", ns, replicas=3), id="StatefulSet"),
        pytest.param(
            lambda ns: workload("StatefulSet", ns, replicas=1, updateStrategy={"type": "OnDelete"}), id="OnDelete"
        ),
        pytest.param(lambda ns: workload("DaemonSet", ns), id="DaemonSet"),
        pytest.param(job, id="Job"),
        pytest.param(
            lambda ns: obj("v1", "Pod", ns, "bare", spec={"containers": [{"name": "main", "image": "x"}]}), id="Pod"
        ),
        pytest.param(
            lambda ns: obj("v1", "PersistentVolumeClaim", ns, "data", spec={
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}), id="claim",
        ),
        pytest.param(lambda ns: obj("policy/v1", "PodDisruptionBudget", ns, "web", spec={"selector": {}}), id="PDB"),
        pytest.param(lambda ns: obj("v1", "Service", ns, "lb", spec={
            "type": "LoadBalancer", "ports": [{"port": 80}]}), id="LoadBalancer"),
    ],
)  # fmt: skip
def test_it_becomes_ready(cluster: Cluster, namespace: str, made: Any) -> None:
    (found,) = wait(cluster, made(namespace))
    assert found.state == "ready"


def test_the_same_workload_is_ready_by_every_way_of_asking(cluster: Cluster, namespace: str) -> None:
    web = deployment(namespace, replicas=2)
    wait(cluster, web)
    (found,) = status(cluster, environment(namespace), {"web": [web]})
    assert found.ready


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda ns: deployment(ns, simulate="InvalidImageName"), "InvalidImageName"),
        (lambda ns: job(ns, simulate="Failed", backoffLimit=0), "backoff limit"),
    ],
)
def test_it_fails_at_once_where_waiting_is_vain(
    cluster: Cluster, namespace: str, made: Any, reason: str
) -> None:
    with pytest.raises(NotReady) as caught:
        wait(cluster, made(namespace))
    assert reason in caught.value.message


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda ns: deployment(ns, simulate="ImagePullBackOff"), "ImagePullBackOff"),
        (
            lambda ns: workload("StatefulSet", ns, simulate="CreateContainerConfigError"),
            "CreateContainerConfigError",
        ),
    ],
)
def test_it_fails_after_its_grace_with_the_pods_reason(
    cluster: Cluster, namespace: str, made: Any, reason: str
) -> None:
    with pytest.raises(NotReady) as caught:
        wait(cluster, made(namespace), grace=1)
    assert reason in caught.value.message
    assert "unchanged for 1s" in caught.value.message


def test_what_cannot_be_scheduled_says_why(cluster: Cluster, namespace: str) -> None:
    web = deployment(namespace)
    web["spec"]["template"]["spec"]["nodeSelector"] = {"no": "such-node"}
    with pytest.raises(NotReady) as caught:
        wait(cluster, web, grace=1)
    assert "Unschedulable: 0/3 nodes are available" in caught.value.message


def test_a_deadline_that_the_deployment_sets_itself_is_minded(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotReady, match="has timed out progressing"):
        wait(cluster, deployment(namespace, simulate="Unready", progressDeadlineSeconds=1))


def test_a_timeout_names_what_is_not_ready(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotReady) as caught:
        wait(cluster, deployment(namespace), deployment(namespace, "slow", simulate="Unready"), timeout=5)
    assert "not ready after 5s" in caught.value.message
    assert f"Deployment/{namespace}/slow" in [problem.object for problem in caught.value.problems]


def test_old_pods_do_not_count_as_the_new_revisions(cluster: Cluster, namespace: str) -> None:
    """Right after an update the old pods are all ready: the generation tells that they are not meant."""
    wait(cluster, deployment(namespace, replicas=2))
    with pytest.raises(NotReady, match="InvalidImageName"):
        wait(cluster, deployment(namespace, replicas=2, simulate="InvalidImageName"))


def test_reasons_show_while_it_waits(cluster: Cluster, namespace: str) -> None:
    shown: list[str] = []

    def progress(fact: Written | Waiting) -> None:
        assert isinstance(fact, Waiting)
        shown.extend(each.reason for each in fact.unready)

    with pytest.raises(NotReady):
        wait(cluster, deployment(namespace, simulate="ImagePullBackOff"), grace=2, progress=progress)
    assert any("ImagePullBackOff" in reason for reason in shown)


def test_no_watch_outlives_the_wait(cluster: Cluster, namespace: str) -> None:
    wait(cluster, deployment(namespace))
    for thread in threading.enumerate():
        if thread.name == "mop-watch":
            thread.join(30)
            assert not thread.is_alive()
