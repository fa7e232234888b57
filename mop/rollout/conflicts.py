"""Fields that other field managers own: the error of an apply that would take them without leave. Pure."""

from __future__ import annotations

from mop.errors import FieldConflict
from mop.problem import Problem
from mop.rollout.plan import Plan


def conflict_error(plan: Plan, address: str) -> FieldConflict:
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
