"""What an apply of one component would do, object by object: each live object against the server's dry run.

`diff` shows the plan, `apply` carries it out: what was shown is what is done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mop.engines.protocols import FIELD_MANAGER, Applied, Cluster
from mop.errors import ClusterError, FieldConflict, Rejected
from mop.manifest import Manifest, ObjectRef, ref, sort_key
from mop.masking import Fingerprint, mask_manifest
from mop.problem import Problem
from mop.results import Change, ComponentDiff, Conflict
from mop.rollout.compare import declared, field_changes, owned, same
from mop.rollout.concurrent import Stop, each
from mop.rollout.labels import is_hook, sent
from mop.rollout.live import Identity, listed
from mop.rollout.phases import CORE_NAMESPACE, defined_kinds, namespaces

#: How often a dry run is repeated because the object moved between reading it and the dry run.
_STEADY = 4


@dataclass(frozen=True, slots=True)
class Planned:
    """One object: what is sent, and the fact about it. `write`: whether sending it changes anything."""

    manifest: Manifest = field(repr=False)
    change: Change
    write: bool
    version: str = ""  # the live object's resourceVersion that the plan saw


@dataclass(frozen=True, slots=True)
class Plan:
    """All objects of one component, in apply order; `hooks` are its Helm hooks, which no diff shows."""

    environment: str
    component: str
    items: tuple[Planned, ...]
    hooks: tuple[Manifest, ...] = field(default=(), repr=False)

    @property
    def diff(self) -> ComponentDiff:
        """The plan as facts that anybody may see."""
        return ComponentDiff(self.environment, self.component, tuple(item.change for item in self.items))

    @property
    def conflicts(self) -> tuple[Planned, ...]:
        """The objects of which another manager owns fields."""
        return tuple(item for item in self.items if item.change.conflicts)


@dataclass(frozen=True, slots=True)
class Created:
    """What the same run creates before this component's objects are sent, so that they are no mistakes.

    `namespaces` by name; `kinds` as (group, kind).
    """

    namespaces: frozenset[str] = frozenset()
    kinds: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def by(cls, manifests: Iterable[Manifest], *also: str) -> Created:
        """By a run that applies all of `manifests`, and creates the namespaces `also`."""
        everything = list(manifests)
        return cls(namespaces(everything) | frozenset(also), defined_kinds(everything))


def make_plans(
    cluster: Cluster,
    environment: str,
    components: Mapping[str, Sequence[Manifest]],
    *,
    created: Created,
    files: Mapping[ObjectRef, str] | None = None,
    fingerprint: Fingerprint | None = None,
    stop: Stop | None = None,
) -> list[Plan]:
    """One plan for each of `components` (name → rendered manifests), asking for eight objects at once.

    Raises Rejected with one Problem for each object that the server would refuse, naming its file from
    `files`; Denied and Unreachable at the first of them.
    """
    objects = [
        (component, sent(manifest, environment, component))
        for component, manifests in components.items()
        for manifest in sorted(manifests, key=sort_key)
        if not is_hook(manifest)
    ]
    live = listed(cluster, environment, [ref(manifest) for _, manifest in objects], stop=stop)
    planner = _Planner(cluster, created, live, fingerprint or Fingerprint())
    outcomes = each(lambda entry: planner.object(entry[1]), objects, stop=stop)
    planned: dict[str, list[Planned]] = {component: [] for component in components}
    problems: list[Problem] = []
    for (component, manifest), outcome in zip(objects, outcomes, strict=True):
        if isinstance(outcome, Planned):
            planned[component].append(outcome)
        else:
            file = (files or {}).get(ref(manifest), "")
            problems += [
                replace(problem, file=file, environment=environment, component=component)
                for problem in outcome.problems
            ]
    if problems:
        raise Rejected(f"{cluster.address} rejects {_objects(problems)}", problems=problems)
    return [
        Plan(environment, component, tuple(planned[component]), tuple(filter(is_hook, manifests)))
        for component, manifests in components.items()
    ]


def _objects(problems: list[Problem]) -> str:
    return problems[0].object if len(problems) == 1 else f"{len(problems)} objects"


class _Planner:
    """Plans single objects; remembers which namespaces are there. Thread-safe."""

    def __init__(
        self, cluster: Cluster, created: Created, live: Mapping[Identity, Manifest], fingerprint: Fingerprint
    ) -> None:
        self._cluster = cluster
        self._created = created
        self._live = live
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._absent: dict[str, bool] = {}

    def object(self, manifest: Manifest) -> Planned | Rejected:
        """The plan for one object, or why the server would refuse it."""
        try:
            return self._plan(manifest)
        except Rejected as error:
            return error

    def _plan(self, manifest: Manifest) -> Planned:
        it = ref(manifest)
        unknown = self._cluster.knows(it.api_version, it.kind) is None
        if unknown and (it.group, it.kind) in self._created.kinds:
            return self._addition(manifest, note="its CustomResourceDefinition is created first")
        live = self._live.get(it.identity)
        if live is None and self._namespace_absent(it.namespace):
            return self._addition(manifest)
        dry, conflicts = self._dry_run(manifest)
        if live is None and not _version(dry.manifest):
            return self._addition(manifest, dry)  # only what is stored has a version
        for _ in range(_STEADY):
            if live is not None and _version(dry.manifest) == _version(live):
                break
            # Not listed for want of a label, or written meanwhile by a controller, whose change is not ours.
            live = self._cluster.get(it)
            dry, conflicts = self._dry_run(manifest)
        return (
            self._addition(manifest, dry) if live is None else self._compared(manifest, live, dry, conflicts)
        )

    def _namespace_absent(self, name: str) -> bool:
        """Whether the namespace is not there yet but will be: a dry run inside it cannot succeed."""
        if name not in self._created.namespaces:
            return False
        with self._lock:
            if name not in self._absent:
                self._absent[name] = self._cluster.get(ObjectRef(*CORE_NAMESPACE, "", name)) is None
            return self._absent[name]

    def _addition(self, manifest: Manifest, dry: Applied | None = None, note: str = "") -> Planned:
        after = mask_manifest(declared(manifest), self._fingerprint)
        warnings = dry.warnings if dry else ()
        change = Change("add", ref(manifest), field_changes({}, after), None, after, (), warnings, note)
        return Planned(manifest, change, write=True)

    def _compared(
        self, manifest: Manifest, live: Manifest, dry: Applied, conflicts: tuple[Conflict, ...]
    ) -> Planned:
        status = "status" in manifest
        before, after = declared(live, status=status), declared(dry.manifest, status=status)
        changed = not same(before, after)
        takes = owned(live, FIELD_MANAGER) != owned(dry.manifest, FIELD_MANAGER)
        if changed:
            before, after = mask_manifest(before, self._fingerprint), mask_manifest(after, self._fingerprint)
            fields = field_changes(before, after)
            change = Change("update", ref(manifest), fields, before, after, conflicts, dry.warnings)
        else:
            note = "takes ownership of fields whose values stay" if takes else ""
            change = Change("keep", ref(manifest), conflicts=conflicts, warnings=dry.warnings, note=note)
        return Planned(manifest, change, write=changed or takes or bool(conflicts), version=_version(live))

    def _dry_run(self, manifest: Manifest) -> tuple[Applied, tuple[Conflict, ...]]:
        """What the apply would make; where another manager owns fields, as if they were taken over."""
        try:
            return self._cluster.apply(manifest, dry_run=True), ()
        except FieldConflict as error:
            conflicts = tuple(Conflict(problem.found, problem.path) for problem in error.problems)
            return self._cluster.apply(manifest, dry_run=True, force=True), conflicts


def _version(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))


def conflict_error(plan: Plan, address: str) -> ClusterError:
    """The error of an apply that would take fields from other managers without leave."""
    problems = [
        Problem(
            f"{conflict.path} is owned by {conflict.manager}",
            object=str(item.change.ref),
            path=conflict.path,
            found=conflict.manager,
            environment=plan.environment,
            component=plan.component,
        )
        for item in plan.conflicts
        for conflict in item.change.conflicts
    ]
    who = ", ".join(sorted({problem.found for problem in problems}))
    return FieldConflict(
        f"{plan.environment}/{plan.component}: {who} owns fields that this apply sets on {address}",
        hint="leave them out of the manifests, or take them over with --force-conflicts",
        problems=problems,
    )
