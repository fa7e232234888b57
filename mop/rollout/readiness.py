"""Whether an object is ready: the rules of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus/status). Pure.

Where we differ, the rule says so. Kinds without a rule are ready when they exist.
"""

from __future__ import annotations

from collections.abc import Callable

from mop.manifest import Manifest, ObjectRef
from mop.rollout.verdict import (
    READY,
    Readiness,
    conditions,
    failed,
    is_true,
    number,
    short,
    spec_of,
    status_of,
    waiting,
    words,
)

Rule = Callable[[Manifest], Readiness]


def readiness(manifest: Manifest) -> Readiness:
    """What the live object says of itself."""
    if manifest["metadata"].get("deletionTimestamp"):
        return waiting("is being deleted")
    it = _kind(manifest)
    lag = _lag(manifest, required=it in _OBSERVED)
    if lag:
        return waiting(lag)
    rule = RULES.get(it)
    if rule is not None:
        return rule(manifest)
    return READY if _built_in(it[0]) else by_conditions(manifest)


def can_wait(ref: ObjectRef) -> bool:
    """Whether an object of this kind can be anything but ready while it exists."""
    return (ref.group, ref.kind) in RULES or not _built_in(ref.group)


def _kind(manifest: Manifest) -> tuple[str, str]:
    return manifest["apiVersion"].rpartition("/")[0], manifest["kind"]


def _built_in(group: str) -> bool:
    """Kubernetes' own groups have no dot, or end in k8s.io and are served by the API server itself."""
    return "." not in group or group in _BUILT_IN


def _lag(manifest: Manifest, *, required: bool) -> str:
    """Why the status is older than the spec, or "". `required`: this kind's controller always tells."""
    generation = manifest["metadata"].get("generation")
    observed = status_of(manifest).get("observedGeneration")
    if not isinstance(generation, int):
        return ""
    if observed is None and not required:
        return ""
    if not isinstance(observed, int) or observed < generation:
        return f"its controller has not seen generation {generation} yet"
    return ""


