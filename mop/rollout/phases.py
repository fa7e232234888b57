"""The phases of an apply, each finished before the next, and what goes together inside one (cluster.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from mop.manifest import Manifest, kind_rank, sort_key

CORE_NAMESPACE = ("v1", "Namespace")


@dataclass(frozen=True, slots=True)
class Phase:
    """`holds` says which objects belong to it; `settles`: they must be ready before the next phase begins.

    `hooked`: Helm's pre- hooks run before it, the post- hooks after it.
    """

    name: str
    holds: Callable[[Manifest], bool]
    settles: bool = False
    hooked: bool = False


def is_namespace(manifest: Manifest) -> bool:
    """Whether it is a Namespace, which must be there before what lives in it."""
    return (manifest["apiVersion"], manifest["kind"]) == CORE_NAMESPACE


def is_definition(manifest: Manifest) -> bool:
    """Whether it defines a kind, which must be Established before an object of that kind is sent."""
    return bool(
        manifest["kind"] == "CustomResourceDefinition"
        and manifest["apiVersion"].startswith("apiextensions.k8s.io/")
    )


#: In this order. Readiness comes after them, and prune after every component of the run.
PHASES = (
    Phase("namespaces", is_namespace, settles=True),
    Phase("definitions", is_definition, settles=True),
    Phase(
        "objects", lambda manifest: not is_namespace(manifest) and not is_definition(manifest), hooked=True
    ),
)


def waves(manifests: Iterable[Manifest]) -> list[list[Manifest]]:
    """Groups by kind rank, in order: what is in one group may be sent at once."""
    ordered = sorted(manifests, key=sort_key)
    return [list(group) for _, group in groupby(ordered, key=lambda manifest: kind_rank(manifest["kind"]))]


def defined_kinds(manifests: Iterable[Manifest]) -> frozenset[tuple[str, str]]:
    """(group, kind) of every CustomResourceDefinition among `manifests`."""
    return frozenset(
        (manifest["spec"]["group"], manifest["spec"]["names"]["kind"])
        for manifest in manifests
        if is_definition(manifest)
    )


def namespaces(manifests: Iterable[Manifest]) -> frozenset[str]:
    """Names of the Namespaces among `manifests`."""
    return frozenset(manifest["metadata"]["name"] for manifest in manifests if is_namespace(manifest))
