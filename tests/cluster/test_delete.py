"""Delete, drift and hooks on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from mop.controlplane import Endpoint
from mop.engines.protocols import Cluster
from mop.errors import NotReady
from mop.manifest import Manifest, ref
from mop.model import Environment
from mop.rollout.drifting import Ignored
from mop.steps.apply import Options, apply
from mop.steps.delete import delete
from mop.steps.delete import plan as removal
from mop.steps.diff import plan
from mop.steps.drift import drift
from tests.cluster.actors import apply_as
from tests.cluster.objects import config_map, deployment, environment, job, obj, secret, workload


def run(cluster: Cluster, staging: Environment, *manifests: Manifest, **options: Any) -> None:
    plans = plan(cluster, staging, {"web": manifests})
    apply(cluster, staging, plans, options=Options(timeout=120, prune_limit=50, **options))


def names(cluster: Cluster, namespace: str) -> list[str]:
    """What is left in a namespace, but for what Kubernetes itself puts there."""
    kinds = [
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("v1", "Pod"),
        ("v1", "PersistentVolumeClaim"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("batch/v1", "Job"),
    ]
    live = [ref(each) for kind in kinds for each in cluster.list(*kind, namespace, brief=True)]
    return sorted(f"{it.kind}/{it.name}" for it in live if it.name != "kube-root-ca.crt")


def hook(namespace: str, name: str, events: str, policy: str = "", **more: Any) -> Manifest:
    made = job(namespace, name, **more)
    annotations = {"helm.sh/hook": events, **({"helm.sh/hook-delete-policy": policy} if policy else {})}
    return {**made, "metadata": {**made["metadata"], "annotations": annotations}}


def test_nothing_is_left_but_claims(cluster: Cluster, namespace: str) -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}  # type: ignore[index]
    staging = environment(namespace)
    parts = [
        deployment(namespace, replicas=2),
        workload("StatefulSet", namespace, "db", volumeClaimTemplates=[claim]),
        config_map(namespace),
        secret(namespace),
        hook(namespace, "setup", "post-install"),
        hook(namespace, "farewell", "pre-delete", "hook-succeeded"),
    ]
    run(cluster, staging, *parts)
    assert "Job/setup" in names(cluster, namespace)

    delete(cluster, staging, removal(cluster, staging, ["web"]), timeout=120)

    left = [name for name in names(cluster, namespace) if not name.startswith("Pod/")]
    assert left == ["PersistentVolumeClaim/data-db-0"]
    assert removal(cluster, staging, ["web"]) == []


def test_what_holds_an_object_back_is_named(cluster: Cluster, namespace: str) -> None:
    held = config_map(namespace, "held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    staging = environment(namespace)
    run(cluster, staging, held, config_map(namespace))
    with pytest.raises(NotReady, match="1 objects are not gone") as caught:
        delete(cluster, staging, removal(cluster, staging, ["web"]), timeout=2)
    (problem,) = caught.value.problems
    assert "held by example.com/held" in problem.message
    live = cluster.get(ref(held))
    assert live is not None
    free = {**held, "metadata": {k: v for k, v in held["metadata"].items() if k != "finalizers"}}
    cluster.apply(free)
    delete(cluster, staging, removal(cluster, staging, ["web"]), timeout=60)
    assert names(cluster, namespace) == []


def test_hooks_run_once_a_revision_and_a_failure_stops_the_apply(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    install = hook(namespace, "install", "pre-install", "hook-succeeded")
    run(cluster, staging, install, config_map(namespace, a="1"))
    assert names(cluster, namespace).count("Job/install") == 0
    broken = hook(namespace, "upgrade", "pre-upgrade", simulate="Failed", backoffLimit=0)
    with pytest.raises(NotReady, match=r"the pre-upgrade hook Job/.*/upgrade of .*/web failed"):
        run(cluster, staging, broken, config_map(namespace, a="2"))
    live = cluster.get(ref(config_map(namespace)))
    assert live is not None
    assert live["data"] == {"a": "1"}
    # The next apply replaces the hook that failed: Helm's default policy.
    run(cluster, staging, hook(namespace, "upgrade", "pre-upgrade"), config_map(namespace, a="2"))


def test_drift_is_what_others_did(cluster: Cluster, namespace: str, endpoint: Endpoint) -> None:
    staging = environment(namespace)
    run(cluster, staging, deployment(namespace), config_map(namespace, colour="blue"), secret(namespace))
    (quiet,) = drift(cluster, staging, ["web"])
    assert not quiet.changed

    cluster.delete(ref(secret(namespace)))
    theirs = config_map(namespace, colour="red")
    apply_as(
        "their-tool",
        {**theirs, "metadata": {**theirs["metadata"], "annotations": {"x": "y"}}},
        endpoint,
        force=True,
    )
    (found,) = drift(cluster, staging, ["web"])
    assert [(c.action, c.ref.kind) for c in found.changes if c.action != "keep"] == [
        ("add", "Secret"),
        ("update", "ConfigMap"),
    ]
    (ignoring,) = drift(cluster, staging, ["web"], ignored=[Ignored("data.*"), Ignored("metadata.*")])
    assert [c.action for c in ignoring.changes if c.action != "keep"] == ["add"]


def test_an_old_pod_of_a_deployment_goes_with_it(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    run(cluster, staging, deployment(namespace), obj("v1", "ServiceAccount", namespace, "web"))
    run(cluster, staging, obj("v1", "ServiceAccount", namespace, "web"))
    assert cluster.get(ref(deployment(namespace))) is None
