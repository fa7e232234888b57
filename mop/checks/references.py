"""What an object names is there: ConfigMaps, Secrets, ServiceAccounts, claims, classes, roles, targets.

A name resolves if the environment renders the object, if something that it renders makes it (an
ExternalSecret, a Certificate, a Job that is given the Secret's name), if every cluster has it, or if mop.yaml
declares it (`validate: {external: [Secret/grafana-admin]}`). Optional references may point nowhere.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mop.checks.nearest import nearest
from mop.checks.objects import Item, Objects, Workload, get, items, mapping, objects_in, text
from mop.problem import Problem


@dataclass(frozen=True, slots=True)
class Reference:
    """`path` of `item` names an object of `kind`; `namespace` "" for cluster-scoped kinds."""

    item: Item
    path: str
    kind: str
    namespace: str
    name: str


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each reference to what is not there."""
    for reference in _all(objects):
        if not _resolves(objects, reference):
            yield _problem(objects, reference)


def _all(objects: Objects) -> Iterator[Reference]:
    for workload in objects.workloads:
        yield from _of_pod(workload)
    for item in objects.kind("StatefulSet"):
        yield from _one(item, "Service", "spec", "serviceName")
        for index, claim in objects_in(item.manifest, "spec", "volumeClaimTemplates"):
            yield from _class(item, claim, f"spec.volumeClaimTemplates[{index}].spec")
    for item in objects.kind("PersistentVolumeClaim"):
        yield from _class(item, item.manifest, "spec")
    for item in objects.kind("RoleBinding", "ClusterRoleBinding"):
        yield from _of_binding(item)
    for item in objects.kind("HorizontalPodAutoscaler", "ScaledObject"):
        yield from _of_autoscaler(item)
    for item in objects.kind("Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"):
        yield from _one(item, "ServiceAccount", "spec", "serviceAccountName")
        for kind, field in (("Secret", "secrets"), ("ConfigMap", "configMaps")):
            for index, name in enumerate(items(item.manifest, "spec", field)):
                if isinstance(name, str):
                    yield Reference(item, f"spec.{field}[{index}]", kind, item.ref.namespace, name)


def _of_pod(workload: Workload) -> Iterator[Reference]:
    item, pod, path = workload.item, workload.pod, workload.path
    for kind, field in _POD_FIELDS.items():
        name = text(pod, field)
        if name:
            yield Reference(item, f"{path}.{field}", kind, _scope(kind, item), name)
    for index, secret in objects_in(pod, "imagePullSecrets"):
        yield from _named(item, f"{path}.imagePullSecrets[{index}].name", "Secret", secret)
    for index, volume in objects_in(pod, "volumes"):
        yield from _of_volume(item, f"{path}.volumes[{index}]", volume)
    for where, container in workload.containers:
        for index, source in objects_in(container, "envFrom"):
            yield from _named(
                item, f"{where}.envFrom[{index}].configMapRef.name", "ConfigMap", source.get("configMapRef")
            )
            yield from _named(
                item, f"{where}.envFrom[{index}].secretRef.name", "Secret", source.get("secretRef")
            )
        for index, variable in objects_in(container, "env"):
            base = f"{where}.env[{index}].valueFrom"
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                yield from _named(item, f"{base}.{field}.name", kind, get(variable, "valueFrom", field))


_POD_FIELDS = {
    "ServiceAccount": "serviceAccountName",
    "PriorityClass": "priorityClassName",
    "RuntimeClass": "runtimeClassName",
}
_CLUSTER_SCOPED = frozenset({"PriorityClass", "RuntimeClass", "StorageClass", "ClusterRole"})


def _scope(kind: str, item: Item) -> str:
    return "" if kind in _CLUSTER_SCOPED else item.ref.namespace


def _of_volume(item: Item, path: str, volume: Mapping[str, Any]) -> Iterator[Reference]:
    yield from _named(item, f"{path}.configMap.name", "ConfigMap", volume.get("configMap"))
    yield from _named(item, f"{path}.secret.secretName", "Secret", volume.get("secret"), "secretName")
    claim = volume.get("persistentVolumeClaim")
    yield from _named(
        item, f"{path}.persistentVolumeClaim.claimName", "PersistentVolumeClaim", claim, "claimName"
    )
    for index, source in objects_in(volume, "projected", "sources"):
        base = f"{path}.projected.sources[{index}]"
        yield from _named(item, f"{base}.configMap.name", "ConfigMap", source.get("configMap"))
        yield from _named(item, f"{base}.secret.name", "Secret", source.get("secret"))


def _named(item: Item, path: str, kind: str, source: Any, field: str = "name") -> Iterator[Reference]:
    """The object that `source` names, unless it may be missing."""
    name = text(source, field)
    if name and get(source, "optional") is not True:
        yield Reference(item, path, kind, item.ref.namespace, name)


