"""Environments of one cluster do not fight over an object.

Two environments with the same target that render an object of one identity, be it cluster-scoped (a ClusterRole,
a CRD) or in a namespace that both use, would overwrite each other, and each would prune what the other applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mop.checks.objects import Item
from mop.manifest import Manifest, ref
from mop.model import Environment
from mop.problem import Problem

#: What environments may share: each creates it if it is absent, and neither prunes it.
_COMMON = frozenset({"Namespace", "CustomResourceDefinition"})

Rendered = tuple[Environment, Mapping[str, Sequence[Manifest]]]


def check(rendered: Sequence[Rendered]) -> Iterator[Problem]:
    """A Problem at each object that an earlier environment of the same target has too."""
    first: dict[tuple[object, tuple[str, str, str, str]], tuple[Environment, Item]] = {}
    for environment, components in rendered:
        for component, manifests in components.items():
            for manifest in manifests:
                item = Item(manifest, ref(manifest), component)
                if item.ref.kind in _COMMON:
                    continue
                key = (environment.target, item.ref.identity)
                other, theirs = first.setdefault(key, (environment, item))
                if other.name != environment.name:
                    yield item.problem(
                        f"environment {other.name} applies it to the same cluster (component {theirs.component})",
                        check="sharing",
                        environment=environment.name,
                        hint="give it a name of its own in each environment, or render it in one of them",
                    )
