"""`diff`: what an apply would change, from the API server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mop.engines.protocols import Cluster
from mop.manifest import Manifest, ObjectRef
from mop.model import Environment
from mop.results import ComponentDiff
from mop.rollout.planning import Options, plan

__all__ = ["Options", "diff", "plan"]


def diff(
    cluster: Cluster,
    environment: Environment,
    components: Mapping[str, Sequence[Manifest]],
    options: Options | None = None,
    *,
    files: Mapping[ObjectRef, str] | None = None,
) -> list[ComponentDiff]:
    """The plan as facts that anybody may see."""
    return [each.diff for each in plan(cluster, environment, components, options, files=files)]
