"""Objects in, Problems out: the whole of validation, without a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mop.checks import policy
from mop.checks.objects import Objects
from mop.engines.protocols import Schemas
from mop.manifest import Manifest, ObjectRef
from mop.model import Environment
from mop.problem import Problem

#: The rendered file of each object, relative to the platform's root.
Sources = Mapping[ObjectRef, str]


def validate_component(
    schemas: Schemas,
    environment: Environment,
    component: str,
    manifests: Sequence[Manifest],
    crds: Iterable[Manifest],
    sources: Sources,
) -> list[Problem]:
    """Problems of one component: its objects against their schemas, and what checks say of it alone."""
    found = schemas.validate(environment.kubernetes, manifests, crds)
    objects = Objects(environment, {component: manifests})
    found = [replace(problem, component=component) for problem in found]
    found += policy.run(objects, across=False)
    return policy.settle(objects, found, sources)


def validate_environment(
    environment: Environment, manifests: Mapping[str, Sequence[Manifest]], sources: Sources
) -> list[Problem]:
    """Problems between components; `manifests` by component."""
    objects = Objects(environment, manifests)
    return policy.settle(objects, policy.run(objects, across=True), sources)
