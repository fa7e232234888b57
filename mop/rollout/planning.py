"""The plans of an environment: what is listed, what may move, what goes. The entry to planning."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from mop.engines.protocols import Cluster
from mop.manifest import Manifest, ObjectRef, ref
from mop.masking import Fingerprint
from mop.model import Environment
from mop.rollout.applyset import Owner, extent
from mop.rollout.concurrent import Stop
from mop.rollout.labels import is_hook
from mop.rollout.live import Listing, listed, places_of, places_within
from mop.rollout.plan import Created, Plan
from mop.rollout.planner import Context, make_plans
from mop.rollout.sets import Parents, live_sets, with_parents, with_prune


@dataclass(frozen=True, slots=True)
class Options:
    """`prune`: plan the removal of what is rendered no more; `everything`: precious kinds too (`--prune-all`).

    `elsewhere`: identities of what components outside the plan render now; None: unknown, and then nothing is
    removed unless the plan covers all components. `adopt`: take objects of other sets;
    `migrate`: take over what other tools applied.
    """

    prune: bool = True
    everything: bool = False
    elsewhere: Collection[ObjectRef] | None = None
    adopt: bool = False
    migrate: bool = False
    files: Mapping[ObjectRef, str] = field(default_factory=dict)
    fingerprint: Fingerprint = field(default_factory=Fingerprint)


def plan(
    cluster: Cluster,
    environment: Environment,
    components: Mapping[str, Sequence[Manifest]],
    options: Options | None = None,
    *,
    files: Mapping[ObjectRef, str] | None = None,
    stop: Stop | None = None,
) -> list[Plan]:
    """What an apply of `components` (name → rendered manifests) would do; `apply` carries exactly it out.

    What any of them creates first (a Namespace, a CustomResourceDefinition) is no mistake of another. Sets of
    components that the environment no longer declares come last, where the plan covers all components.
    Raises Rejected, with a Problem for each object that the server refuses; Denied; Unreachable.
    """
    options = options or Options()
    owners = {name: Owner(environment.name, name, environment.namespace) for name in components}
    parents = live_sets(cluster, environment.name, environment.namespace)
    own = {Owner(environment.name, name, environment.namespace).set_id for name in environment.components}
    listing = _listing(cluster, environment, components, parents, stop)
    context = Context(
        Created.by((m for manifests in components.values() for m in manifests), environment.namespace),
        files or options.files,
        None if options.adopt else frozenset(own | {owner.set_id for owner in parents}),
        options.migrate,
        options.fingerprint,
        listing,
        stop,
    )
    plans = make_plans(cluster, {owners[name]: manifests for name, manifests in components.items()}, context)
    whole = set(environment.components) <= set(components)
    if not options.prune or not (whole or options.elsewhere is not None):
        return with_parents(plans, parents)
    return with_prune(
        plans,
        parents,
        listing,
        elsewhere=options.elsewhere or (),
        undeclared=[each for each in parents if whole and each.component not in environment.components],
        everything=options.everything,
        fingerprint=options.fingerprint,
    )


def removal(
    cluster: Cluster,
    environment: Environment,
    components: Sequence[str],
    *,
    everything: bool = False,
    fingerprint: Fingerprint,
) -> list[Plan]:
    """Plans that leave nothing of `components` but what is never removed, the last component first.

    Components that have no set in the cluster are left out. Raises Denied.
    """
    parents = live_sets(cluster, environment.name, environment.namespace)
    listing = _listing(cluster, environment, {}, parents, None)
    owners = [each for each in parents if each.component in components]
    plans = with_prune(
        [], parents, listing, undeclared=owners, everything=everything, fingerprint=fingerprint
    )
    order = {name: number for number, name in enumerate(environment.components)}
    return sorted(plans, key=lambda plan: -order.get(plan.component, len(order)))


def _listing(
    cluster: Cluster,
    environment: Environment,
    components: Mapping[str, Sequence[Manifest]],
    parents: Parents,
    stop: Stop | None,
) -> Listing:
    """What is there of the environment, of every kind that is rendered or that a set has members of."""
    places = places_of(ref(m) for manifests in components.values() for m in manifests if not is_hook(m))
    for parent in parents.values():
        places |= places_within(cluster, extent(parent))
    return listed(cluster, environment.name, places, stop=stop)