def deployment(manifest: Manifest) -> Readiness:
    """Unlike kstatus, a paused Deployment is judged by its pods alone: its author stopped the rollout."""
    spec, status, found = spec_of(manifest), status_of(manifest), conditions(manifest)
    progressing = found.get("Progressing") or {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed(words(progressing, "ProgressDeadlineExceeded"))
    failure = found.get("ReplicaFailure")
    want = number(spec, "replicas", 1)
    have, updated = number(status, "replicas"), number(status, "updatedReplicas")
    available, ready = number(status, "availableReplicas"), number(status, "readyReplicas")
    if have < want and failure is not None and is_true(failure):
        return waiting(words(failure, "pods cannot be created"))
    if have < want:
        return short("pods created", have, want)
    if updated < want and not spec.get("paused"):
        return short("pods updated", updated, want)
    if have > want:
        return waiting(f"{have - want} old pods still run")
    if available < want:
        return short("pods available", available, want)
    if ready < want:
        return short("pods ready", ready, want)
    available_condition = found.get("Available")
    if want and available_condition is not None and not is_true(available_condition):
        return waiting(words(available_condition, "not available"))
    return READY


def stateful_set(manifest: Manifest) -> Readiness:
    """Unlike kstatus, OnDelete needs its pods ready too; which revision they run is its owner's affair."""
    spec, status = spec_of(manifest), status_of(manifest)
    strategy = spec.get("updateStrategy") or {}
    want = number(spec, "replicas", 1)
    have, ready = number(status, "replicas"), number(status, "readyReplicas")
    if have < want:
        return short("pods created", have, want)
    if ready < want:
        return short("pods ready", ready, want)
    if have > want:
        return waiting(f"{have - want} pods still to stop")
    if strategy.get("type") == "OnDelete":
        return READY
    partition = number(strategy.get("rollingUpdate") or {}, "partition")
    updated, expected = number(status, "updatedReplicas"), max(want - partition, 0)
    complete = status.get("currentRevision") == status.get("updateRevision")
    if not complete and updated < expected:
        return short("pods updated", updated, expected)
    if not complete and not partition:
        return waiting("the new revision is not complete yet")
    return READY


def daemon_set(manifest: Manifest) -> Readiness:
    """Pods on every node that it wants, of the newest revision unless it updates OnDelete."""
    status = status_of(manifest)
    if "desiredNumberScheduled" not in status:
        return waiting("its controller has not counted nodes yet")
    want = number(status, "desiredNumberScheduled")
    on_delete = (spec_of(manifest).get("updateStrategy") or {}).get("type") == "OnDelete"
    steps = [
        ("pods created", "currentNumberScheduled"),
        *([] if on_delete else [("pods updated", "updatedNumberScheduled")]),
        ("pods available", "numberAvailable"),
        ("pods ready", "numberReady"),
    ]
    for what, key in steps:
        if number(status, key) < want:
            return short(what, number(status, key), want)
    return READY


def replica_set(manifest: Manifest) -> Readiness:
    """ReplicaSet and ReplicationController: as many ready pods as wanted."""
    want, status = number(spec_of(manifest), "replicas", 1), status_of(manifest)
    failure = conditions(manifest).get("ReplicaFailure")
    if failure is not None and is_true(failure):
        return waiting(words(failure, "pods cannot be created"))
    for what, key in (("pods created", "replicas"), ("pods ready", "readyReplicas")):
        if number(status, key) < want:
            return short(what, number(status, key), want)
    if number(status, "replicas") > want:
        return waiting(f"{number(status, 'replicas') - want} pods still to stop")
    return READY


def job(manifest: Manifest) -> Readiness:
    """Unlike kstatus, a Job is ready when it is complete: what comes after it relies on its work."""
    found, status = conditions(manifest), status_of(manifest)
    for condition_type in ("Failed", "FailureTarget"):
        if is_true(found.get(condition_type)):
            return failed(words(found[condition_type], "failed"))
    if is_true(found.get("Complete")):
        return READY
    if spec_of(manifest).get("suspend"):
        return READY
    if not status.get("startTime"):
        return waiting("not started")
    want = number(spec_of(manifest), "completions", 1)
    return short("completions", number(status, "succeeded"), want)


def pod(manifest: Manifest) -> Readiness:
    """A bare Pod: ready, or done."""
    phase = status_of(manifest).get("phase")
    if phase == "Succeeded":
        return READY
    if phase == "Failed":
        return failed(
            str(status_of(manifest).get("message") or status_of(manifest).get("reason") or "failed")
        )
    condition = conditions(manifest).get("Ready")
    if is_true(condition):
        return READY
    return waiting(words(condition, "not ready") if condition else f"phase {phase or 'unknown'}")


def claim(manifest: Manifest) -> Readiness:
    """PersistentVolumeClaim."""
    phase = status_of(manifest).get("phase")
    if phase == "Bound":
        return READY
    return failed("its volume is lost") if phase == "Lost" else waiting("not bound to a volume")


def service(manifest: Manifest) -> Readiness:
    """A load balancer's address may never come (bare metal); like kstatus we ask for the cluster address."""
    spec = spec_of(manifest)
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        return waiting("no cluster address yet")
    return READY


def definition(manifest: Manifest) -> Readiness:
    """CustomResourceDefinition: Established."""
    found = conditions(manifest)
    names = found.get("NamesAccepted")
    if names is not None and names.get("status") == "False":
        return failed(words(names, "its names are taken"))
    return READY if is_true(found.get("Established")) else waiting("not established")


def api_service(manifest: Manifest) -> Readiness:
    """Unlike kstatus: an APIService whose backend is away breaks discovery for all."""
    condition = conditions(manifest).get("Available")
    if is_true(condition):
        return READY
    return waiting(words(condition, "not available") if condition else "not available")


def namespace(manifest: Manifest) -> Readiness:
    """Active."""
    phase = status_of(manifest).get("phase", "Active")
    return READY if phase == "Active" else waiting("is being deleted")


def exists(_: Manifest) -> Readiness:
    """Ready when its controller has seen it: the generation was compared before."""
    return READY


def by_conditions(manifest: Manifest) -> Readiness:
    """Custom resources: Stalled, Reconciling, then Ready or else Available; none of them = ready."""
    found = conditions(manifest)
    if is_true(found.get("Stalled")):
        return failed(words(found["Stalled"], "stalled"))
    if is_true(found.get("Reconciling")):
        return waiting(words(found["Reconciling"], "reconciling"))
    condition = found.get("Ready") or found.get("Available")
    if condition is None or is_true(condition):
        return READY
    return waiting(words(condition, f"{condition['type']} is {condition.get('status')}"))


#: By (group, kind).
RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): deployment,
    ("apps", "StatefulSet"): stateful_set,
    ("apps", "DaemonSet"): daemon_set,
    ("apps", "ReplicaSet"): replica_set,
    ("", "ReplicationController"): replica_set,
    ("batch", "Job"): job,
    ("", "Pod"): pod,
    ("", "PersistentVolumeClaim"): claim,
    ("", "Service"): service,
    ("", "Namespace"): namespace,
    ("policy", "PodDisruptionBudget"): exists,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("apiregistration.k8s.io", "APIService"): api_service,
}
#: Their controllers always write observedGeneration; its absence means that none has looked yet.
_OBSERVED = frozenset(
    {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet")}
    | {("", "ReplicationController"), ("policy", "PodDisruptionBudget")}
)
_BUILT_IN = frozenset(
    f"{name}.k8s.io"
    for name in (
        *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization"),
        *(
            "certificates",
            "coordination",
            "discovery",
            "events",
            "flowcontrol.apiserver",
            "internal.apiserver",
        ),
        *(
            "networking",
            "node",
            "rbac.authorization",
            "resource",
            "scheduling",
            "storage",
            "storagemigration",
        ),
    )
)
