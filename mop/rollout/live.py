"""Live objects, with few requests: one list for each kind finds what bears the environment's label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mop.engines.protocols import Cluster
from mop.errors import Denied
from mop.manifest import Manifest, ObjectRef, ref
from mop.rollout.applyset import Extent, GroupKind
from mop.rollout.concurrent import Stop, each
from mop.rollout.labels import selector

Identity = tuple[str, str, str, str]
Place = tuple[str, str, str]  # apiVersion, kind, namespace


@dataclass(frozen=True, slots=True)
class Listing:
    """What bears the label of an environment, by identity; `denied`: kinds that may not be listed, and the answer.

    What is missing may still be there without the label.
    """

    objects: Mapping[Identity, Manifest] = field(default_factory=dict)
    denied: Mapping[GroupKind, Denied] = field(default_factory=dict)


def listed(
    cluster: Cluster, environment: str, places: Iterable[Place], *, stop: Stop | None = None
) -> Listing:
    """One request for each of `places`; a kind that the server does not know has no objects. Raises Unreachable."""
    denied: dict[GroupKind, Denied] = {}
    labels = selector(environment)

    def one(place: Place) -> list[Manifest]:
        api_version, kind, namespace = place
        if cluster.knows(api_version, kind) is None:
            return []
        try:
            return cluster.list(api_version, kind, namespace, labels=labels)
        except Denied as error:
            denied[api_version.rpartition("/")[0], kind] = error
            return []

    found = each(one, sorted(set(places)), stop=stop)
    return Listing({ref(manifest).identity: manifest for listing in found for manifest in listing}, denied)


def places_of(refs: Iterable[ObjectRef]) -> set[Place]:
    """Where `refs` are to be found."""
    return {(it.api_version, it.kind, it.namespace) for it in refs}


def places_within(cluster: Cluster, extent: Extent) -> set[Place]:
    """Where the members of a set may be found."""
    places: set[Place] = set()
    for group, kind in sorted(extent.kinds):
        version = cluster.served(group, kind)
        if version is not None:
            namespaces = extent.namespaces if cluster.knows(version, kind) else ("",)
            places |= {(version, kind, namespace) for namespace in namespaces}
    return places
