"""Whether an object is ready: the rules of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus/status). Pure.

Where we differ, the rule says so. Kinds without a rule are ready when they exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mop.manifest import Manifest, ObjectRef


@dataclass(frozen=True, slots=True)
class Readiness:
    """`failed`: it will not become ready by waiting. `reason` is empty for `ready`."""

    state: Literal["ready", "waiting", "failed"]
    reason: str = ""


READY = Readiness("ready")
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


def waiting(reason: str) -> Readiness:
    """Not ready yet, because of `reason`."""
    return Readiness("waiting", reason)


def failed(reason: str) -> Readiness:
    """Never ready without a change, because of `reason`."""
    return Readiness("failed", reason)


def conditions(manifest: Manifest) -> dict[str, Mapping[str, Any]]:
    """Conditions by type; one that speaks of an older generation counts as unknown."""
    generation = manifest["metadata"].get("generation") or 0
    found: dict[str, Mapping[str, Any]] = {}
    for condition in _status(manifest).get("conditions") or []:
        if isinstance(condition, Mapping) and isinstance(condition.get("type"), str):
            observed = condition.get("observedGeneration")
            stale = isinstance(observed, int) and 0 < observed < generation
            found[condition["type"]] = {**condition, "status": "Unknown"} if stale else condition
    return found


def _kind(manifest: Manifest) -> tuple[str, str]:
    return manifest["apiVersion"].rpartition("/")[0], manifest["kind"]


def _built_in(group: str) -> bool:
    """Kubernetes' own groups have no dot, or end in k8s.io and are served by the API server itself."""
    return "." not in group or group in _BUILT_IN


def _status(manifest: Manifest) -> Mapping[str, Any]:
    status = manifest.get("status")
    return status if isinstance(status, Mapping) else {}


def _spec(manifest: Manifest) -> Mapping[str, Any]:
    spec = manifest.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _lag(manifest: Manifest, *, required: bool) -> str:
    """Why the status is older than the spec, or "". `required`: this kind's controller always tells."""
    generation = manifest["metadata"].get("generation")
    observed = _status(manifest).get("observedGeneration")
    if not isinstance(generation, int):
        return ""
    if observed is None and not required:
        return ""
    if not isinstance(observed, int) or observed < generation:
        return f"its controller has not seen generation {generation} yet"
    return ""


def _number(values: Mapping[str, Any], key: str, default: int = 0) -> int:
    value = values.get(key)
    return value if isinstance(value, int) else default


def _short(what: str, have: int, want: int) -> Readiness:
    return waiting(f"{what} {have}/{want}")


def _true(condition: Mapping[str, Any] | None) -> bool:
    return condition is not None and condition.get("status") == "True"


def _words(condition: Mapping[str, Any], default: str) -> str:
    return str(condition.get("message") or condition.get("reason") or default).strip()


