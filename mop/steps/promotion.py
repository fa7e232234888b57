"""`after: staging`: only what another environment runs ready may be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mop.engines.protocols import Cluster
from mop.model import Environment
from mop.results import Origin
from mop.rollout.history import check_promoted, revisions


def promoted(
    cluster: Cluster, after: Environment, components: Sequence[str], origins: Mapping[str, Origin]
) -> None:
    """Raises UsageError unless `after`, on its own `cluster`, runs `components` ready and of the same `origins`."""
    wanted = [name for name in components if name in after.components]
    check_promoted(revisions(cluster, after.name, after.namespace), after.name, wanted, origins)
