"""`status`: each component as the cluster has it now, ready or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mop.engines.protocols import Cluster
from mop.errors import Denied
from mop.manifest import Manifest, ObjectRef, ref
from mop.model import Environment
from mop.results import ComponentStatus, ObjectStatus
from mop.rollout.concurrent import each
from mop.rollout.history import latest, revisions
from mop.rollout.labels import is_hook
from mop.rollout.live import Identity, listed, places_of
from mop.rollout.readiness import readiness
from mop.rollout.reasons import explain

_WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"}
)


def status(
    cluster: Cluster, environment: Environment, components: Mapping[str, Sequence[Manifest]]
) -> list[ComponentStatus]:
    """Where the rendered objects of `components` stand; Helm hooks do not count.

    One list for each kind finds what bears the environment's label, one request each what does not.
    Raises Denied, Unreachable.
    """
    rendered = {name: [m for m in items if not is_hook(m)] for name, items in components.items()}
    live = _live(cluster, environment.name, [ref(m) for items in rendered.values() for m in items])
    pods, sets = _explaining(cluster, live)
    newest = latest(revisions(cluster, environment.name, environment.namespace))
    return [
        ComponentStatus(
            environment.name,
            name,
            tuple(_status(m, live.get(ref(m).identity), pods, sets) for m in items),
            newest.get(name),
        )
        for name, items in rendered.items()
    ]


def _live(cluster: Cluster, environment: str, refs: Sequence[ObjectRef]) -> dict[Identity, Manifest]:
    found = dict(listed(cluster, environment, places_of(refs)).objects)
    missing = [it for it in refs if it.identity not in found]
    for it, manifest in zip(missing, each(cluster.get, missing), strict=True):
        if manifest is not None:
            found[it.identity] = manifest
    return found


def _explaining(cluster: Cluster, live: Mapping[Identity, Manifest]) -> tuple[list[Manifest], list[Manifest]]:
    """Pods and ReplicaSets of the namespaces in which a workload is not ready."""
    namespaces = sorted(
        {ref(m).namespace for m in live.values() if m["kind"] in _WORKLOADS and readiness(m).state != "ready"}
    )
    try:
        pods = [pod for namespace in namespaces for pod in cluster.list("v1", "Pod", namespace)]
        sets = [each for namespace in namespaces for each in cluster.list("apps/v1", "ReplicaSet", namespace)]
    except Denied:
        return [], []  # readiness is known without them, only its reasons are poorer
    return pods, sets


def _status(
    manifest: Manifest, live: Manifest | None, pods: Sequence[Manifest], sets: Sequence[Manifest]
) -> ObjectStatus:
    it = ref(manifest)
    if live is None:
        if manifest["kind"] == "Job" and "ttlSecondsAfterFinished" in (manifest.get("spec") or {}):
            return ObjectStatus(it, "ready", "finished and removed after its ttlSecondsAfterFinished")
        return ObjectStatus(it, "absent", "is not there")
    found = readiness(live)
    trouble = explain(live, pods, sets) if found.state == "waiting" else None
    reason = f"{found.reason}; {trouble.text}" if trouble else found.reason
    return ObjectStatus(it, found.state, reason)
