"""Makes plans: each live object against the server's dry run of its apply."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mop.engines.protocols import FIELD_MANAGER, Applied, Cluster
from mop.errors import ClusterError, FieldConflict, Rejected
from mop.manifest import Manifest, ObjectRef, ref, sort_key
from mop.masking import Fingerprint, mask_manifest
from mop.problem import Problem
from mop.results import Change, Conflict
from mop.rollout.adopting import released, tools_of
from mop.rollout.applyset import ID, PART_OF, Owner
from mop.rollout.compare import declared, field_changes, owned, same
from mop.rollout.concurrent import Stop, each
from mop.rollout.immutable import changes, explained, is_immutable, way
from mop.rollout.labels import is_hook, sent
from mop.rollout.live import Listing
from mop.rollout.phases import CORE_NAMESPACE
from mop.rollout.plan import Created, Plan, Planned

#: How often a dry run is repeated because the object moved between reading it and the dry run.
_STEADY = 4


@dataclass(frozen=True, slots=True)
class Context:
    """What planning needs to know beside the objects.

    `created`: what the same run creates. `files`: where each object was rendered to, for messages. `sets`: identities
    of the environment's own sets, between which objects may move; None: objects of any set are taken (`--adopt`).
    `migrate`: what other tools applied becomes ours. `listing`: live objects that were found by their label; what is
    missing there is asked for alone.
    """

    created: Created
    files: Mapping[ObjectRef, str] = field(default_factory=dict)
    sets: frozenset[str] | None = None
    migrate: bool = False
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    listing: Listing = field(default_factory=Listing)
    stop: Stop | None = None


def make_plans(
    cluster: Cluster, components: Mapping[Owner, Sequence[Manifest]], context: Context
) -> list[Plan]:
    """One plan for each of `components` (owner → rendered manifests), asking for eight objects at once.

    Raises Rejected with one Problem for each object that the server would refuse or that is another set's;
    Denied and Unreachable at the first of them.
    """
    objects = [
        (owner, sent(manifest, owner))
        for owner, manifests in components.items()
        for manifest in sorted(manifests, key=sort_key)
        if not is_hook(manifest)
    ]
    planner = _Planner(cluster, context)
    outcomes = each(lambda entry: planner.object(*entry), objects, stop=context.stop)
    planned: dict[Owner, list[Planned]] = {owner: [] for owner in components}
    problems: list[Problem] = []
    for (owner, manifest), outcome in zip(objects, outcomes, strict=True):
        if isinstance(outcome, Planned):
            planned[owner].append(outcome)
        else:
            file = context.files.get(ref(manifest), "")
            problems += [
                replace(problem, file=file, environment=owner.environment, component=owner.component)
                for problem in outcome.problems
            ]
    if problems:
        raise Rejected(f"{cluster.address} rejects {_objects(problems)}", problems=problems)
    return [
        Plan(owner, tuple(planned[owner]), tuple(filter(is_hook, manifests)), tuple(manifests))
        for owner, manifests in components.items()
    ]


def _objects(problems: list[Problem]) -> str:
    return problems[0].object if len(problems) == 1 else f"{len(problems)} objects"


class _Planner:
    """Plans single objects; remembers which namespaces are there. Thread-safe."""

    def __init__(self, cluster: Cluster, context: Context) -> None:
        self._cluster = cluster
        self._created = context.created
        self._sets = context.sets
        self._migrate = context.migrate
        self._fingerprint = context.fingerprint
        self._live = context.listing.objects
        self._lock = threading.Lock()
        self._absent: dict[str, bool] = {}

    def object(self, owner: Owner, manifest: Manifest) -> Planned | Rejected:
        """The plan for one object, or why it cannot be applied."""
        try:
            return self._plan(owner, manifest)
        except Rejected as error:
            return error

    def _plan(self, owner: Owner, manifest: Manifest) -> Planned:
        it = ref(manifest)
        unknown = self._cluster.knows(it.api_version, it.kind) is None
        if unknown and (it.group, it.kind) in self._created.kinds:
            return self._addition(manifest, note="its CustomResourceDefinition is created first")
        live = self._live.get(it.identity)
        if live is None and self._namespace_absent(it.namespace):
            return self._addition(manifest)
        try:
            dry, conflicts = self._dry_run(manifest)
        except Rejected as error:
            return self._replacement(owner, manifest, error)
        if live is None and not _version(dry.manifest):
            return self._addition(manifest, dry)  # only what is stored has a version
        for _ in range(_STEADY):
            if live is not None and _version(dry.manifest) == _version(live):
                break
            # Not listed for want of a label, or written meanwhile by a controller, whose change is not ours.
            live = self._cluster.get(it)
            dry, conflicts = self._dry_run(manifest)
        if live is None:
            return self._addition(manifest, dry)
        self._check_set(owner, live)
        return self._compared(manifest, live, dry, conflicts)

    def _adopted(
        self, live: Manifest, dry: Applied, conflicts: tuple[Conflict, ...]
    ) -> tuple[list[str], Applied, tuple[Conflict, ...]]:
        """The other tools that are taken over from, and what dry run and conflicts are without them."""
        tools = tools_of(live) if self._migrate else []
        if not tools:
            return [], dry, conflicts
        left = tuple(conflict for conflict in conflicts if conflict.manager not in tools)
        return tools, replace(dry, manifest=released(dry.manifest)), left

    def _replacement(self, owner: Owner, manifest: Manifest, error: Rejected) -> Planned:
        """The plan of an object that has to be made anew, where it says so; else `error`, with that advice."""
        if not is_immutable(error):
            raise error
        live = self._cluster.get(ref(manifest))
        if live is None:
            raise error
        self._check_set(owner, live)
        before = mask_manifest(declared(live), self._fingerprint)
        after = mask_manifest(declared(manifest), self._fingerprint)
        fields = changes(before, after)
        how = way(manifest)
        if not how:
            raise explained(error, fields)
        note = "deleted and made anew" if how == "recreate" else "made anew while its pods go on"
        change = Change("update", ref(manifest), fields, before, after, note=note)
        uid = str(live["metadata"]["uid"])
        return Planned(manifest, change, write=True, version=_version(live), replaces=how, uid=uid)

    def _check_set(self, owner: Owner, live: Manifest) -> None:
        """An object may move between the sets of one environment; one of anybody else's is not taken."""
        bears = (live["metadata"].get("labels") or {}).get(PART_OF)
        if not bears or self._sets is None or bears == owner.set_id or bears in self._sets:
            return
        it, whose = ref(live), _set_name(self._cluster, bears)
        hint = "take it over with --adopt, or give yours another name"
        problem = Problem(f"belongs to {whose}", object=str(it), hint=hint)
        raise Rejected(f"{it} belongs to {whose}", problems=[problem])

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
        tools, dry, conflicts = self._adopted(live, dry, conflicts)
        status = "status" in manifest
        before, after = declared(live, status=status), declared(dry.manifest, status=status)
        changed = not same(before, after)
        takes = owned(live, FIELD_MANAGER) != owned(dry.manifest, FIELD_MANAGER)
        if changed:
            before, after = mask_manifest(before, self._fingerprint), mask_manifest(after, self._fingerprint)
            fields = field_changes(before, after)
            change = Change("update", ref(manifest), fields, before, after, conflicts, dry.warnings)
        else:
            note = "takes ownership of fields whose values stay" if takes or tools else ""
            change = Change("keep", ref(manifest), conflicts=conflicts, warnings=dry.warnings, note=note)
        if tools:
            change = replace(change, note=f"taken over from {', '.join(tools)}")
        write = changed or takes or bool(conflicts or tools)
        return Planned(manifest, change, write=write, version=_version(live), adopts=bool(tools))

    def _dry_run(self, manifest: Manifest) -> tuple[Applied, tuple[Conflict, ...]]:
        """What the apply would make; where another manager owns fields, as if they were taken over."""
        try:
            return self._cluster.apply(manifest, dry_run=True), ()
        except FieldConflict as error:
            conflicts = tuple(Conflict(problem.found, problem.path) for problem in error.problems)
            return self._cluster.apply(manifest, dry_run=True, force=True), conflicts


def _version(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))


def _set_name(cluster: Cluster, set_id: str) -> str:
    """What people know a set by: its parent, where it can be found."""
    try:
        parents = cluster.list("v1", "Secret", labels=f"{ID}={set_id}")
    except ClusterError:
        parents = []  # the identity alone names it too
    return f"the set of {ref(parents[0])}" if parents else f"another set, {set_id}"
