"""Every object's namespace is there: rendered, the environment's own, the cluster's, or declared external.

Apply creates the environment's namespace before anything else. A namespace that nobody creates lets the apply
fail half-way.
"""

from __future__ import annotations

from collections.abc import Iterator

from mop.checks.objects import Objects
from mop.problem import Problem

#: What every cluster has.
CLUSTER = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at the first object of each namespace that nobody creates."""
    environment = objects.environment
    known = {environment.namespace, *CLUSTER, *objects.names("Namespace", "")}
    for item in objects.items:
        namespace = item.ref.namespace
        if namespace and namespace not in known:
            known.add(namespace)
            if not objects.external("Namespace", "", namespace):
                yield item.problem(
                    f"nobody creates the namespace {namespace}",
                    "metadata.namespace",
                    expected=f"{environment.namespace}, or a rendered Namespace",
                    found=namespace,
                    hint=f"render it, or declare it: validate: {{external: [Namespace/{namespace}]}}",
                )
