"""One apply, stage by stage. What is done and what is not is known at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef
from mop.masking import mask_text, secret_values
from mop.model import Environment, Ready
from mop.results import ApplyResult, ObjectStatus, Origin, Outcome, Progress, Revision, silent
from mop.rollout.concurrent import Stop
from mop.rollout.history import Record, begin, forget, record_failure, same_origin
from mop.rollout.hooking import HookRunner
from mop.rollout.phases import PHASES, Phase, defined_kinds
from mop.rollout.plan import Plan
from mop.rollout.send import Sender, Sent
from mop.rollout.sets import close_set, open_set
from mop.rollout.wait import Awaited, wait_ready


@dataclass(frozen=True, slots=True)
class Options:
    """How to apply.

    `wait`: until all is ready. `force`: take fields from other managers. `timeout`: seconds instead of each
    component's own. `prune_limit`: how many objects of a component may be removed where that has to be said.
    `rollback_on_failure`: bring back the last ready revision of the component that fails. `rollback`: this is one,
    so that hooks of a rollback run.
    """

    wait: bool = True
    force: bool = False
    timeout: float | None = None
    prune_limit: int | None = None
    rollback_on_failure: bool = False
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What one apply works with. `ready` and `origins` by component; `older`: revisions so far, newest first."""

    cluster: Cluster
    environment: Environment
    options: Options = Options()
    ready: Mapping[str, Ready] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    older: Sequence[Revision] = ()
    progress: Progress = silent
    stop: Stop = field(default_factory=Stop)
    guard: Callable[[], None] = lambda: None  # raises where nothing more may be written

    def of(self, plan: Plan) -> list[Revision]:
        """The revisions of the plan's component, newest first."""
        return [revision for revision in self.older if revision.component == plan.component]

    def due(self, plan: Plan) -> bool:
        """Whether it makes a revision: it writes, the last one was left unfinished, or had another origin."""
        if not plan.items or plan.writes:
            return bool(plan.items)
        newest = next(iter(self.of(plan)), None)
        unfinished = newest is None or newest.outcome not in ("ready", "applied")
        return unfinished or not same_origin(newest, self.origins.get(plan.component, Origin()))


class Run:
    """Carries plans out. Stages of a group: open, begin, phases with hooks, wait, end; after all groups: prune."""

    def __init__(self, setting: Setting, plans: Sequence[Plan]) -> None:
        self._set = setting
        self._hide = _hider(plans)
        self._records: dict[str, Record] = {}
        self._objects: dict[str, tuple[ObjectStatus, ...]] = {}
        self._seconds: dict[str, float] = {}
        self._sender = Sender(
            setting.cluster,
            plans,
            force=setting.options.force,
            progress=setting.progress,
            stop=setting.stop,
            guard=setting.guard,
        )
        self._hooks = HookRunner(setting.cluster, setting.progress, setting.stop, setting.guard, self._hide)

    def group(self, plans: Sequence[Plan]) -> None:
        """Everything of `plans` but the removal of what is rendered no more."""
        started = time.monotonic()
        self._open(plans)
        self._begin(plans)
        for phase in PHASES:
            self._phase(phase, plans)
        self._wait(plans)
        self._end(plans)
        self._seconds |= dict.fromkeys((plan.component for plan in plans), time.monotonic() - started)

    def prune(self, plans: Sequence[Plan]) -> None:
        """Remove what is rendered no more, after every component; then the sets are closed."""
        self.remove(plans)
        self.close(plans)

    def remove(self, plans: Sequence[Plan]) -> None:
        """Delete what the plans remove, without waiting."""
        self._sender.remove(plans)

    def close(self, plans: Sequence[Plan]) -> None:
        """Let the sets say what is there now; one that is empty goes, and the revisions of its component too."""
        for plan in plans:
            if close_set(self._set.cluster, plan):
                forget(self._set.cluster, plan.owner, self._set.of(plan))

    @property
    def account(self) -> str:
        """What was done so far, for people."""
        return self._sender.summary()

    def failed(self, outcome: Outcome) -> str:
        """Note `outcome` on what was begun; gives an account of what was done, for people."""
        trouble = record_failure(self._set.cluster, list(self._records.values()), outcome)
        return "; ".join(part for part in (self.account, trouble) if part)

    def result(self, plan: Plan) -> ApplyResult:
        """What became of one plan."""
        name = plan.component
        record = self._records.get(name)
        return ApplyResult(
            plan.environment,
            name,
            self._sender.changes(plan),
            self._objects.get(name, ()),
            self._seconds.get(name, 0.0),
            record.revision if record else None,
        )

    def _open(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            open_set(self._set.cluster, plan)

    def _begin(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            if self._set.due(plan):
                older, origin = self._set.of(plan), self._set.origins.get(plan.component, Origin())
                record = begin(plan.owner, plan.rendered, older, origin)
                self._records[plan.component] = record
                self._set.guard()
                record.write(self._set.cluster, "pending")

    def _end(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            record = self._records.get(plan.component)
            if record is not None:
                record.write(self._set.cluster, "ready" if self._set.options.wait else "applied")
                record.trim(self._set.cluster)

    def _phase(self, phase: Phase, plans: Sequence[Plan]) -> None:
        if phase.hooked:
            self._run_hooks("pre", plans)
        written = self._sender.phase(phase, plans, self._settle)
        if written and phase.settles:
            self._settle(written)
            self._sender.define(defined_kinds(item.manifest for plan in plans for item in plan.items))
        if phase.hooked:
            self._run_hooks("post", plans)

    def _run_hooks(self, when: str, plans: Sequence[Plan]) -> None:
        """Once a revision; install or upgrade is decided by whether the component has one already."""
        for plan in plans:
            if plan.component in self._records:
                action = "upgrade" if self._set.of(plan) else "install"
                event = f"{when}-{'rollback' if self._set.options.rollback else action}"
                self._hooks.run(plan.owner, plan.hooks, event, self._patience(plan.component))

    def _settle(self, sent: Sequence[Sent]) -> None:
        """Wait until what was sent is ready, whatever `--no-wait` says: the next would break without it."""
        refs: dict[str, list[ObjectRef]] = {}
        for component, it in sent:
            refs.setdefault(component, []).append(it)
        self._await([Awaited(name, found, self._patience(name)) for name, found in refs.items()])

    def _wait(self, plans: Sequence[Plan]) -> None:
        if self._set.options.wait:
            self._objects |= self._await(
                [
                    Awaited(
                        plan.component,
                        [item.change.ref for item in plan.items],
                        self._patience(plan.component),
                    )
                    for plan in plans
                ]
            )

    def _await(self, awaited: Sequence[Awaited]) -> dict[str, tuple[ObjectStatus, ...]]:
        return wait_ready(
            self._set.cluster,
            self._set.environment.name,
            awaited,
            progress=self._set.progress,
            stop=self._set.stop,
            hide=self._hide,
        )

    def _patience(self, component: str) -> Ready:
        ready, timeout = self._set.ready.get(component, Ready()), self._set.options.timeout
        return ready if timeout is None else replace(ready, timeout=timeout)


def _hider(plans: Sequence[Plan]) -> Callable[[str], str]:
    """Takes the values of all Secrets of the plans out of a text."""
    values = frozenset(v for plan in plans for item in plan.items for v in secret_values(item.manifest))
    return lambda text: mask_text(text, values)
