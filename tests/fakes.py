"""A cluster in memory that implements the whole of `protocols.Cluster`, for unit tests.

Server-side apply is modelled as far as rules depend on it: ownership of leaves by manager, conflicts, removal of
fields that their only owner left out, no new version where nothing changes. Lists are one leaf.
"""

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mop.engines.protocols import FIELD_MANAGER, Applied, Event
from mop.errors import ClusterError, FieldConflict, Rejected, Stale
from mop.manifest import Manifest, ObjectRef, ref
from mop.problem import Problem

Identity = tuple[str, str, str, str]
Leaf = tuple[str, ...]
Reaction = Callable[["FakeCluster", Manifest], None]

KINDS: dict[tuple[str, str], bool] = {
    ("v1", "Namespace"): False,
    ("v1", "ConfigMap"): True,
    ("v1", "Secret"): True,
    ("v1", "Service"): True,
    ("v1", "Pod"): True,
    ("v1", "PersistentVolumeClaim"): True,
    ("apps/v1", "Deployment"): True,
    ("apps/v1", "ReplicaSet"): True,
    ("apps/v1", "StatefulSet"): True,
    ("batch/v1", "Job"): True,
    ("coordination.k8s.io/v1", "Lease"): True,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): False,
}
#: Changing anything outside these starts a new generation.
_NO_GENERATION = ("metadata", "status")


@dataclass
class Call:
    """One request: `verb` is get, list, apply, dry-run, create, delete, watch or logs."""

    verb: str
    about: str


@dataclass
class FakeWatch:
    """`protocols.Watch` over a queue."""

    timeout: float
    events: queue.SimpleQueue[Event | ClusterError | None] = field(default_factory=queue.SimpleQueue)

    def __iter__(self) -> Iterator[Event]:
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return
            if event is None:
                return
            if isinstance(event, ClusterError):
                raise event
            yield event

    def close(self) -> None:
        self.events.put(None)


