"""Which objects are ours, as the ApplySet specification writes it down (KEP-3659). Pure.

One set for each component, with a parent Secret in the environment's namespace. Members bear the set's identity as a
label; the parent says which kinds and namespaces members may be found in.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from mop import __version__
from mop.manifest import Manifest, ObjectRef
from mop.rollout.names import COMPONENT, ENVIRONMENT

PART_OF = "applyset.kubernetes.io/part-of"
ID = "applyset.kubernetes.io/id"
TOOLING = "applyset.kubernetes.io/tooling"
GROUP_KINDS = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"

GroupKind = tuple[str, str]


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """A component in an environment, as its objects in the cluster know it."""

    environment: str
    component: str
    namespace: str  # the environment's, where the parent lives

    @property
    def parent(self) -> ObjectRef:
        """The set's parent."""
        return ObjectRef("v1", "Secret", self.namespace, f"mop-{self.environment}-{self.component}")

    @property
    def set_id(self) -> str:
        """`applyset-<base64url(sha256(name.namespace.kind.group))>-v1` of the parent."""
        digest = hashlib.sha256(f"{self.parent.name}.{self.namespace}.Secret.".encode()).digest()
        return f"applyset-{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}-v1"

    @property
    def labels(self) -> dict[str, str]:
        """What every object of the component bears."""
        return {ENVIRONMENT: self.environment, COMPONENT: self.component, PART_OF: self.set_id}


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the members of a set are to be looked for; `namespaces` "" = cluster scope, which is always included."""

    kinds: frozenset[GroupKind] = frozenset()
    namespaces: frozenset[str] = frozenset()

    def __or__(self, other: Extent) -> Extent:
        return Extent(self.kinds | other.kinds, self.namespaces | other.namespaces)

    @classmethod
    def of(cls, refs: Iterable[ObjectRef]) -> Extent:
        """The least one that holds `refs`."""
        found = list(refs)
        return cls(
            frozenset((it.group, it.kind) for it in found),
            frozenset(it.namespace for it in found if it.namespace),
        )


def parent(owner: Owner, extent: Extent) -> Manifest:
    """The parent object of the set of `owner`."""
    others = sorted(extent.namespaces - {owner.namespace})
    annotations = {
        TOOLING: f"mop/v{__version__}",
        GROUP_KINDS: ",".join(sorted(f"{kind}.{group}" if group else kind for group, kind in extent.kinds)),
        **({NAMESPACES: ",".join(others)} if others else {}),
    }
    labels = {ID: owner.set_id, ENVIRONMENT: owner.environment, COMPONENT: owner.component}
    metadata = {
        "name": owner.parent.name,
        "namespace": owner.namespace,
        "labels": labels,
        "annotations": annotations,
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def extent(parent: Manifest) -> Extent:
    """What the parent says of its members."""
    metadata = parent["metadata"]
    annotations = metadata.get("annotations") or {}
    kinds = [text.partition(".") for text in annotations.get(GROUP_KINDS, "").split(",") if text]
    namespaces = [name for name in annotations.get(NAMESPACES, "").split(",") if name]
    return Extent(
        frozenset((group, kind) for kind, _, group in kinds), frozenset((*namespaces, metadata["namespace"]))
    )


def owner(parent: Manifest) -> Owner:
    """Whose set it is."""
    metadata = parent["metadata"]
    labels = metadata.get("labels") or {}
    return Owner(labels.get(ENVIRONMENT, ""), labels.get(COMPONENT, ""), metadata["namespace"])
