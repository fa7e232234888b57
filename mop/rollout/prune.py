"""What an apply removes: members of a set that nobody renders any more, under every guard of cluster.md. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mop.engines.protocols import FIELD_MANAGER
from mop.errors import Denied, UsageError
from mop.manifest import Manifest, ref, sort_key
from mop.rollout.applyset import PART_OF, Extent, Owner
from mop.rollout.live import Identity, Listing
from mop.rollout.names import PRUNE

#: More than this many, or more than a third of a set, is not removed without being told how many.
MANY = 20
#: Their deletion takes data or whole namespaces with it.
_PRECIOUS = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)


@dataclass(frozen=True, slots=True)
class Members:
    """The live members of a set.

    `doomed`: to remove, in the order of removal; `spared`: rendered by nobody, yet never removed; `rendered`: how
    many others there are.
    """

    doomed: tuple[Manifest, ...]
    spared: tuple[Manifest, ...]
    rendered: int


def members(
    listing: Listing,
    owner: Owner,
    extent: Extent,
    rendered: Collection[Identity],
    *,
    everything: bool = False,
) -> Members:
    """The members of the set of `owner` among what was listed where `extent` says.

    `rendered`: what any component of the environment renders now. `everything`: precious kinds too (`--prune-all`).
    Raises Denied if a kind could not be listed: a list that may not be read is not an empty one.
    """
    for kind in sorted(extent.kinds & listing.denied.keys()):
        raise Denied(
            f"prune of {owner.environment}/{owner.component} cannot see all its objects:"
            f" {listing.denied[kind].message}",
            hint="grant the right to list it, or apply with --no-prune",
        )
    mine = {
        identity: manifest
        for identity, manifest in listing.objects.items()
        if (manifest["metadata"].get("labels") or {}).get(PART_OF) == owner.set_id
    }
    orphans = [manifest for identity, manifest in mine.items() if identity not in rendered]
    doomed = [manifest for manifest in orphans if not spared(manifest, everything=everything)]
    kept = [manifest for manifest in orphans if spared(manifest, everything=everything)]
    ordered = tuple(sorted(doomed, key=sort_key, reverse=True))
    return Members(ordered, tuple(kept), len(mine) - len(orphans))


#: Why an object of a controller is spared.
OWNED = "another object owns it"


def spared(manifest: Manifest, *, everything: bool = False) -> str:
    """Why the object is never pruned; "" if it may be."""
    metadata, it = manifest["metadata"], ref(manifest)
    if (metadata.get("annotations") or {}).get(PRUNE) == "false":
        return f"annotated {PRUNE}: false"
    if metadata.get("ownerReferences"):
        return OWNED
    if not any(entry.get("manager") == FIELD_MANAGER for entry in metadata.get("managedFields") or []):
        return "MOP never wrote it"
    if (it.group, it.kind) in _PRECIOUS and not everything:
        return f"a {it.kind} is pruned by --prune-all only"
    return ""


def check_limit(owner: Owner, doomed: int, total: int, limit: int | None) -> None:
    """Raises UsageError where more goes than anybody should agree to unseen; `limit` is `--prune-limit`."""
    if doomed <= (limit or 0):
        return
    if doomed > MANY or doomed * 3 > total:
        raise UsageError(
            f"{owner.environment}/{owner.component}: {doomed} of {total} objects would be removed",
            hint=f"look at the diff; then write --prune-limit {doomed}, or --no-prune",
        )
