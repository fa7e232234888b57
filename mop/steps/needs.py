"""What the needs of some components were last applied as: they have to be ready before those may be."""

from __future__ import annotations

from collections.abc import Iterable

from mop.engines.protocols import Cluster
from mop.errors import NotReady
from mop.manifest import Manifest
from mop.model import Environment
from mop.problem import Problem
from mop.results import ComponentStatus
from mop.rollout.applyset import Owner
from mop.rollout.history import latest, manifests_of, revisions


def applied(
    cluster: Cluster, environment: Environment, components: Iterable[str]
) -> dict[str, list[Manifest]]:
    """The manifests of each component's newest revision; none of one that was never applied.

    Raises Denied, Unreachable, ClusterError for a revision that is not whole.
    """
    wanted = list(components)
    if not wanted:
        return {}
    newest = latest(revisions(cluster, environment.name, environment.namespace))
    return {
        name: manifests_of(cluster, Owner(environment.name, name, environment.namespace), newest[name])
        for name in wanted
        if name in newest
    }


def check_ready(environment: Environment, wanted: Iterable[str], found: Iterable[ComponentStatus]) -> None:
    """Raises NotReady that names every one of `wanted` that `found` does not show ready, and its objects."""
    status = {each.component: each for each in found}
    missing = [name for name in wanted if name not in status or not status[name].ready]
    if not missing:
        return
    problems = []
    for name in missing:
        if name not in status:
            problems.append(
                Problem(f"{name} was never applied", environment=environment.name, component=name)
            )
        else:
            problems += [
                Problem(
                    f"{name}: {each.reason}",
                    object=str(each.ref),
                    environment=environment.name,
                    component=name,
                )
                for each in status[name].unready
            ]
    raise NotReady(
        f"{environment.name}: {', '.join(missing)} must be ready first, for what is to be applied needs it",
        hint="apply it as well: name it in --component, or leave --component out",
        problems=problems,
    )
