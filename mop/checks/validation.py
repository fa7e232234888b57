"""Objects in, Problems out: the whole of validation, without a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class ChartFacts:
    """What the evaluation saw of charts, and objects do not show.

    `random`: draws of random values, as `chart: template: function`. `unused`: (chart, path, nearest path) of
    values that a chart does nothing with.
    """

    random: tuple[str, ...] = ()
    unused: tuple[tuple[str, str, str], ...] = ()


def validate_environment(
    environment: Environment,
    manifests: Mapping[str, Sequence[Manifest]],
    sources: Sources,
    charts: ChartFacts = ChartFacts(),
) -> list[Problem]:
    """Problems between components, and of the charts behind them; `manifests` by component."""
    objects = Objects(environment, manifests)
    found = [*_of_charts(charts), *policy.run(objects, across=True)]
    return policy.settle(objects, found, sources)


def _of_charts(charts: ChartFacts) -> Iterator[Problem]:
    for line in charts.random:
        yield Problem(
            f"a chart draws a random value: {line}",
            level="warning",
            check="random-values",
            hint="give the chart the value, or the name of a Secret that has it; every render would differ",
        )
    for chart, path, near in charts.unused:
        yield Problem(
            f"the chart {chart} does nothing with the value {path}",
            level="warning",
            check="chart-values",
            found=path,
            hint=f"did you mean {near}?" if near else "",
        )
