"""What checks look at: the rendered objects of an environment, indexed once."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    labels: Mapping[str, str]
    pod: Mapping[str, Any]
    path: str

    def containers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each container with its path, the init containers first."""
        for key in ("initContainers", "containers"):
            for index, container in enumerate(self.pod.get(key) or ()):
                if isinstance(container, dict):
                    yield f"{self.path}.{key}[{index}]", container


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


def get(value: Any, *path: str) -> Any:
    """`value[a][b]…`, or None as soon as something is missing or no object."""
    for key in path:
        if not isinstance(value, dict):
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


def _workload(item: Item) -> Workload | None:
    kind = item.ref.kind
    if kind not in _TEMPLATES or item.ref.group != _GROUPS.get(kind, "apps"):
        return None
    template = get(item.manifest, *_TEMPLATES[kind])
    pod = get(template, "spec")
    if not isinstance(pod, dict):
        return None
    labels = mapping(template, "metadata", "labels")
    return Workload(item, labels, pod, ".".join((*_TEMPLATES[kind], "spec")))
