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
    jobs: int = 0,
) -> int:
    """
    Show what an apply would change: the live objects against the API server's dry run.

    Example: inv diff --env staging --exit-code
    """
    from mop.commands.deploying import Delivery

    delivery = Delivery.open(env, component, quiet=True)
    if not delivery.prepare(("vendor", "evaluate", "render", "diff"), jobs):
        return delivery.finish()
    delivery.show_diff(json=json, summary=summary)
    return 2 if exit_code and delivery.changed else 0


@command(help=_WRITING)
def apply(
    _context: Any,
    env: str = "",
    component: str = "",
    yes: bool = False,
    confirm: str = "",
    force_conflicts: bool = False,
    no_wait: bool = False,
    timeout: str = "",
    jobs: int = 0,
) -> int:
    """
    Make the cluster what is rendered, and wait until it is ready.

    Example: inv apply --env local --yes
    """
    from mop.commands.deploying import Delivery, options

    chosen = options(wait=not no_wait, force=force_conflicts, timeout=timeout)
    delivery = Delivery.open(env, component, quiet=True, start_cluster=True)
    return delivery.deploy(chosen, yes=yes, confirm=confirm, jobs=jobs, ask=False)


@command(help=_WRITING)
def deploy(
    _context: Any,
    env: str = "",
    component: str = "",
    yes: bool = False,
    confirm: str = "",
    force_conflicts: bool = False,
    no_wait: bool = False,
    timeout: str = "",
    jobs: int = 0,
) -> int:
    """
    Render, validate, show the diff, ask, apply: what is applied is what the diff showed.

    Example: inv deploy --env local --yes
    """
    from mop.commands.deploying import Delivery, options

    chosen = options(wait=not no_wait, force=force_conflicts, timeout=timeout)
    delivery = Delivery.open(env, component, quiet=False, start_cluster=True)
    return delivery.deploy(chosen, yes=yes, confirm=confirm, jobs=jobs, ask=True)


@command(help={"env": ENV, "component": COMPONENT, "json": JSON, "jobs": JOBS})
def status(_context: Any, env: str = "", component: str = "", json: bool = False, jobs: int = 0) -> int:
    """
    Say of each component whether it is ready, or why not; exit 1 when something is not.

    Example: inv status --env local --json
    """
    from mop.commands.deploying import Delivery

    delivery = Delivery.open(env, component, quiet=True)
    if not delivery.prepare(("vendor", "evaluate", "render"), jobs):
        return delivery.finish()
    return delivery.show_status(json=json)
