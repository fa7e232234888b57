"""No list names the same thing twice: containers, environment variables, ports, mounts, volumes.

The API server merges these lists by key. A server-side apply with a key twice is refused ("duplicate entries
for key"); a client-side one would have taken the last. Helm charts that append to a list produce this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.objects import Item, Objects, Workload, objects_in
from mop.problem import Problem

#: Lists and their keys with defaults: `x-kubernetes-list-map-keys` of the pod's schema.
_POD: Mapping[str, Mapping[str, Any]] = {
    "containers": {"name": None},
    "initContainers": {"name": None},
    "ephemeralContainers": {"name": None},
    "volumes": {"name": None},
    "imagePullSecrets": {"name": ""},
    "hostAliases": {"ip": None},
    "topologySpreadConstraints": {"topologyKey": None, "whenUnsatisfiable": None},
}
_CONTAINER: Mapping[str, Mapping[str, Any]] = {
    "env": {"name": None},
    "ports": {"containerPort": None, "protocol": "TCP"},
    "volumeMounts": {"mountPath": None},
    "volumeDevices": {"devicePath": None},
}


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each entry whose key an earlier entry of the same list has."""
    for workload in objects.workloads:
        yield from _workload(workload)
    for item in objects.kind("Service"):
        spec = item.manifest.get("spec")
        yield from _list(item, "spec", spec, "ports", {"port": None, "protocol": "TCP"})


def _workload(workload: Workload) -> Iterator[Problem]:
    for name, keys in _POD.items():
        if name not in workload.pod:
            continue
        yield from _list(workload.item, workload.path, workload.pod, name, keys)
    for path, container in workload.containers:
        for name, keys in _CONTAINER.items():
            if name not in container:
                continue
            yield from _list(workload.item, path, container, name, keys)


def _list(item: Item, path: str, holder: Any, name: str, keys: Mapping[str, Any]) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    for index, entry in objects_in(holder, name):
        key = tuple(str(entry.get(field) or default) for field, default in keys.items())
        first = seen.setdefault(key, index)
        if first != index:
            what = ", ".join(f"{field} {value}" for field, value in zip(keys, key, strict=True))
            where = f"{path}.{name}"
            yield item.problem(
                f"has {what} twice", f"{where}[{index}]", hint=f"the first is {where}[{first}]"
            )
