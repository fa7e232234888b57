"""Label selectors match what they are for.

A workload's selector matches its own pods and no other workload's; its spreading rules are about its own pods;
a Service, a PodDisruptionBudget, a ServiceMonitor or a PodMonitor matches something. Where the environment brings
no pods to a namespace (kube-system, say), its selectors are about someone else's pods and are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.network import Network, Pods, network
from mop.checks.objects import Item, Objects, Workload, items, mapping, objects_in, selects, text
from mop.problem import Problem

_OWNERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each selector that matches nothing, or too much."""
    net = network(objects)
    for workload in objects.workloads:
        if workload.item.ref.kind in _OWNERS:
            yield from _workload(workload, net)
    for item in objects.kind("Service"):
        if not item.ref.group:
            selector = mapping(item.manifest, "spec", "selector")
            yield from _pods(item, "spec.selector", {"matchLabels": selector} if selector else {}, net)
    for item in objects.kind("PodDisruptionBudget"):
        yield from _pods(item, "spec.selector", mapping(item.manifest, "spec", "selector"), net)
    for item in objects.kind("ServiceMonitor", "PodMonitor"):
        yield from _monitor(item, net)


def _workload(workload: Workload, net: Network) -> Iterator[Problem]:
    item = workload.item
    selector = mapping(item.manifest, "spec", "selector")
    if not selector:
        return
    if not selects(selector, workload.labels):
        yield item.problem(
            "the selector does not match the pods of its own template",
            "spec.selector",
            expected=_words(workload.labels),
            found=_words(mapping(selector, "matchLabels")),
        )
    yield from _spread(workload, net)
    for pods in net.matching(workload.namespace, selector):
        other = pods.workload
        if other is not None and other.item.ref.kind in _OWNERS and other.item.ref != item.ref:
            yield item.problem(
                f"the selector also matches the pods of {other.item.ref}",
                "spec.selector",
                level="warning",
                hint="add a label to the selector and the pods that only this one has",
            )


def _spread(workload: Workload, net: Network) -> Iterator[Problem]:
    """Rules of spreading that leave their own pods out, and anti-affinity to pods that nobody has."""
    item = workload.item
    for index, rule in objects_in(workload.pod, "topologySpreadConstraints"):
        selector = mapping(rule, "labelSelector")
        if selector and not selects(selector, workload.labels):
            yield item.problem(
                "the rule spreads other pods, not its own",
                f"{workload.path}.topologySpreadConstraints[{index}].labelSelector",
                level="warning",
                expected=_words(workload.labels),
                found=_words(mapping(selector, "matchLabels")),
            )
    away = mapping(workload.pod, "affinity", "podAntiAffinity")
    for field in (
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    ):
        for index, term in objects_in(away, field):
            inner = "podAffinityTerm.labelSelector" if "podAffinityTerm" in term else "labelSelector"
            selector = mapping(term, *inner.split("."))
            elsewhere = mapping(term, "podAffinityTerm") if "podAffinityTerm" in term else term
            if "namespaces" in elsewhere or "namespaceSelector" in elsewhere or not selector:
                continue
            if not net.matching(workload.namespace, selector):
                yield item.problem(
                    "the rule keeps away from pods that nobody has",
                    f"{workload.path}.affinity.podAntiAffinity.{field}[{index}].{inner}",
                    level="warning",
                    found=_words(mapping(selector, "matchLabels")),
                )


def _pods(item: Item, path: str, selector: Mapping[str, Any], net: Network) -> Iterator[Problem]:
    namespace = item.ref.namespace
    if not selector or not net.inhabited(namespace):
        return
    matched = net.matching(namespace, selector)
    if not matched:
        yield item.problem(
            "the selector matches no pod of this environment",
            path,
            found=_words(mapping(selector, "matchLabels")),
            hint=_closest(mapping(selector, "matchLabels"), namespace, net),
        )
        return
    owners = {pods.workload.item.component for pods in matched if pods.workload is not None}
    if item.component in owners and len(owners) > 1:
        others = ", ".join(sorted(owners - {item.component}))
        yield item.problem(
            f"the selector also matches pods of another component: {others}",
            path,
            found=_words(mapping(selector, "matchLabels")),
            hint="select by a label that only this component's pods have, such as app.kubernetes.io/instance",
        )


def _monitor(item: Item, net: Network) -> Iterator[Problem]:
    spec = mapping(item.manifest, "spec")
    selector = mapping(spec, "selector")
    chosen = mapping(spec, "namespaceSelector")
    namespaces = items(chosen, "matchNames") or [item.ref.namespace]
    if chosen.get("any") or not selector:
        return
    if item.ref.kind == "PodMonitor":
        found: list[Any] = [pods for ns in namespaces for pods in net.matching(str(ns), selector)]
        inhabited = any(net.inhabited(str(namespace)) for namespace in namespaces)
    else:
        here = [service for service in net.services.values() if service.namespace in namespaces]
        found = [service for service in here if selects(selector, service.labels)]
        inhabited = any(service.item is not None for service in here)
    what = "pod" if item.ref.kind == "PodMonitor" else "Service"
    if not found and inhabited:
        yield item.problem(
            f"the selector matches no {what} of this environment",
            "spec.selector",
            found=_words(mapping(selector, "matchLabels")),
        )
    elif found:
        yield from _endpoints(item, found)


def _endpoints(item: Item, found: list[Any]) -> Iterator[Problem]:
    """Ports that a monitor names and nothing that it selects has."""
    field = "podMetricsEndpoints" if item.ref.kind == "PodMonitor" else "endpoints"
    names = {name for it in found for name in _port_names(it)}
    for index, endpoint in enumerate(items(item.manifest, "spec", field)):
        port = text(endpoint, "port")
        if port and names and port not in names:
            yield item.problem(
                f"nothing that the selector matches has a port {port}",
                f"spec.{field}[{index}].port",
                expected=f"one of {', '.join(sorted(names))}",
                found=port,
            )


def _port_names(it: Any) -> list[str]:
    return list(it.ports) if isinstance(it, Pods) else [port.name for port in it.ports if port.name]


def _closest(wanted: Mapping[str, Any], namespace: str, net: Network) -> str:
    """The pods that agree with the most of the wanted labels, and the labels that differ."""
    best: tuple[int, Pods] | None = None
    for pods in net.pods:
        if pods.namespace == namespace and pods.workload is not None:
            agree = sum(pods.labels.get(key) == value for key, value in wanted.items())
            if agree and (best is None or agree > best[0]):
                best = (agree, pods)
    if best is None or best[1].workload is None:
        return ""
    differ = {
        key: best[1].labels.get(key, "nothing")
        for key, value in wanted.items()
        if best[1].labels.get(key) != value
    }
    return f"the pods of {best[1].workload.item.ref} have {_words(differ)}"


def _words(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
