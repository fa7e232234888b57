"""Volumes and mounts belong together, and keys that a pod takes from ConfigMaps and Secrets are in them.

A mount names a volume of its pod (or a claim template of its StatefulSet), no two mounts share a path, and a
volume that nothing mounts is told. `items`, `subPath` of a ConfigMap and `valueFrom` keys are looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mop.checks.nearest import nearest
from mop.checks.objects import Item, Objects, Workload, get, mapping, objects_in, text
from mop.problem import Problem

_FIELDS = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each mount without its volume, volume without a mount, and missing key."""
    for workload in objects.workloads:
        yield from _mounts(workload)
        yield from _keys(objects, workload)


def _mounts(workload: Workload) -> Iterator[Problem]:
    item, path = workload.item, workload.path
    volumes = {text(volume, "name"): index for index, volume in objects_in(workload.pod, "volumes")}
    claims = {
        text(c, "metadata", "name") for _, c in objects_in(item.manifest, "spec", "volumeClaimTemplates")
    }
    used = set()
    for where, container in workload.containers:
        for field in ("volumeMounts", "volumeDevices"):
            for index, mount in objects_in(container, field):
                name = text(mount, "name")
                used.add(name)
                if name and name not in volumes and name not in claims:
                    yield item.problem(
                        f"the pod has no volume {name}",
                        f"{where}.{field}[{index}].name",
                        found=name,
                        hint=nearest(name, {*volumes, *claims}),
                    )
    for name, index in volumes.items():
        if name and name not in used and name not in claims and not _anonymous(workload):
            yield item.problem(
                f"nothing mounts the volume {name}", f"{path}.volumes[{index}]", level="warning", found=name
            )


def _anonymous(workload: Workload) -> bool:
    """Whether the pod has no container at all: the schema says so already."""
    return not any(True for _ in workload.containers)


def _keys(objects: Objects, workload: Workload) -> Iterator[Problem]:
    item, path = workload.item, workload.path
    for index, volume in objects_in(workload.pod, "volumes"):
        base = f"{path}.volumes[{index}]"
        yield from _items(objects, item, f"{base}.configMap", "ConfigMap", volume.get("configMap"), "name")
        yield from _items(objects, item, f"{base}.secret", "Secret", volume.get("secret"), "secretName")
        for at, source in objects_in(volume, "projected", "sources"):
            for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
                where = f"{base}.projected.sources[{at}].{field}"
                yield from _items(objects, item, where, kind, source.get(field), "name")
    for where, container in workload.containers:
        for at, variable in objects_in(container, "env"):
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                source = get(variable, "valueFrom", field)
                key_path = f"{where}.env[{at}].valueFrom.{field}.key"
                yield from _key(objects, item, key_path, kind, source, "name", text(source, "key"))


def _items(objects: Objects, item: Item, path: str, kind: str, source: Any, field: str) -> Iterator[Problem]:
    for at, entry in objects_in(source, "items"):
        yield from _key(objects, item, f"{path}.items[{at}].key", kind, source, field, text(entry, "key"))


def _key(
    objects: Objects, item: Item, path: str, kind: str, source: Any, field: str, key: str
) -> Iterator[Problem]:
    """A Problem if the rendered ConfigMap or Secret that `source` names lacks `key`."""
    owner = objects.named.get((kind, item.ref.namespace, text(source, field)))
    if owner is None or not key or get(source, "optional") is True:
        return
    known: Mapping[str, Any] = {
        k: v for part in _FIELDS[kind] for k, v in mapping(owner.manifest, part).items()
    }
    if key not in known:
        yield item.problem(
            f"{kind} {owner.ref.name} has no key {key}", path, found=key, hint=nearest(key, known)
        )
