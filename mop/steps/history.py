"""`history`: the revisions that the cluster keeps."""

from __future__ import annotations

from collections.abc import Sequence

from mop.engines.protocols import Cluster
from mop.model import Environment
from mop.results import Revision
from mop.rollout.history import revisions


def history(cluster: Cluster, environment: Environment, components: Sequence[str]) -> list[Revision]:
    """The revisions of `components`, newest first within each, in the order given. Raises Denied, Unreachable."""
    found = revisions(cluster, environment.name, environment.namespace)
    return [revision for name in components for revision in found if revision.component == name]
