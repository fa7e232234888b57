"""Brings a component that failed back to its last ready revision (`--rollback-on-failure`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mop.errors import MopError, NotReady
from mop.rollout.history import manifests_of, previous, revisions
from mop.rollout.plan import Plan
from mop.rollout.planning import Options as Planning
from mop.rollout.planning import plan as make_plan
from mop.rollout.run import Run, Setting


def restore(setting: Setting, plans: Sequence[Plan], broken: Plan, error: NotReady) -> NotReady:
    """Apply the last ready revision of `broken`; gives `error` with what came of that, to be raised."""
    try:
        told = (
            f"{broken.environment}/{broken.component} is back at revision {_restore(setting, plans, broken)}"
        )
    except MopError as second:
        told = f"it could not be rolled back: {second.message}"
    return NotReady(f"{error.message}\n{told}", hint=error.hint, problems=error.problems)


def _restore(setting: Setting, plans: Sequence[Plan], broken: Plan) -> int:
    cluster, environment, component = setting.cluster, setting.environment, broken.component
    found = revisions(cluster, environment.name, environment.namespace, component)
    chosen = previous(found, broken.owner)
    manifests = manifests_of(cluster, broken.owner, chosen)
    whole = {plan.component for plan in plans} >= set(environment.components)
    others = [item.change.ref for plan in plans for item in plan.items if plan is not broken]
    options = Planning(elsewhere=others if whole else None)
    back = make_plan(cluster, environment, {component: manifests}, options)
    origin = replace(chosen.origin, message=f"rollback to revision {chosen.number}, for the next one failed")
    options_back = replace(setting.options, rollback=True)
    run = Run(replace(setting, options=options_back, origins={component: origin}, older=found), back)
    run.group(back)
    run.prune(back)
    return chosen.number
