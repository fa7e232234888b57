"""What must stay up can lose a node: two replicas or more, spread over nodes, with a PodDisruptionBudget.

Asked of Deployments and StatefulSets behind a Service. A single replica is told; several without a budget can be
drained all at once, several without a spread rule or anti-affinity may share one node. A budget that never lets
a pod go blocks every drain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.network import network
from mop.checks.objects import Item, Objects, Workload, get, items, mapping, selects
from mop.problem import Problem


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each workload that one node can take down, and each budget that lets no node go."""
    net = network(objects)
    serving = {id(pods.workload) for service in net.services.values() for pods in net.behind(service)}
    scaled = _autoscaled(objects)
    for workload in objects.workloads:
        ref = workload.item.ref
        if ref.kind in ("Deployment", "StatefulSet") and id(workload) in serving:
            replicas = scaled.get(
                (ref.namespace, ref.kind, ref.name), get(workload.item.manifest, "spec", "replicas")
            )
            yield from _workload(objects, workload, 1 if replicas is None else replicas)
    for item in objects.kind("PodDisruptionBudget"):
        yield from _budget(objects, item)


def _workload(objects: Objects, workload: Workload, replicas: Any) -> Iterator[Problem]:
    item = workload.item
    if not isinstance(replicas, int) or replicas == 0:
        return
    if replicas == 1:
        hint = "run two or more, or switch this check off for the object with the reason"
        yield item.problem(
            "a single replica: a node's restart stops it", "spec.replicas", found="1", hint=hint
        )
        return
    if not any(selects(_selector(budget), workload.labels) for budget in _budgets(objects, item)):
        hint = "add one with maxUnavailable: 1"
        yield item.problem(f"no PodDisruptionBudget for its {replicas} pods", "spec.replicas", hint=hint)
    spread = items(workload.pod, "topologySpreadConstraints") or mapping(
        workload.pod, "affinity", "podAntiAffinity"
    )
    if not spread:
        yield item.problem(
            f"nothing keeps its {replicas} pods off one node",
            workload.path,
            hint="add topologySpreadConstraints over kubernetes.io/hostname",
        )


def _budgets(objects: Objects, item: Item) -> list[Item]:
    return [b for b in objects.kind("PodDisruptionBudget") if b.ref.namespace == item.ref.namespace]


def _selector(budget: Item) -> Mapping[str, Any]:
    selector = mapping(budget.manifest, "spec", "selector")
    return selector or {"matchLabels": {"": ""}}


def _budget(objects: Objects, item: Item) -> Iterator[Problem]:
    """A budget that allows no disruption at all; a drain then waits for ever."""
    most, least = get(item.manifest, "spec", "maxUnavailable"), get(item.manifest, "spec", "minAvailable")
    if most in (0, "0%") or least == "100%":
        path = "spec.maxUnavailable" if most in (0, "0%") else "spec.minAvailable"
        yield item.problem(
            "lets no pod go: nodes can never be drained",
            path,
            found=str(most if most in (0, "0%") else least),
        )
        return
    for workload in objects.workloads:
        replicas = get(workload.item.manifest, "spec", "replicas")
        if (
            isinstance(least, int)
            and isinstance(replicas, int)
            and 1 < replicas <= least
            and workload.namespace == item.ref.namespace
            and selects(_selector(item), workload.labels)
        ):
            yield item.problem(
                f"lets no pod of {workload.item.ref} go: it has {replicas}",
                "spec.minAvailable",
                expected=f"less than {replicas}",
                found=str(least),
            )


def _autoscaled(objects: Objects) -> dict[tuple[str, str, str], Any]:
    """(namespace, kind, name) → the replicas that an autoscaler keeps at least."""
    found: dict[tuple[str, str, str], Any] = {}
    for item in objects.kind("HorizontalPodAutoscaler", "ScaledObject"):
        spec = mapping(item.manifest, "spec")
        target = mapping(spec, "scaleTargetRef")
        least = spec.get("minReplicas", spec.get("minReplicaCount", 1))
        found[item.ref.namespace, target.get("kind", "Deployment"), target.get("name", "")] = least
    return found
