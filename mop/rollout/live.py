"""Live objects, with few requests: one list for each kind finds what bears the environment's label."""

from __future__ import annotations

from collections.abc import Iterable

from mop.engines.protocols import Cluster
from mop.errors import Denied
from mop.manifest import Manifest, ObjectRef, ref
from mop.rollout.concurrent import Stop, each
from mop.rollout.labels import selector

Identity = tuple[str, str, str, str]
_Kind = tuple[str, str, str]  # apiVersion, kind, namespace


def listed(
    cluster: Cluster, environment: str, refs: Iterable[ObjectRef], *, stop: Stop | None = None
) -> dict[Identity, Manifest]:
    """The live objects among `refs` that bear the label of `environment`, and their neighbours, by identity.

    What is missing may still be there without the label, or be of a kind that may be read but not listed.
    """
    kinds = sorted({(it.api_version, it.kind, it.namespace) for it in refs})
    labels = selector(environment)

    def one(kind: _Kind) -> list[Manifest]:
        if cluster.knows(kind[0], kind[1]) is None:
            return []
        try:
            return cluster.list(*kind, labels=labels)
        except Denied:
            return []

    return {ref(manifest).identity: manifest for found in each(one, kinds, stop=stop) for manifest in found}