def _one(item: Item, kind: str, *path: str) -> Iterator[Reference]:
    name = text(item.manifest, *path)
    if name:
        yield Reference(item, ".".join(path), kind, _scope(kind, item), name)


def _class(item: Item, claim: Any, path: str) -> Iterator[Reference]:
    name = text(claim, "spec", "storageClassName")
    if name:
        yield Reference(item, f"{path}.storageClassName", "StorageClass", "", name)


def _of_binding(item: Item) -> Iterator[Reference]:
    role = mapping(item.manifest, "roleRef")
    kind, name = text(role, "kind"), text(role, "name")
    if name and kind in ("Role", "ClusterRole"):
        yield Reference(item, "roleRef.name", kind, "" if kind == "ClusterRole" else item.ref.namespace, name)
    for index, subject in objects_in(item.manifest, "subjects"):
        if subject.get("kind") == "ServiceAccount" and text(subject, "name"):
            namespace = text(subject, "namespace") or item.ref.namespace
            path = f"subjects[{index}].name"
            yield Reference(item, path, "ServiceAccount", namespace, text(subject, "name"))


def _of_autoscaler(item: Item) -> Iterator[Reference]:
    target = mapping(item.manifest, "spec", "scaleTargetRef")
    kind, name = text(target, "kind") or "Deployment", text(target, "name")
    if name:
        yield Reference(item, "spec.scaleTargetRef.name", kind, item.ref.namespace, name)


# ---------------------------------------------------------------- what is there


def _resolves(objects: Objects, it: Reference) -> bool:
    if (it.kind, it.namespace, it.name) in objects.named or objects.external(it.kind, it.namespace, it.name):
        return True
    if it.kind == "Service":
        from mop.checks.network import network

        return (it.namespace, it.name) in network(objects).services
    if it.kind == "Secret":
        return (it.namespace, it.name) in _made_secrets(objects) or _given_to_a_job(objects, it)
    if it.kind in ("StorageClass", "RuntimeClass"):
        # Clusters bring their own; only a list says which: one declared class makes the list complete.
        return not any(pattern.startswith(f"{it.kind}/") for pattern in objects.externals)
    if it.kind == "ServiceAccount" and it.namespace != objects.environment.namespace:
        return it.name == "default" or not any(w.namespace == it.namespace for w in objects.workloads)
    return it.name in _EVERYWHERE.get(it.kind, ()) or (
        it.kind == "ClusterRole" and it.name.startswith("system:")
    )


_EVERYWHERE: Mapping[str, frozenset[str]] = {
    "ServiceAccount": frozenset({"default"}),
    "ConfigMap": frozenset({"kube-root-ca.crt"}),
    "ClusterRole": frozenset({"cluster-admin", "admin", "edit", "view"}),
    "PriorityClass": frozenset({"system-cluster-critical", "system-node-critical"}),
}

#: Kinds that make a Secret → where its name stands; without one there, it is named like the object.
_MAKERS: Mapping[str, tuple[str, ...]] = {
    "ExternalSecret": ("spec", "target", "name"),
    "SealedSecret": ("spec", "template", "metadata", "name"),
    "Certificate": ("spec", "secretName"),
    "VaultStaticSecret": ("spec", "destination", "name"),
    "VaultDynamicSecret": ("spec", "destination", "name"),
    "OnePasswordItem": (),
    "SopsSecret": (),
}


@functools.lru_cache(maxsize=4)
def _made_secrets(objects: Objects) -> frozenset[tuple[str, str]]:
    """(namespace, name) of the Secrets that rendered custom resources make."""
    made = set()
    for kind, path in _MAKERS.items():
        for item in objects.kind(kind):
            made.add((item.ref.namespace, text(item.manifest, *path) or item.ref.name))
    return frozenset(made)


def _given_to_a_job(objects: Objects, it: Reference) -> bool:
    """Whether a Job of the same namespace is told the Secret's name: then the Job makes it."""
    for workload in objects.workloads:
        if workload.item.ref.kind == "Job" and workload.namespace == it.namespace:
            for _, container in workload.containers:
                words = [*items(container, "args"), *items(container, "command")]
                if any(isinstance(word, str) and it.name in word for word in words):
                    return True
    return False


def _problem(objects: Objects, it: Reference) -> Problem:
    known = objects.names(it.kind, it.namespace)
    full = f"{it.kind}/{it.name}"
    # Pods of a StatefulSet run without its Service; they only have no names of their own.
    level = "warning" if it.path == "spec.serviceName" else "error"
    return it.item.problem(
        f"no {it.kind} {it.name}" + (f" in {it.namespace}" if it.namespace else ""),
        it.path,
        level=level,
        found=it.name,
        hint=nearest(it.name, known) or f"render it, or declare it: validate: {{external: [{full}]}}",
    )
