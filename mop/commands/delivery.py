"""`diff`, `apply`, `deploy`, `status`: from manifests to a cluster."""

from __future__ import annotations

from typing import Any

from mop.commands.base import COMPONENT, ENV, JOBS, JSON, command

_WRITING = {
    "env": ENV,
    "component": COMPONENT,
    "yes": "do not ask; a protected environment needs --confirm as well",
    "confirm": "the environment's name: agrees to change it, protected or not",
    "force_conflicts": "take over fields that another field manager owns",
    "no_prune": "leave what is rendered no more",
    "prune_all": "remove namespaces, claims and definitions that are rendered no more as well",
    "prune_limit": "remove as many objects of a component, where that is more than 20 or a third of it",
    "adopt": "take over objects that kubectl, tk, a Helm release or another set of MOP made",
    "rollback_on_failure": "bring a component that fails back to its last ready revision (component-by-component)",
    "no_wait": "do not wait until what was applied is ready",
    "timeout": "how long a component may take to become ready (10m), instead of its own `ready: {timeout}`",
    "jobs": JOBS,
}


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "exit_code": "exit 2 when there are changes",
        "json": JSON,
        "html": "write the diff to this file as a page",
        "save": "write the plan to this file, for `apply --plan`",
        "no_prune": _WRITING["no_prune"],
        "prune_all": _WRITING["prune_all"],
        "adopt": _WRITING["adopt"],
        "summary": "one line for each object that changes, without its fields",
        "jobs": JOBS,
    }
)
def diff(
    _context: Any,
    env: str = "",
    component: str = "",
    exit_code: bool = False,
    json: bool = False,
    summary: bool = False,
    html: str = "",
    save: str = "",
    no_prune: bool = False,
    prune_all: bool = False,
    adopt: bool = False,
    jobs: int = 0,
) -> int:
    """
    Show what an apply would change: the live objects against the API server's dry run.

    Example: inv diff --env staging --exit-code
    """
    from mop.commands.deploying import Delivery, planning

    how = planning(prune=not no_prune, everything=prune_all, adopt=adopt)
    delivery = Delivery.open(env, component, quiet=True)
    if save:
        from mop.commands import plans

        how = plans.comparable(delivery, how)
    stages = ("vendor", "evaluate", "render", *(("validate",) if save else ()), "diff")
    if not delivery.prepare(stages, jobs, how):
        return delivery.finish()
    delivery.show_diff(json=json, summary=summary)
    if html:
        delivery.write_html(html)
    if save:
        plans.save(delivery, how, save)
    return 2 if exit_code and delivery.changed else 0


@command(
    help={
        **_WRITING,
        "plan": "carry out what `diff --save` wrote, exactly; refused if the cluster moved",
    }
)
def apply(
    _context: Any,
    env: str = "",
    component: str = "",
    plan: str = "",
    yes: bool = False,
    confirm: str = "",
    no_prune: bool = False,
    prune_all: bool = False,
    prune_limit: int = 0,
    adopt: bool = False,
    force_conflicts: bool = False,
    rollback_on_failure: bool = False,
    no_wait: bool = False,
    timeout: str = "",
    jobs: int = 0,
) -> int:
    """
    Make the cluster what is rendered, and wait until it is ready.

    Example: inv apply --env local --yes
    """
    from mop.commands.deploying import Delivery, options, planning

    chosen = options(
        wait=not no_wait,
        force=force_conflicts,
        timeout=timeout,
        prune_limit=prune_limit,
        rollback_on_failure=rollback_on_failure,
    )
    if plan:
        from mop.commands.plans import carry_out

        _only_plan(env=env, component=component, confirm=confirm)
        return carry_out(plan, chosen, jobs)
    how = planning(prune=not no_prune, everything=prune_all, adopt=adopt)
    delivery = Delivery.open(env, component, quiet=True, start_cluster=True)
    return delivery.deploy(chosen, how, yes=yes, confirm=confirm, jobs=jobs, ask=False)


def _only_plan(**flags: str) -> None:
    """A plan says what is applied, and where."""
    from mop.errors import UsageError

    given = [f"--{name}" for name, value in flags.items() if value]
    if given:
        raise UsageError(f"--plan says what is applied: it goes without {', '.join(given)}")


@command(help=_WRITING)
def deploy(
    _context: Any,
    env: str = "",
    component: str = "",
    yes: bool = False,
    confirm: str = "",
    no_prune: bool = False,
    prune_all: bool = False,
    prune_limit: int = 0,
    adopt: bool = False,
    force_conflicts: bool = False,
    rollback_on_failure: bool = False,
    no_wait: bool = False,
    timeout: str = "",
    jobs: int = 0,
) -> int:
    """
    Render, validate, show the diff, ask, apply: what is applied is what the diff showed.

    Example: inv deploy --env local --yes
    """
    from mop.commands.deploying import Delivery, options, planning

    chosen = options(
        wait=not no_wait,
        force=force_conflicts,
        timeout=timeout,
        prune_limit=prune_limit,
        rollback_on_failure=rollback_on_failure,
    )
    how = planning(prune=not no_prune, everything=prune_all, adopt=adopt)
    delivery = Delivery.open(env, component, quiet=False, start_cluster=True)
    return delivery.deploy(chosen, how, yes=yes, confirm=confirm, jobs=jobs, ask=True)


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "json": JSON,
        "watch": "show it again whenever something changes, until Ctrl-C",
        "jobs": JOBS,
    }
)
def status(
    _context: Any, env: str = "", component: str = "", json: bool = False, watch: bool = False, jobs: int = 0
) -> int:
    """
    Say of each component whether it is ready, or why not; exit 1 when something is not.

    Example: inv status --env local --json
    """
    from mop.commands.deploying import Delivery

    delivery = Delivery.open(env, component, quiet=True)
    if not delivery.prepare(("vendor", "evaluate", "render"), jobs):
        return delivery.finish()
    return delivery.show_status(json=json, watch=watch)
