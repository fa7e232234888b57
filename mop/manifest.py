"""One Kubernetes object: its identity, its place in the order, its file name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: A Kubernetes object as plain JSON data; clients' typed models would drop fields that they do not know.
Manifest = dict[str, Any]

#: Order of apply and export, by kind; other kinds come last, by name (Tanka: pkg/process/sort.go, after Helm's).
KIND_ORDER = (
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
    "APIService",
)
_RANK = {kind: rank for rank, kind in enumerate(KIND_ORDER)}


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """The identity of an object. `namespace` is "" for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """`apps` of `apps/v1`; "" for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two objects one, whatever the API version: group, kind, namespace, name."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        """`Kind/name` or `Kind/namespace/name`."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


def ref(manifest: Manifest) -> ObjectRef:
    """The identity of `manifest`, which must have passed `mop.steps.render`'s extraction."""
    metadata = manifest["metadata"]
    return ObjectRef(
        manifest["apiVersion"], manifest["kind"], metadata.get("namespace") or "", metadata.get("name") or ""
    )


def kind_rank(kind: str) -> int:
    """Position of `kind` in KIND_ORDER; all unknown kinds share the last."""
    return _RANK.get(kind, len(KIND_ORDER))


def sort_key(manifest: Manifest) -> tuple[int, str, str, str, str]:
    """Tanka's order, full ties broken by apiVersion (tk leaves them in random order)."""
    it = ref(manifest)
    rank = kind_rank(it.kind)
    return (rank, it.kind if rank == len(KIND_ORDER) else "", it.namespace, it.name, it.api_version)


def file_names(manifests: Iterable[Manifest]) -> dict[ObjectRef, str]:
    """File name of each object: `<apiVersion>.<Kind>-<name>.yaml`, `/` as `-` (Tanka: pkg/tanka/export.go).

    Where two objects would share a name, all of those get `-<namespace>` before `.yaml`.
    """
    plain: dict[str, list[ObjectRef]] = {}
    for manifest in manifests:
        it = ref(manifest)
        plain.setdefault(f"{it.api_version}.{it.kind}-{it.name}".replace("/", "-"), []).append(it)
    names: dict[ObjectRef, str] = {}
    for stem, refs in plain.items():
        for it in refs:
            suffix = f"-{it.namespace}" if len(refs) > 1 and it.namespace else ""
            names[it] = f"{stem}{suffix}.yaml"
    return names
