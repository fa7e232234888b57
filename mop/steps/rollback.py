"""`rollback`: plans the way back to a revision; `apply` carries it out, and it becomes a revision itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mop.engines.protocols import Cluster
from mop.model import Environment
from mop.results import Origin, Revision
from mop.rollout.applyset import Owner
from mop.rollout.history import manifests_of, previous, revisions
from mop.rollout.plan import Plan
from mop.rollout.planning import Options, plan


@dataclass(frozen=True, slots=True)
class Rollback:
    """`plans` to hand to `apply`, with `origins`; `revisions`: where each component goes back to."""

    plans: tuple[Plan, ...]
    origins: dict[str, Origin]
    revisions: tuple[Revision, ...]


def rollback(
    cluster: Cluster,
    environment: Environment,
    components: Sequence[str],
    *,
    to: int | None = None,
    options: Options | None = None,
) -> Rollback:
    """The way of `components` back to revision `to`, or each to its newest ready one before the newest.

    What came later is planned for removal, as far as `options.elsewhere` says what other components render.
    Raises UsageError if there is no such revision, ClusterError if it is not whole; and as `diff` does.
    """
    manifests, origins, chosen = {}, {}, []
    for name in components:
        owner = Owner(environment.name, name, environment.namespace)
        found = revisions(cluster, environment.name, environment.namespace, name)
        revision = previous(found, owner, to)
        manifests[name] = manifests_of(cluster, owner, revision)
        origins[name] = replace(revision.origin, message=f"rollback to revision {revision.number}")
        chosen.append(revision)
    return Rollback(tuple(plan(cluster, environment, manifests, options)), origins, tuple(chosen))
