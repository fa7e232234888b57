"""`apply`: makes the cluster what a plan says, and waits until it is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mop.engines.protocols import Cluster
from mop.errors import Interrupted, MopError, NotReady, UsageError
from mop.model import Environment, Ready
from mop.results import ApplyResult, Origin, Progress, silent
from mop.rollout.concurrent import Stop
from mop.rollout.conflicts import conflict_error
from mop.rollout.history import revisions
from mop.rollout.lock import Lock
from mop.rollout.plan import Plan
from mop.rollout.prune import check_limit
from mop.rollout.restore import restore
from mop.rollout.run import Options, Run, Setting
from mop.rollout.send import ensure_namespace

__all__ = ["Options", "apply", "authorise"]


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
    origins: Mapping[str, Origin] | None = None,
    options: Options | None = None,
    progress: Progress = silent,
    stop: Stop | None = None,
) -> list[ApplyResult]:
    """Carry out `plans` in the environment's order; objects whose plan is `keep` are not written.

    `ready`: each component's patience; `origins`: what each was rendered from, kept in its revision.
    Raises UsageError (prune limit) and FieldConflict before anything is written; Locked if another apply runs;
    Rejected, Denied, Unreachable and NotReady with what was done; Interrupted after what was in flight.
    `authorise` comes before.
    """
    options = options or Options()
    _check_rollouts(environment, plans)
    for plan in plans:
        check_limit(plan.owner, len(plan.doomed), plan.members, options.prune_limit)
        if plan.conflicts and not options.force:
            raise conflict_error(plan, cluster.address)
    name, namespace = environment.name, environment.namespace
    ensure_namespace(cluster, namespace)
    setting = Setting(
        cluster,
        environment,
        options,
        ready or {},
        origins or {},
        revisions(cluster, name, namespace),
        progress,
        stop if stop is not None else Stop(),
    )
    # A platform that is as it should be needs no lock: a Lease would be the only object written.
    if not any(plan.writes or setting.due(plan) for plan in plans):
        return _carry_out(setting, plans)
    with Lock(cluster, name, namespace) as lock:
        now = revisions(cluster, name, namespace)
        return _carry_out(replace(setting, older=now, guard=lock.check), plans)


def _check_rollouts(environment: Environment, plans: Sequence[Plan]) -> None:
    """A strategy that cannot be carried out is refused: to roll instead would be what nobody asked for."""
    declared = {plan.component: environment.rollout.get(plan.component) for plan in plans if plan.writes}
    other = {
        name: rollout.strategy
        for name, rollout in declared.items()
        if rollout and rollout.strategy != "rolling"
    }
    if other:
        names = ", ".join(f"{name} ({strategy})" for name, strategy in other.items())
        raise UsageError(
            f"environment {environment.name} declares rollouts that this version cannot carry out: {names}",
            hint="only `rolling` is implemented so far; nothing was applied",
        )


def _carry_out(setting: Setting, plans: Sequence[Plan]) -> list[ApplyResult]:
    run = Run(setting, plans)
    try:
        for group in _groups(setting.environment, plans):
            try:
                run.group(group)
            except NotReady as error:
                if setting.options.rollback_on_failure and len(group) == 1:
                    run.failed("failed")
                    raise restore(setting, plans, group[0], error) from error
                raise
        run.prune(plans)
    except KeyboardInterrupt:
        account = run.failed("interrupted")
        raise Interrupted(f"interrupted: {account}; the next apply goes on from here") from None
    except MopError as error:
        raise _with_account(error, run.failed("failed")) from error
    return [run.result(plan) for plan in plans]


def _groups(environment: Environment, plans: Sequence[Plan]) -> list[list[Plan]]:
    """What is applied together, then waited for."""
    if environment.order == "component-by-component":
        return [[plan] for plan in plans]
    return [list(plans)] if plans else []


def _with_account(error: MopError, account: str) -> MopError:
    return type(error)(f"{error.message}\n{account}", hint=error.hint, problems=error.problems)
