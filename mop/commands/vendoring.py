"""`vendor`: charts/ and vendor/ as mop.lock says."""

from __future__ import annotations

import os
from typing import Any

from mop.commands.base import COMPONENT, JOBS, command


@command(
    help={
        "env": "only what these environments need: a name, several with commas, or a glob; default: everything",
        "component": COMPONENT,
        "update": "let the lock change to what mop.yaml allows now: everything, or --update NAME,NAME",
        "locked": "any change to mop.lock is an error (default where CI is set)",
        "check": "only compare with mop.lock, by content and without network",
        "force": "replace folders that were edited",
        "jobs": JOBS,
    },
    optional=["update"],
)
def vendor(
    _context: Any,
    env: str = "",
    component: str = "",
    update: str = "",
    locked: bool = bool(os.environ.get("CI")),
    check: bool = False,
    force: bool = False,
    jobs: int = 0,
) -> int:
    """
    Make charts/ and vendor/ what mop.lock says: a missing entry is added, a present one never changes.

    Example: inv vendor --update loki
    """
    from mop.commands.fetching import Vendoring

    vendoring = Vendoring.open(env, component)
    if check:
        return vendoring.check()
    return vendoring.vendor(update=update, locked=locked, force=force, jobs=jobs)
