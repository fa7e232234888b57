"""What checks look at: the rendered objects of an environment, indexed once."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mop.manifest import Manifest, ObjectRef, ref
from mop.model import Environment
from mop.problem import Problem

#: Path from a workload to its pod template's parent, by kind.
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
_GROUPS = {"Pod": "", "ReplicationController": "", "Job": "batch", "CronJob": "batch"}


@dataclass(frozen=True, slots=True)
class Item:
    """One rendered object and the component that it came from."""

    manifest: Manifest
    ref: ObjectRef
    component: str

    def problem(self, message: str, path: str = "", **facts: Any) -> Problem:
        """A Problem of this object; `facts` are Problem's other fields."""
        return Problem(message, object=str(self.ref), component=self.component, path=path, **facts)


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that makes pods. `pod`: the pod's spec; `path`: where it stands (`spec.template.spec`)."""

    item: Item
    labels: Mapping[str, Any]
    pod: Mapping[str, Any]
    path: str
    #: Each container with its path, the init containers first.
    containers: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def namespace(self) -> str:
        """Where its pods run."""
        return self.item.ref.namespace


class Objects:
    """Rendered objects by component. They may break any schema: checks meet what people wrote."""

    def __init__(self, environment: Environment, manifests: Mapping[str, Sequence[Manifest]]) -> None:
        self.environment = environment
        self.items = tuple(
            Item(manifest, ref(manifest), component)
            for component, members in manifests.items()
            for manifest in members
        )

    @functools.cached_property
    def by_kind(self) -> Mapping[str, Sequence[Item]]:
        """Items by kind, whatever the group."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.ref.kind, []).append(item)
        return found

    @functools.cached_property
    def named(self) -> Mapping[tuple[str, str, str], Item]:
        """Items by kind, namespace ("" if cluster-scoped) and name."""
        return {(item.ref.kind, item.ref.namespace, item.ref.name): item for item in self.items}

    @functools.cached_property
    def workloads(self) -> Sequence[Workload]:
        """All that makes pods, as far as it has a pod template."""
        return tuple(work for item in self.items if (work := _workload(item)) is not None)

    def kind(self, *kinds: str) -> Iterator[Item]:
        """Items of `kinds`."""
        for kind in kinds:
            yield from self.by_kind.get(kind, ())

    def names(self, kind: str, namespace: str) -> list[str]:
        """Names of the objects of `kind` in `namespace`."""
        return [item.ref.name for item in self.kind(kind) if item.ref.namespace == namespace]

    def external(self, kind: str, namespace: str, name: str) -> bool:
        """Whether mop.yaml declares the object as there already: `Kind/name` or `Kind/namespace/name`."""
        return any(
            fnmatchcase(f"{kind}/{name}", pattern) or fnmatchcase(f"{kind}/{namespace}/{name}", pattern)
            for pattern in self.externals
            if "/" in pattern
        )

    @functools.cached_property
    def externals(self) -> Sequence[str]:
        """`validate.external` of the environment: objects with a `/`, addresses without."""
        return tuple(self.environment.validate.get("external", ()))


def get(value: Any, *path: str) -> Any:
    """`value[a][b]…`, or None as soon as something is missing or no object."""
    for key in path:
        if type(value) is not dict:  # data comes from JSON; this is the hottest line of all checks
            return None
        value = value.get(key)
    return value


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at `path`, or an empty one."""
    found = get(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: Any, *path: str) -> Sequence[Any]:
    """The list at `path`, or an empty one."""
    found = get(value, *path)
    return found if isinstance(found, list) else ()


def objects_in(value: Any, *path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Those entries of the list at `path` that are objects, with their index."""
    for index, entry in enumerate(items(value, *path)):
        if isinstance(entry, dict):
            yield index, entry


def text(value: Any, *path: str) -> str:
    """The text at `path`, or ""."""
    found = get(value, *path)
    return found if isinstance(found, str) else ""


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether a label selector (matchLabels, matchExpressions) matches; an empty one matches everything."""
    wanted = mapping(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    if "matchExpressions" not in selector:
        return True
    return all(_holds(expression, labels) for _, expression in objects_in(selector, "matchExpressions"))


def dashboard(key: str, value: str) -> bool:
    """Whether an entry of a ConfigMap is a Grafana dashboard: pictures and queries, no configuration."""
    return key.endswith(".json") and '"panels"' in value


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = expression.get("key"), items(expression, "values")
    there = key in labels
    return {
        "In": there and labels.get(str(key)) in values,
        "NotIn": not there or labels.get(str(key)) not in values,
        "Exists": there,
        "DoesNotExist": not there,
    }.get(str(expression.get("operator")), True)


def _workload(item: Item) -> Workload | None:
    kind = item.ref.kind
    if kind not in _TEMPLATES or item.ref.group != _GROUPS.get(kind, "apps"):
        return None
    template = get(item.manifest, *_TEMPLATES[kind])
    pod = get(template, "spec")
    if not isinstance(pod, dict):
        return None
    path = ".".join((*_TEMPLATES[kind], "spec"))
    containers = tuple(
        (f"{path}.{field}[{index}]", container)
        for field in ("initContainers", "containers")
        for index, container in objects_in(pod, field)
    )
    return Workload(item, mapping(template, "metadata", "labels"), pod, path, containers)