class FakeCluster:
    """Thread-safe. `reactions` play the controllers: they are called after each write with the object as stored."""

    def __init__(self, *manifests: Manifest, reactions: tuple[Reaction, ...] = ()) -> None:
        self.kinds = dict(KINDS)
        self.reactions = list(reactions)
        self.calls: list[Call] = []
        self.errors: dict[str, ClusterError] = {}  # by "verb Kind/ns/name" or "verb Kind"
        self.rejections: dict[str, str] = {}  # by name: the server's words
        self.warnings: dict[str, tuple[str, ...]] = {}  # by name
        self.printed: dict[str, str] = {}  # logs by pod
        self._lock = threading.RLock()
        self._objects: dict[Identity, Manifest] = {}
        self._owners: dict[Identity, dict[str, set[Leaf]]] = {}
        self._watches: list[tuple[tuple[str, str, str, str], FakeWatch]] = []
        self._version = 0
        for manifest in manifests:
            self.put(manifest)

    # -- what tests do to it

    def put(self, manifest: Manifest, manager: str = "somebody") -> Manifest:
        """Create or replace an object as another manager would, whole."""
        with self._lock:
            identity = ref(manifest).identity
            self._owners.setdefault(identity, {})[manager] = {leaf for leaf, _ in _leaves(manifest)}
            return self._store(copy.deepcopy(manifest))

    def set_status(self, it: ObjectRef, status: dict[str, Any]) -> None:
        """Write the status, as a controller does."""
        with self._lock:
            self._store({**copy.deepcopy(self._objects[it.identity]), "status": status})

    def live(self, it: ObjectRef) -> Manifest:
        """The stored object; KeyError if there is none."""
        return self._objects[it.identity]

    def did(self, *verbs: str) -> list[str]:
        """What was asked with one of `verbs`, in order."""
        return [call.about for call in self.calls if call.verb in verbs]

    def names(self) -> list[str]:
        """Every stored object."""
        return sorted(str(ref(manifest)) for manifest in self._objects.values())

    def wrote(self, *verbs: str) -> list[str]:
        """What was applied, created or deleted, in order, but for MOP's own books: parents, revisions, the lock."""
        asked = self.did(*(verbs or ("apply", "create", "delete")))
        return [about for about in asked if "/mop-" not in about]

    # -- protocols.Cluster

    @property
    def address(self) -> str:
        return "fake (https://fake.invalid)"

    @property
    def simulated(self) -> bool:
        return True

    def kubernetes_version(self) -> str:
        return "v1.34.0"

    def knows(self, api_version: str, kind: str) -> bool | None:
        return self.kinds.get((api_version, kind))

    def served(self, group: str, kind: str) -> str | None:
        found = (
            version for version, known in self.kinds if known == kind and version.rpartition("/")[0] == group
        )
        return next(found, None)

    def refresh(self) -> None:
        with self._lock:
            for manifest in self._objects.values():
                if manifest["kind"] == "CustomResourceDefinition":
                    spec = manifest["spec"]
                    for version in spec["versions"]:
                        kind = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                        self.kinds[kind] = spec["scope"] == "Namespaced"

    def get(self, ref: ObjectRef) -> Manifest | None:
        self._called("get", ref)
        with self._lock:
            return copy.deepcopy(self._objects.get(ref.identity))

    def list(
        self, api_version: str, kind: str, namespace: str = "", labels: str = "", *, brief: bool = False
    ) -> list[Manifest]:
        self._called("list", ObjectRef(api_version, kind, namespace, ""))
        with self._lock:
            return [
                copy.deepcopy(_brief(manifest) if brief else manifest)
                for manifest in self._objects.values()
                if _matches(manifest, (api_version, kind, namespace, labels))
            ]

    def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Applied:
        it = ref(manifest)
        self._called("dry-run" if dry_run else "apply", it)
        self._refuse(it)
        with self._lock:
            self._check_version(manifest, it)
            merged, owners = self._merge(manifest, it, force=force)
            before = self._objects.get(it.identity)
            if dry_run:
                generation = before["metadata"]["generation"] if before else 1
                version = before["metadata"]["resourceVersion"] if before else ""
                merged["metadata"] |= {"generation": generation, "resourceVersion": version, "uid": "dry"}
                merged["metadata"]["managedFields"] = _managed(owners)
                return Applied(merged, self.warnings.get(it.name, ()))
            self._owners[it.identity] = owners
            return Applied(self._store(merged), self.warnings.get(it.name, ()))

    def set_managers(self, ref: ObjectRef, entries: Sequence[Mapping[str, Any]], version: str) -> None:
        self._called("set-managers", ref)
        with self._lock:
            live = copy.deepcopy(self._objects[ref.identity])
            if live["metadata"]["resourceVersion"] != version:
                raise Stale(f"{ref} was changed meanwhile")
            self._owners[ref.identity] = {
                entry["manager"]: {tuple(leaf) for leaf in entry["fieldsV1"]} for entry in entries
            }
            self._store(live)

    def create(self, manifest: Manifest) -> Manifest:
        it = ref(manifest)
        self._called("create", it)
        self._refuse(it)
        with self._lock:
            if it.identity in self._objects:
                raise Rejected(f"{it} already exists")
            return self.put(manifest, FIELD_MANAGER)

    def delete(self, ref: ObjectRef, *, propagation: str = "Background", uid: str = "") -> bool:
        self._called("delete", ref)
        with self._lock:
            live = self._objects.get(ref.identity)
            if live is None or (uid and live["metadata"]["uid"] != uid):
                return False
            del self._objects[ref.identity]
            self._owners.pop(ref.identity, None)
            self._tell(Event("DELETED", live))
            return True

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str = "",
        labels: str = "",
        since: str = "",
        timeout: float = 60,
    ) -> FakeWatch:
        self._called("watch", ObjectRef(api_version, kind, namespace, ""))
        watch = FakeWatch(timeout)
        with self._lock:
            scope = (api_version, kind, namespace, labels)
            for manifest in self._objects.values():
                if not since and _matches(manifest, scope):
                    watch.events.put(Event("ADDED", copy.deepcopy(manifest)))
            self._watches.append((scope, watch))
        return watch

    def logs(
        self, namespace: str, pod: str, container: str = "", lines: int = 20, previous: bool = False
    ) -> str:
        self._called("logs", ObjectRef("v1", "Pod", namespace, pod))
        return self.printed.get(pod, "")

    # -- the inside

    def _called(self, verb: str, it: ObjectRef) -> None:
        about = str(it) if it.name else it.kind
        with self._lock:
            self.calls.append(Call(verb, about))
        for key in (f"{verb} {about}", f"{verb} {it.kind}"):
            if key in self.errors:
                raise self.errors[key]

    def _refuse(self, it: ObjectRef) -> None:
        if it.name in self.rejections:
            raise _rejected(it, self.rejections[it.name])
        if (it.api_version, it.kind) not in self.kinds:
            raise _rejected(it, f"fake has no kind {it.kind} of {it.api_version}")
        if it.namespace and ("", "Namespace", "", it.namespace) not in self._objects:
            raise _rejected(it, f'namespaces "{it.namespace}" not found')

    def _check_version(self, manifest: Manifest, it: ObjectRef) -> None:
        wanted = manifest["metadata"].get("resourceVersion")
        live = self._objects.get(it.identity)
        if wanted and (live is None or live["metadata"]["resourceVersion"] != wanted):
            raise Stale(f"{it} was changed meanwhile")

    def _merge(
        self, manifest: Manifest, it: ObjectRef, *, force: bool
    ) -> tuple[Manifest, dict[str, set[Leaf]]]:
        before = self._objects.get(it.identity, {})
        owners = {name: set(leaves) for name, leaves in self._owners.get(it.identity, {}).items()}
        new = dict(_leaves(manifest))
        others = {leaf: name for name, leaves in owners.items() if name != FIELD_MANAGER for leaf in leaves}
        clashes = [leaf for leaf, value in new.items() if leaf in others and _at(before, leaf) != value]
        if clashes and not force:
            raise FieldConflict(
                f"{it}: conflict",
                problems=[
                    Problem("owned", object=str(it), path=".".join(leaf), found=others[leaf])
                    for leaf in clashes
                ],
            )
        for leaf in clashes:
            owners[others[leaf]].discard(leaf)
        merged = copy.deepcopy(before) or _skeleton(manifest)
        for leaf in owners.get(FIELD_MANAGER, set()) - new.keys() - others.keys():
            _drop(merged, leaf)
        for leaf, value in new.items():
            _set(merged, leaf, copy.deepcopy(value))
        owners[FIELD_MANAGER] = set(new)
        return merged, owners

    def _store(self, manifest: Manifest) -> Manifest:
        it = ref(manifest)
        before = self._objects.get(it.identity)
        metadata = manifest["metadata"]
        metadata["managedFields"] = _managed(self._owners.get(it.identity, {}))
        if before is not None and _content(before) == _content(manifest):
            return copy.deepcopy(before)
        self._version += 1
        metadata["resourceVersion"] = str(self._version)
        metadata.setdefault("uid", f"uid-{self._version}")
        generation = before["metadata"]["generation"] if before else 0
        if before is None or _spec(before) != _spec(manifest):
            generation += 1
        metadata["generation"] = generation
        self._objects[it.identity] = manifest
        self._tell(Event("MODIFIED" if before else "ADDED", manifest))
        for reaction in self.reactions:
            reaction(self, manifest)
        return copy.deepcopy(manifest)

    def _tell(self, event: Event) -> None:
        for scope, watch in self._watches:
            if _matches(event.manifest, scope):
                watch.events.put(Event(event.type, copy.deepcopy(event.manifest)))


