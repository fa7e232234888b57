"""The sets of an environment in its cluster: found before planning, opened before writing, closed after pruning.

A parent says more than is true while an apply runs, never less: a killed run leaves nothing that is not found again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from mop.engines.protocols import Cluster
from mop.errors import Denied
from mop.manifest import Manifest, ObjectRef, ref
from mop.masking import Fingerprint, mask_manifest
from mop.results import Change
from mop.rollout.applyset import ID, Extent, Owner, extent, owner, parent
from mop.rollout.compare import declared
from mop.rollout.labels import selector
from mop.rollout.live import Listing
from mop.rollout.plan import Plan, Planned
from mop.rollout.prune import members, spared

Parents = Mapping[Owner, Manifest]


def live_sets(cluster: Cluster, environment: str, namespace: str) -> Parents:
    """The parents of all sets of an environment, by whose they are. Raises Denied."""
    try:
        found = cluster.list("v1", "Secret", namespace, labels=f"{selector(environment)},{ID}")
    except Denied as error:
        raise Denied(
            f"what belongs to environment {environment} cannot be seen: {error.message}",
            hint=error.hint or "the parents of its sets are Secrets",
        ) from error
    return {owner(each): each for each in found}


def with_parents(plans: Iterable[Plan], parents: Parents) -> list[Plan]:
    """Plans that remove nothing, and therefore forget nothing."""
    return [replace(plan, parent=parents.get(plan.owner)) for plan in plans]


def with_prune(
    plans: Sequence[Plan],
    parents: Parents,
    listing: Listing,
    *,
    elsewhere: Collection[ObjectRef] = (),
    undeclared: Sequence[Owner] = (),
    everything: bool = False,
    fingerprint: Fingerprint,
) -> list[Plan]:
    """`plans`, and plans of nothing for `undeclared` sets, with what each removes.

    `elsewhere`: what components outside the plans render. Raises Denied where members cannot be listed.
    """
    rendered = {item.change.ref.identity for plan in plans for item in plan.items}
    rendered |= {it.identity for it in elsewhere}
    found: list[Plan] = []
    for plan in [*plans, *(Plan(each, ()) for each in undeclared)]:
        live = parents.get(plan.owner)
        now = plan.reach
        if live is None:
            found.append(replace(plan, extent=now))
            continue
        those = members(listing, plan.owner, extent(live), rendered, everything=everything)
        removed = tuple(_removal(manifest, fingerprint) for manifest in those.doomed)
        kept = Extent.of(ref(manifest) for manifest in those.spared)
        total = len(those.doomed) + len(those.spared) + those.rendered
        why = tuple((ref(each), spared(each, everything=everything)) for each in those.spared)
        found.append(replace(plan, doomed=removed, kept=why, members=total, parent=live, extent=now | kept))
    return found


def _removal(manifest: Manifest, fingerprint: Fingerprint) -> Planned:
    before = mask_manifest(declared(manifest), fingerprint)
    return Planned(manifest, Change("delete", ref(manifest), before=before), write=True)


def open_set(cluster: Cluster, plan: Plan) -> None:
    """Let the parent say where members are and will be, before the first of them is written."""
    before = extent(plan.parent) if plan.parent is not None else None
    during = plan.reach | (before or Extent())
    if plan.items and (before is None or not _holds(before, during)):
        cluster.apply(parent(plan.owner, during), force=True)


def close_set(cluster: Cluster, plan: Plan) -> bool:
    """Let the parent say where members are now; without any, and without objects to come, it goes: then True."""
    if plan.extent is None:
        return False
    if not plan.extent.kinds and not plan.items:
        cluster.delete(plan.owner.parent)
        return True
    before = extent(plan.parent) if plan.parent is not None else None
    during = plan.reach | (before or Extent())
    if not _same(plan.owner, during, plan.extent):
        cluster.apply(parent(plan.owner, plan.extent), force=True)
    return False


def _holds(outer: Extent, inner: Extent) -> bool:
    return inner.kinds <= outer.kinds and inner.namespaces <= outer.namespaces


def _same(owner: Owner, one: Extent, other: Extent) -> bool:
    """The parent's own namespace is always part of a set."""
    return parent(owner, one) == parent(owner, other)