def deployment(manifest: Manifest) -> Readiness:
    """Unlike kstatus, a paused Deployment is judged by its pods alone: its author stopped the rollout."""
    spec, status, found = _spec(manifest), _status(manifest), conditions(manifest)
    progressing = found.get("Progressing") or {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return failed(_words(progressing, "ProgressDeadlineExceeded"))
    failure = found.get("ReplicaFailure")
    want = _number(spec, "replicas", 1)
    have, updated = _number(status, "replicas"), _number(status, "updatedReplicas")
    available, ready = _number(status, "availableReplicas"), _number(status, "readyReplicas")
    if have < want and failure is not None and _true(failure):
        return waiting(_words(failure, "pods cannot be created"))
    if have < want:
        return _short("pods created", have, want)
    if updated < want and not spec.get("paused"):
        return _short("pods updated", updated, want)
    if have > want:
        return waiting(f"{have - want} old pods still run")
    if available < want:
        return _short("pods available", available, want)
    if ready < want:
        return _short("pods ready", ready, want)
    available_condition = found.get("Available")
    if want and available_condition is not None and not _true(available_condition):
        return waiting(_words(available_condition, "not available"))
    return READY


def stateful_set(manifest: Manifest) -> Readiness:
    """Unlike kstatus, OnDelete needs its pods ready too; which revision they run is its owner's affair."""
    spec, status = _spec(manifest), _status(manifest)
    strategy = spec.get("updateStrategy") or {}
    want = _number(spec, "replicas", 1)
    have, ready = _number(status, "replicas"), _number(status, "readyReplicas")
    if have < want:
        return _short("pods created", have, want)
    if ready < want:
        return _short("pods ready", ready, want)
    if have > want:
        return waiting(f"{have - want} pods still to stop")
    if strategy.get("type") == "OnDelete":
        return READY
    partition = _number(strategy.get("rollingUpdate") or {}, "partition")
    updated, expected = _number(status, "updatedReplicas"), max(want - partition, 0)
    complete = status.get("currentRevision") == status.get("updateRevision")
    if not complete and updated < expected:
        return _short("pods updated", updated, expected)
    if not complete and not partition:
        return waiting("the new revision is not complete yet")
    return READY


def daemon_set(manifest: Manifest) -> Readiness:
    """Pods on every node that it wants, of the newest revision unless it updates OnDelete."""
    status = _status(manifest)
    if "desiredNumberScheduled" not in status:
        return waiting("its controller has not counted nodes yet")
    want = _number(status, "desiredNumberScheduled")
    on_delete = (_spec(manifest).get("updateStrategy") or {}).get("type") == "OnDelete"
    steps = [
        ("pods created", "currentNumberScheduled"),
        *([] if on_delete else [("pods updated", "updatedNumberScheduled")]),
        ("pods available", "numberAvailable"),
        ("pods ready", "numberReady"),
    ]
    for what, key in steps:
        if _number(status, key) < want:
            return _short(what, _number(status, key), want)
    return READY


def replica_set(manifest: Manifest) -> Readiness:
    """ReplicaSet and ReplicationController: as many ready pods as wanted."""
    want, status = _number(_spec(manifest), "replicas", 1), _status(manifest)
    failure = conditions(manifest).get("ReplicaFailure")
    if failure is not None and _true(failure):
        return waiting(_words(failure, "pods cannot be created"))
    for what, key in (("pods created", "replicas"), ("pods ready", "readyReplicas")):
        if _number(status, key) < want:
            return _short(what, _number(status, key), want)
    if _number(status, "replicas") > want:
        return waiting(f"{_number(status, 'replicas') - want} pods still to stop")
    return READY


def job(manifest: Manifest) -> Readiness:
    """Unlike kstatus, a Job is ready when it is complete: what comes after it relies on its work."""
    found, status = conditions(manifest), _status(manifest)
    for condition_type in ("Failed", "FailureTarget"):
        if _true(found.get(condition_type)):
            return failed(_words(found[condition_type], "failed"))
    if _true(found.get("Complete")):
        return READY
    if _spec(manifest).get("suspend"):
        return READY
    if not status.get("startTime"):
        return waiting("not started")
    want = _number(_spec(manifest), "completions", 1)
    return _short("completions", _number(status, "succeeded"), want)


def pod(manifest: Manifest) -> Readiness:
    """A bare Pod: ready, or done."""
    phase = _status(manifest).get("phase")
    if phase == "Succeeded":
        return READY
    if phase == "Failed":
        return failed(str(_status(manifest).get("message") or _status(manifest).get("reason") or "failed"))
    condition = conditions(manifest).get("Ready")
    if _true(condition):
        return READY
    return waiting(_words(condition, "not ready") if condition else f"phase {phase or 'unknown'}")


def claim(manifest: Manifest) -> Readiness:
    """PersistentVolumeClaim."""
    phase = _status(manifest).get("phase")
    if phase == "Bound":
        return READY
    return failed("its volume is lost") if phase == "Lost" else waiting("not bound to a volume")


def service(manifest: Manifest) -> Readiness:
    """A load balancer's address may never come (bare metal); like kstatus we ask for the cluster address."""
    spec = _spec(manifest)
    if spec.get("type") == "LoadBalancer" and not spec.get("clusterIP"):
        return waiting("no cluster address yet")
    return READY


def definition(manifest: Manifest) -> Readiness:
    """CustomResourceDefinition: Established."""
    found = conditions(manifest)
    names = found.get("NamesAccepted")
    if names is not None and names.get("status") == "False":
        return failed(_words(names, "its names are taken"))
    return READY if _true(found.get("Established")) else waiting("not established")


def api_service(manifest: Manifest) -> Readiness:
    """Unlike kstatus: an APIService whose backend is away breaks discovery for all."""
    condition = conditions(manifest).get("Available")
    if _true(condition):
        return READY
    return waiting(_words(condition, "not available") if condition else "not available")


def namespace(manifest: Manifest) -> Readiness:
    """Active."""
    phase = _status(manifest).get("phase", "Active")
    return READY if phase == "Active" else waiting("is being deleted")


def exists(_: Manifest) -> Readiness:
    """Ready when its controller has seen it: the generation was compared before."""
    return READY


def by_conditions(manifest: Manifest) -> Readiness:
    """Custom resources: Stalled, Reconciling, then Ready or else Available; none of them = ready."""
    found = conditions(manifest)
    if _true(found.get("Stalled")):
        return failed(_words(found["Stalled"], "stalled"))
    if _true(found.get("Reconciling")):
        return waiting(_words(found["Reconciling"], "reconciling"))
    condition = found.get("Ready") or found.get("Available")
    if condition is None or _true(condition):
        return READY
    return waiting(_words(condition, f"{condition['type']} is {condition.get('status')}"))


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
