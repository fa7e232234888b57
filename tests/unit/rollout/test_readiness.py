"""The rules of kstatus, kind by kind, and where MOP differs on purpose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.manifest import Manifest, ref
from mop.rollout.readiness import RULES, can_wait, readiness
from tests.unit.objects import obj


def live(api_version: str, kind: str, spec: Any, status: Any, generation: int = 1) -> Manifest:
    return obj(api_version, kind, "x", metadata={"generation": generation}, spec=spec, status=status or {})


def true(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": "True", **more}


def false(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": "False", **more}


def deployment(spec: Any = None, **status: Any) -> Manifest:
    counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    spec = {"replicas": 2, **(spec or {})}
    return live("apps/v1", "Deployment", spec, {"observedGeneration": 1, **counts, **status})


def stateful(spec: Any = None, **status: Any) -> Manifest:
    base = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "currentReplicas": 3}
    revisions = {"currentRevision": "b", "updateRevision": "b"}
    spec = {"replicas": 3, **(spec or {})}
    return live("apps/v1", "StatefulSet", spec, {"observedGeneration": 1, **base, **revisions, **status})


def daemon(spec: Any = None, **status: Any) -> Manifest:
    base = dict.fromkeys(
        ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable"), 2
    )
    return live(
        "apps/v1", "DaemonSet", spec or {}, {"observedGeneration": 1, **base, "numberReady": 2, **status}
    )


def job(spec: Any = None, **status: Any) -> Manifest:
    return live("batch/v1", "Job", spec or {}, status)


def custom(*conditions: dict[str, Any], **status: Any) -> Manifest:
    return live(
        "example.com/v1", "Widget", {}, {**status, **({"conditions": list(conditions)} if conditions else {})}
    )


CASES: list[tuple[str, Manifest, str, str]] = [
    ("all pods there", deployment(), "ready", ""),
    ("no replicas wanted", deployment({"replicas": 0}, replicas=0, updatedReplicas=0, readyReplicas=0,
                                      availableReplicas=0), "ready", ""),
    ("replicas left to the default of one", live("apps/v1", "Deployment", {}, {"observedGeneration": 1}),
     "waiting", "pods created 0/1"),
    ("pods missing", deployment(replicas=1), "waiting", "pods created 1/2"),
    ("quota", deployment(replicas=1, conditions=[true("ReplicaFailure", message="exceeded quota")]),
     "waiting", "exceeded quota"),
    ("old pods", deployment(updatedReplicas=1), "waiting", "pods updated 1/2"),
    ("paused with old pods", deployment({"paused": True}, updatedReplicas=0), "ready", ""),
    ("surge", deployment(replicas=3), "waiting", "1 old pods still run"),
    ("not available", deployment(availableReplicas=1), "waiting", "pods available 1/2"),
    ("not ready", deployment(readyReplicas=1), "waiting", "pods ready 1/2"),
    ("Available false", deployment(conditions=[false("Available", message="minimum not met")]),
     "waiting", "minimum not met"),
    ("deadline", deployment(readyReplicas=0, conditions=[
        false("Progressing", reason="ProgressDeadlineExceeded", message="timed out progressing")]),
     "failed", "timed out progressing"),
    ("set complete", stateful(), "ready", ""),
    ("set growing", stateful(replicas=1, readyReplicas=1), "waiting", "pods created 1/3"),
    ("set not ready", stateful(readyReplicas=2), "waiting", "pods ready 2/3"),
    ("set shrinking", stateful(replicas=4), "waiting", "1 pods still to stop"),
    ("set updating", stateful(updatedReplicas=1, currentRevision="a"), "waiting", "pods updated 1/3"),
    ("set about to finish", stateful(updatedReplicas=3, currentRevision="a"), "waiting", "not complete"),
    ("partition reached", stateful({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, updatedReplicas=1,
                                   currentRevision="a"), "ready", ""),
    ("partition not reached", stateful({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, updatedReplicas=0,
                                       currentRevision="a"), "waiting", "pods updated 0/1"),
    ("OnDelete with old pods", stateful({"updateStrategy": {"type": "OnDelete"}}, updatedReplicas=0,
                                        currentRevision="a"), "ready", ""),
    ("OnDelete still needs its pods", stateful({"updateStrategy": {"type": "OnDelete"}}, readyReplicas=0),
     "waiting", "pods ready 0/3"),
    ("daemons everywhere", daemon(), "ready", ""),
    ("nodes not counted", live("apps/v1", "DaemonSet", {}, {"observedGeneration": 1}), "waiting", "counted"),
    ("no node wants it", daemon(desiredNumberScheduled=0, numberReady=0, numberAvailable=0,
                                updatedNumberScheduled=0, currentNumberScheduled=0), "ready", ""),
    ("daemons updating", daemon(updatedNumberScheduled=1), "waiting", "pods updated 1/2"),
    ("daemons OnDelete", daemon({"updateStrategy": {"type": "OnDelete"}}, updatedNumberScheduled=0), "ready", ""),
    ("daemons not ready", daemon(numberReady=1), "waiting", "pods ready 1/2"),
    ("job done", job(conditions=[true("Complete")]), "ready", ""),
    ("job failed", job(conditions=[true("Failed", message="BackoffLimitExceeded")]), "failed", "BackoffLimit"),
    ("job about to fail", job(conditions=[true("FailureTarget", reason="PodFailurePolicy")]), "failed", "PodFailure"),
    ("job not started", job(), "waiting", "not started"),
    ("job running", job({"completions": 3}, startTime="t", succeeded=1), "waiting", "completions 1/3"),
    ("job suspended", job({"suspend": True}), "ready", ""),
    ("pod ready", live("v1", "Pod", {}, {"phase": "Running", "conditions": [true("Ready")]}), "ready", ""),
    ("pod done", live("v1", "Pod", {}, {"phase": "Succeeded"}), "ready", ""),
    ("pod failed", live("v1", "Pod", {}, {"phase": "Failed", "reason": "Evicted"}), "failed", "Evicted"),
    ("pod pending", live("v1", "Pod", {}, {"phase": "Pending"}), "waiting", "phase Pending"),
    ("claim bound", live("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}), "ready", ""),
    ("claim pending", live("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}), "waiting", "not bound"),
    ("claim lost", live("v1", "PersistentVolumeClaim", {}, {"phase": "Lost"}), "failed", "lost"),
    ("service", live("v1", "Service", {"type": "ClusterIP"}, {}), "ready", ""),
    ("load balancer without address", live("v1", "Service", {"type": "LoadBalancer"}, {}), "waiting", "address"),
    ("load balancer of a bare cluster", live("v1", "Service", {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}, {}),
     "ready", ""),
    ("namespace", live("v1", "Namespace", {}, {"phase": "Active"}), "ready", ""),
    ("definition", live("apiextensions.k8s.io/v1", "CustomResourceDefinition", {},
                        {"conditions": [true("NamesAccepted"), true("Established")]}), "ready", ""),
    ("definition new", live("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, {}), "waiting", "established"),
    ("definition refused", live("apiextensions.k8s.io/v1", "CustomResourceDefinition", {},
                                {"conditions": [false("NamesAccepted", message="taken")]}), "failed", "taken"),
    ("API service", live("apiregistration.k8s.io/v1", "APIService", {}, {"conditions": [true("Available")]}),
     "ready", ""),
    ("API service away", live("apiregistration.k8s.io/v1", "APIService", {},
                              {"conditions": [false("Available", message="no endpoints")]}), "waiting", "endpoints"),
    ("disruption budget", live("policy/v1", "PodDisruptionBudget", {}, {"observedGeneration": 1}), "ready", ""),
    ("disruption budget unseen", live("policy/v1", "PodDisruptionBudget", {}, {}), "waiting", "not seen"),
    ("autoscaler without metrics", live("autoscaling/v2", "HorizontalPodAutoscaler", {},
                                        {"conditions": [false("ScalingActive")]}), "ready", ""),
    ("ingress without address", live("networking.k8s.io/v1", "Ingress", {}, {}), "ready", ""),
    ("config map", obj("v1", "ConfigMap", "x"), "ready", ""),
    ("custom resource without status", custom(), "ready", ""),
    ("custom resource ready", custom(true("Ready")), "ready", ""),
    ("custom resource not ready", custom(false("Ready", message="no store")), "waiting", "no store"),
    ("custom resource unknown", custom({"type": "Ready", "status": "Unknown"}), "waiting", "Ready is Unknown"),
    ("custom resource available", custom(false("Available", reason="Degraded")), "waiting", "Degraded"),
    ("custom resource stalled", custom(true("Ready"), true("Stalled", message="bad spec")), "failed", "bad spec"),
    ("custom resource reconciling", custom(true("Ready"), true("Reconciling", reason="Progressing")),
     "waiting", "Progressing"),
    ("custom resource with a stale condition",
     live("example.com/v1", "Widget", {}, {"conditions": [true("Ready", observedGeneration=1)]}, generation=2),
     "waiting", "Ready"),
    ("gateway of a custom group that looks built in",
     live("gateway.networking.k8s.io/v1", "Gateway", {}, {"conditions": [false("Ready", message="no address")]}),
     "waiting", "no address"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("manifest", "state", "reason"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_rule(manifest: Manifest, state: str, reason: str) -> None:
    found = readiness(manifest)
    assert found.state == state, found
    assert reason in found.reason
    assert bool(found.reason) == (state != "ready")


@pytest.mark.parametrize("manifest", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_what_can_be_unready_is_waited_for(manifest: Manifest) -> None:
    if readiness(manifest).state != "ready":
        assert can_wait(ref(manifest))


@pytest.mark.parametrize("manifest", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_being_deleted_is_not_ready(manifest: Manifest) -> None:
    dying = {**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert readiness(dying).state == "waiting"


STATUS = st.fixed_dictionaries(
    {},
    optional={
        **{
            key: st.integers(0, 3)
            for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "numberReady")
        },
        **{key: st.integers(0, 3) for key in ("desiredNumberScheduled", "currentNumberScheduled")},
        "updatedNumberScheduled": st.integers(0, 3),
        "numberAvailable": st.integers(0, 3),
        "phase": st.sampled_from(["Running", "Bound", "Active", "Succeeded"]),
        "conditions": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["Ready", "Available", "Complete", "Established", "Progressing"]),
                    "status": st.sampled_from(["True", "False", "Unknown"]),
                }
            )
        ),
    },
)
KINDS = st.sampled_from([*RULES, ("example.com", "Widget")])


@given(KINDS, STATUS, st.integers(1, 5), st.integers(0, 4))
def test_a_status_of_an_older_generation_never_means_ready(
    kind: tuple[str, str], status: dict[str, Any], generation: int, behind: int
) -> None:
    observed = generation - 1 - behind
    api_version = f"{kind[0]}/v1" if kind[0] else "v1"
    manifest = live(api_version, kind[1], {}, {**status, "observedGeneration": observed}, generation)
    assert readiness(manifest).state == "waiting"


@given(KINDS, STATUS | st.none() | st.text() | st.lists(st.integers()))
def test_no_status_breaks_a_rule(kind: tuple[str, str], status: Any) -> None:
    api_version = f"{kind[0]}/v1" if kind[0] else "v1"
    assert readiness(live(api_version, kind[1], None, status)).state in ("ready", "waiting", "failed")
