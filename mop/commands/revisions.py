"""`history`, `rollback`, `drift`, `delete`, `hooks.test`: what a cluster keeps of earlier applies."""

from __future__ import annotations

from typing import Any

from mop.commands.base import COMPONENT, ENV, JSON, command

_YES = "do not ask; a protected environment needs --confirm as well"
_CONFIRM = "the environment's name: agrees to change it, protected or not"
_TIMEOUT = "how long a component may take to become ready (10m), instead of its own `ready: {timeout}`"


@command(help={"env": ENV, "component": COMPONENT, "json": JSON})
def history(_context: Any, env: str = "", component: str = "", json: bool = False) -> int:
    """
    List the revisions that the cluster keeps, newest first: when, by whom, from which commit, how it ended.

    Example: inv history --env local --component loki
    """
    from mop.commands.returning import Past

    return Past.open(env, component, quiet=True).show_history(json=json)


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "to": "the revision, with exactly one component; 0: the last one before that was ready",
        "yes": _YES,
        "confirm": _CONFIRM,
        "prune_limit": "remove as many objects of a component, where that is more than 20 or a third of it",
        "force_conflicts": "take over fields that another field manager owns",
        "no_wait": "do not wait until what was applied is ready",
        "timeout": _TIMEOUT,
    }
)
def rollback(
    _context: Any,
    env: str = "",
    component: str = "",
    to: int = 0,
    yes: bool = False,
    confirm: str = "",
    prune_limit: int = 0,
    force_conflicts: bool = False,
    no_wait: bool = False,
    timeout: str = "",
) -> int:
    """
    Apply an earlier revision again, and remove what came later; that is a revision too.

    Example: inv rollback --env local --component loki --to 3
    """
    from mop.commands.deploying import options
    from mop.commands.returning import Past

    chosen = options(wait=not no_wait, force=force_conflicts, timeout=timeout, prune_limit=prune_limit)
    return Past.open(env, component, quiet=True).rollback(to, chosen, yes=yes, confirm=confirm)


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "json": JSON,
        "metrics": "write mop_drift_objects to this file, as Prometheus text",
    }
)
def drift(_context: Any, env: str = "", component: str = "", json: bool = False, metrics: str = "") -> int:
    """
    Compare the cluster with what was last applied, not with the working tree; exit 2 when it drifted.

    Example: inv drift --env local --metrics drift.prom
    """
    from mop.commands.returning import Past

    return Past.open(env, component, quiet=True).show_drift(json=json, metrics=metrics)


@command(
    help={
        "env": ENV,
        "component": COMPONENT,
        "yes": _YES,
        "confirm": _CONFIRM,
        "prune_all": "namespaces, claims and definitions as well",
        "timeout": "how long objects may take to go (5m)",
    }
)
def delete(
    _context: Any,
    env: str = "",
    component: str = "",
    yes: bool = False,
    confirm: str = "",
    prune_all: bool = False,
    timeout: str = "",
) -> int:
    """
    Remove what MOP applied, in reverse order, and wait until it is gone.

    Example: inv delete --env local --component loki
    """
    from mop.commands.deploying import options
    from mop.commands.returning import Past

    patience = options(timeout=timeout).timeout
    past = Past.open(env, component, quiet=True)
    return past.delete(yes=yes, confirm=confirm, everything=prune_all, timeout=patience)


@command(help={"env": ENV, "component": COMPONENT})
def hooks_test(_context: Any, env: str = "", component: str = "") -> int:
    """
    Run the `test` hooks of the charts that are applied.

    Example: inv hooks.test --env local --component loki
    """
    from mop.commands.returning import Past

    return Past.open(env, component, quiet=True).test()
