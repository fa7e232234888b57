"""`rollback`: plans the way back to a revision; `apply` carries it out, and it becomes a revision itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef, ref
from mop.model import Environment
from mop.results import Origin, Revision
from mop.rollout.applyset import Owner
from mop.rollout.history import latest, manifests_of, previous, revisions
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

    What came later is planned for removal, but what any other component was last applied with;
    nothing while one was never applied, for what it will hold is not known.
    Raises UsageError if there is no such revision, ClusterError if it is not whole; and as `diff` does.
    """
    manifests, origins, chosen = {}, {}, []
    every = revisions(cluster, environment.name, environment.namespace)
    options = options or Options()
    if options.elsewhere is None:
        options = replace(options, elsewhere=_elsewhere(cluster, environment, components, every))
    for name in components:
        owner = Owner(environment.name, name, environment.namespace)
        found = [revision for revision in every if revision.component == name]
        revision = previous(found, owner, to)
        manifests[name] = manifests_of(cluster, owner, revision)
        origins[name] = replace(revision.origin, message=f"rollback to revision {revision.number}")
        chosen.append(revision)
    return Rollback(tuple(plan(cluster, environment, manifests, options)), origins, tuple(chosen))


def _elsewhere(
    cluster: Cluster, environment: Environment, components: Sequence[str], every: Sequence[Revision]
) -> list[ObjectRef] | None:
    """The objects of the newest revisions of all other components; None if one of those was never applied."""
    newest = latest(every)
    others = [name for name in environment.components if name not in components]
    if any(name not in newest for name in others):
        return None
    return [
        ref(manifest)
        for name in others
        for manifest in manifests_of(
            cluster, Owner(environment.name, name, environment.namespace), newest[name]
        )
    ]