def _brief(manifest: Manifest) -> Manifest:
    return {key: manifest[key] for key in ("apiVersion", "kind", "metadata")}


def _rejected(it: ObjectRef, words: str) -> Rejected:
    return Rejected(f"fake rejects {it}: {words}", problems=[Problem(words, object=str(it))])


def _matches(manifest: Manifest, scope: tuple[str, str, str, str]) -> bool:
    api_version, kind, namespace, labels = scope
    it = ref(manifest)
    has = manifest["metadata"].get("labels") or {}
    wanted = [pair.partition("=") for pair in labels.split(",") if pair]
    return (
        (it.api_version, it.kind) == (api_version, kind)
        and namespace in ("", it.namespace)
        and all(has.get(key) == value if equal else key in has for key, equal, value in wanted)
    )


def _leaves(value: Any, path: Leaf = ()) -> Iterator[tuple[Leaf, Any]]:
    if path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
        return
    if path == ("metadata", "resourceVersion"):
        return
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value


def _skeleton(manifest: Manifest) -> Manifest:
    name = {key: manifest["metadata"][key] for key in ("name", "namespace") if key in manifest["metadata"]}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": name}


def _at(manifest: Manifest, leaf: Leaf) -> Any:
    value: Any = manifest
    for key in leaf:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _set(manifest: Manifest, leaf: Leaf, value: Any) -> None:
    for key in leaf[:-1]:
        manifest = manifest.setdefault(key, {})
    manifest[leaf[-1]] = value


def _drop(manifest: Manifest, leaf: Leaf) -> None:
    for key in leaf[:-1]:
        manifest = manifest.get(key, {})
    manifest.pop(leaf[-1], None)


def _managed(owners: dict[str, set[Leaf]]) -> list[dict[str, Any]]:
    return [
        {"manager": name, "operation": "Apply", "fieldsV1": sorted(map(list, leaves))}
        for name, leaves in sorted(owners.items())
    ]


def _content(manifest: Manifest) -> Manifest:
    changing = ("resourceVersion", "generation", "uid")
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in changing}
    return {**manifest, "metadata": metadata}


def _spec(manifest: Manifest) -> Manifest:
    return {key: value for key, value in manifest.items() if key not in _NO_GENERATION}
