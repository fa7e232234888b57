"""`diff`: what an apply would change, from the API server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mop.engines.protocols import Cluster
from mop.manifest import Manifest, ObjectRef
from mop.masking import Fingerprint
from mop.model import Environment
from mop.results import ComponentDiff
from mop.rollout.concurrent import Stop
from mop.rollout.plan import Created, Plan, make_plans


def plan(
    cluster: Cluster,
    environment: Environment,
    components: Mapping[str, Sequence[Manifest]],
    *,
    files: Mapping[ObjectRef, str] | None = None,
    fingerprint: Fingerprint | None = None,
    stop: Stop | None = None,
) -> list[Plan]:
    """What an apply of `components` (name → rendered manifests) would do; `apply` carries exactly it out.

    What any of them creates first (a Namespace, a CustomResourceDefinition) is no mistake of another. Raises
    Rejected, with a Problem for each object that the server refuses; Denied; Unreachable.
    """
    created = Created.by((m for manifests in components.values() for m in manifests), environment.namespace)
    return make_plans(
        cluster,
        environment.name,
        components,
        created=created,
        files=files,
        fingerprint=fingerprint,
        stop=stop,
    )


def diff(
    cluster: Cluster,
    environment: Environment,
    components: Mapping[str, Sequence[Manifest]],
    *,
    files: Mapping[ObjectRef, str] | None = None,
    fingerprint: Fingerprint | None = None,
) -> list[ComponentDiff]:
    """The plan as facts that anybody may see."""
    plans = plan(cluster, environment, components, files=files, fingerprint=fingerprint)
    return [each.diff for each in plans]
