"""Carries plans out, phase by phase, and knows at any moment what was done and what was not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from mop.engines.protocols import Cluster
from mop.errors import ClusterError, Rejected, Stale
from mop.manifest import Manifest, ObjectRef, kind_rank, ref, sort_key
from mop.problem import Problem
from mop.results import Change, Progress, Written, silent
from mop.rollout.adopting import migrated, tools_of
from mop.rollout.concurrent import Stop, each
from mop.rollout.gone import await_gone
from mop.rollout.immutable import WAYS
from mop.rollout.phases import CORE_NAMESPACE, Phase, waves
from mop.rollout.plan import Plan, Planned
from mop.rollout.turns import rolls, turns

Sent = tuple[str, ObjectRef]  # component, object
Settle = Callable[[Sequence[Sent]], None]
#: Seconds that a server may take to serve a kind after its definition was established.
_SERVED = 30.0
#: Seconds that an object which is made anew may take to go; its pods may have long grace periods.
_GONE = 600.0
#: How often managedFields are tried to be replaced while others write.
_TRIES = 10


class Sender:
    """Writes planned objects; remembers every change that was made. Thread-safe."""

    def __init__(
        self,
        cluster: Cluster,
        plans: Sequence[Plan],
        *,
        force: bool = False,
        progress: Progress = silent,
        stop: Stop | None = None,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._cluster = cluster
        self._guard = guard
        self._force = force
        self._progress = progress
        self._stop = stop
        self._lock = threading.Lock()
        self._total = {plan.component: len(plan.changes) for plan in plans}
        self._environment = plans[0].environment if plans else ""
        self._done: dict[str, dict[ObjectRef, Change]] = {plan.component: {} for plan in plans}
        self._kinds: set[tuple[str, str]] = set()

    def phase(self, phase: Phase, plans: Iterable[Plan], settle: Settle) -> list[Sent]:
        """Send what belongs to `phase`; gives (component, object) of all that was written.

        `settle` waits for what must not roll together with what comes next.
        Raises Rejected, FieldConflict, Denied, Unreachable; KeyboardInterrupt if stopped.
        """
        members = {
            ref(item.manifest).identity: (plan.component, item)
            for plan in plans
            for item in plan.items
            if phase.holds(item.manifest)
        }
        written: list[Sent] = []
        for wave in waves(item.manifest for _, item in members.values()):
            before: list[Sent] = []
            for turn in turns([members[ref(manifest).identity] for manifest in wave]):
                if before:
                    settle(before)
                each(self._send, turn, stop=self._stop)
                before = [(component, item.change.ref) for component, item in turn if rolls(item)]
                written += [(component, item.change.ref) for component, item in turn if item.write]
        return written

    def remove(self, plans: Iterable[Plan]) -> None:
        """Delete what the plans remove, in reverse of the order of apply, and only those very objects."""
        entries = [(plan.component, item) for plan in plans for item in plan.doomed]
        entries.sort(key=lambda entry: sort_key(entry[1].manifest), reverse=True)
        for _, wave in groupby(entries, key=lambda entry: kind_rank(entry[1].manifest["kind"])):
            each(self._delete, wave, stop=self._stop)

    def changes(self, plan: Plan) -> tuple[Change, ...]:
        """What was done of `plan`, in its order."""
        done = self._done[plan.component]
        return tuple(done[change.ref] for change in plan.changes if change.ref in done)

    def summary(self) -> str:
        """How far it came, for whoever is told of a failure or an interruption."""
        done = [change for changes in self._done.values() for change in changes.values()]
        written = sum(change.action != "keep" for change in done)
        total = sum(self._total.values())
        left = total - len(done)
        return f"{len(done)} of {total} objects were dealt with ({written} written), {left} were not"

    def define(self, kinds: Iterable[tuple[str, str]]) -> None:
        """Custom resources of these (group, kind) have just been defined: the server may need a moment."""
        self._kinds.update(kinds)
        self._cluster.refresh()

    def _send(self, entry: tuple[str, Planned]) -> None:
        component, item = entry
        change = item.change
        if item.write:
            self._guard()
            self._await_kind(change.ref)
            self._make_room(item)
            applied = self._cluster.apply(item.manifest, force=self._force)
            change = replace(change, warnings=applied.warnings or change.warnings)
        self._record(component, change)

    def _make_room(self, item: Planned) -> None:
        """What has to happen to the live object before it can be applied."""
        it = item.change.ref
        if item.replaces:
            self._cluster.delete(it, propagation=WAYS[item.replaces], uid=item.uid)
            await_gone(self._cluster, [it], _GONE, stop=self._stop)
            self._guard()
        for _ in range(_TRIES if item.adopts else 0):
            live = self._cluster.get(it)
            if live is None or not tools_of(live):
                return
            try:
                self._cluster.set_managers(it, migrated(live), live["metadata"]["resourceVersion"])
            except Stale:
                continue  # a controller wrote in between: its entry counts too
            return

    def _delete(self, entry: tuple[str, Planned]) -> None:
        component, item = entry
        self._guard()
        self._cluster.delete(item.change.ref, uid=str(item.manifest["metadata"].get("uid", "")))
        self._record(component, item.change)

    def _record(self, component: str, change: Change) -> None:
        with self._lock:
            done = self._done[component]
            done[change.ref] = change
            fact = Written(self._environment, component, change, len(done), self._total[component])
        self._progress(fact)

    def _await_kind(self, it: ObjectRef) -> None:
        """Discovery is not watchable, so a kind that was just defined is asked for again."""
        if (it.group, it.kind) not in self._kinds:
            return
        deadline = time.monotonic() + _SERVED
        while self._cluster.knows(it.api_version, it.kind) is None and time.monotonic() < deadline:
            time.sleep(0.1)
            self._cluster.refresh()


def ensure_namespace(cluster: Cluster, name: str) -> bool:
    """Create the environment's namespace if it is absent; whether it was. It belongs to no component."""
    it = ObjectRef(*CORE_NAMESPACE, "", name)
    live = cluster.get(it)
    if live is None:
        manifest: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        try:
            cluster.create(manifest)
        except ClusterError:
            if cluster.get(it) is None:  # else somebody else was faster
                raise
        return True
    if live["metadata"].get("deletionTimestamp"):
        problem = Problem("is being deleted", object=str(it))
        raise Rejected(
            f"namespace {name} on {cluster.address} is being deleted",
            hint="wait until it is gone, then repeat",
            problems=[problem],
        )
    return False
