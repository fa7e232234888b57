"""`apply`: makes the cluster what a plan says, phase by phase, and waits until it is ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mop.engines.protocols import Cluster
from mop.errors import Interrupted, MopError, UsageError
from mop.manifest import ObjectRef
from mop.masking import mask_text, secret_values
from mop.model import Environment, Ready
from mop.results import ApplyResult, ObjectStatus, Progress, silent
from mop.rollout.concurrent import Stop
from mop.rollout.phases import PHASES, Phase, defined_kinds
from mop.rollout.plan import Plan, conflict_error
from mop.rollout.prune import check_limit
from mop.rollout.send import Sender, Sent, ensure_namespace
from mop.rollout.sets import close_set, open_set
from mop.rollout.wait import Awaited, wait_ready


@dataclass(frozen=True, slots=True)
class Options:
    """`timeout`: seconds instead of each component's own. `force`: take fields from other managers.

    `prune_limit`: how many objects of a component may be removed where that needs to be said.
    """

    wait: bool = True
    force: bool = False
    timeout: float | None = None
    prune_limit: int | None = None


def authorise(
    environment: Environment,
    *,
    yes: bool = False,
    confirm: str = "",
    named: bool = True,
    planned: bool = False,
) -> None:
    """Whether writing to `environment` was agreed to; raises UsageError that says how to agree.

    `yes`: `--yes`, or a person's answer. `confirm`: the value of `--confirm`, names separated by commas.
    `named`: `--env` said its name, not only a pattern. `planned`: a saved plan is carried out.
    A protected environment needs its name or a plan (commands.md).
    """
    names = {name.strip() for name in confirm.split(",") if name.strip()}
    agreed = environment.name in names
    if names and not agreed and not yes:
        raise UsageError(
            f"--confirm {confirm} is not the environment {environment.name}",
            hint=f"write --confirm {environment.name}",
        )
    if environment.protected and not (planned or (agreed and named)):
        pattern = "" if named else "no pattern covers it: "
        raise UsageError(
            f"environment {environment.name} is protected",
            hint=f"{pattern}write --env {environment.name} --confirm {environment.name}, or use a saved plan",
        )
    if not (yes or agreed or planned):
        raise UsageError(
            f"nobody agreed to change environment {environment.name}",
            hint=f"write --yes or --confirm {environment.name} (with doit: MOP_CONFIRM={environment.name})",
        )


def apply(
    cluster: Cluster,
    environment: Environment,
    plans: Sequence[Plan],
    *,
    ready: Mapping[str, Ready] | None = None,
    options: Options | None = None,
    progress: Progress = silent,
    stop: Stop | None = None,
) -> list[ApplyResult]:
    """Carry out `plans` in the environment's order; objects whose plan is `keep` are not written.

    Raises FieldConflict before anything is written; Rejected, Denied, Unreachable and NotReady with what was
    done; Interrupted after what was in flight. `authorise` comes before.
    """
    options = options or Options()
    for plan in plans:
        check_limit(plan.owner, len(plan.doomed), plan.members, options.prune_limit)
        if plan.conflicts and not options.force:
            raise conflict_error(plan, cluster.address)
    run = _Run(
        cluster, environment, plans, ready or {}, options, progress, stop if stop is not None else Stop()
    )
    try:
        ensure_namespace(cluster, environment.namespace)
        for group in _groups(environment, plans):
            run.group(group)
        run.prune(plans)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted: {run.sender.summary()}; the next apply goes on from here") from None
    except MopError as error:
        raise _with_account(error, run.sender.summary()) from error
    return [run.result(plan) for plan in plans]


def _groups(environment: Environment, plans: Sequence[Plan]) -> list[list[Plan]]:
    """What is applied together, then waited for."""
    if environment.order == "component-by-component":
        return [[plan] for plan in plans]
    return [list(plans)] if plans else []


def _with_account(error: MopError, account: str) -> MopError:
    return type(error)(f"{error.message}\n{account}", hint=error.hint, problems=error.problems)


class _Run:
    """One apply: its sender, and the results so far."""

    def __init__(
        self,
        cluster: Cluster,
        environment: Environment,
        plans: Sequence[Plan],
        ready: Mapping[str, Ready],
        options: Options,
        progress: Progress,
        stop: Stop,
    ) -> None:
        self._cluster = cluster
        self._environment = environment
        self._ready = ready
        self._options = options
        self._progress = progress
        self._stop = stop
        self._hide = _hider(plans)
        self.sender = Sender(cluster, plans, force=options.force, progress=progress, stop=stop)
        self._objects: dict[str, tuple[ObjectStatus, ...]] = {}
        self._seconds: dict[str, float] = {}

    def group(self, plans: Sequence[Plan]) -> None:
        """The sets are opened, then all phases of `plans`, then readiness."""
        started = time.monotonic()
        for plan in plans:
            open_set(self._cluster, plan)
        for phase in PHASES:
            self._phase(phase, plans)
        if self._options.wait:
            self._objects |= self._wait(plans)
        self._seconds |= dict.fromkeys((plan.component for plan in plans), time.monotonic() - started)

    def prune(self, plans: Sequence[Plan]) -> None:
        """Remove what is rendered no more, after every component; then the sets are closed."""
        self.sender.remove(plans)
        for plan in plans:
            close_set(self._cluster, plan)

    def result(self, plan: Plan) -> ApplyResult:
        """What became of one plan."""
        name = plan.component
        changes, objects = self.sender.changes(plan), self._objects.get(name, ())
        return ApplyResult(plan.environment, name, changes, objects, self._seconds.get(name, 0.0))

    def _phase(self, phase: Phase, plans: Sequence[Plan]) -> None:
        written = self.sender.phase(phase, plans, self._settle)
        if written and phase.settles:
            self._settle(written)
            self.sender.define(defined_kinds(item.manifest for plan in plans for item in plan.items))

    def _settle(self, sent: Sequence[Sent]) -> None:
        """Wait until what was sent is ready, whatever `--no-wait` says: the next would break without it."""
        refs: dict[str, list[ObjectRef]] = {}
        for component, it in sent:
            refs.setdefault(component, []).append(it)
        self._await([Awaited(name, found, self._patience(name)) for name, found in refs.items()])

    def _wait(self, plans: Sequence[Plan]) -> dict[str, tuple[ObjectStatus, ...]]:
        awaited = [
            Awaited(plan.component, [item.change.ref for item in plan.items], self._patience(plan.component))
            for plan in plans
        ]
        return self._await(awaited)

    def _await(self, awaited: Sequence[Awaited]) -> dict[str, tuple[ObjectStatus, ...]]:
        return wait_ready(
            self._cluster,
            self._environment.name,
            awaited,
            progress=self._progress,
            stop=self._stop,
            hide=self._hide,
        )

    def _patience(self, component: str) -> Ready:
        ready = self._ready.get(component, Ready())
        return ready if self._options.timeout is None else replace(ready, timeout=self._options.timeout)


def _hider(plans: Sequence[Plan]) -> Callable[[str], str]:
    """Takes the values of all Secrets of the plans out of a text."""
    values = frozenset(v for plan in plans for item in plan.items for v in secret_values(item.manifest))
    return lambda text: mask_text(text, values)
