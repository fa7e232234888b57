"""Platform + what is recorded → tasks: their names, what they wait for, whether they are current, what they do.

Pure: it knows neither YAML nor doit nor a command line; the same tasks run from `inv` and from plain `doit`.

    vendor:chart:NAME, vendor:library:NAME
    evaluate:ENV            Jsonnet, once for the environment → one JSON value a component
    render:ENV:COMPONENT    → manifests
    validate:ENV:COMPONENT  schemas and checks of one component
    validate:ENV            checks across the environment's components
    diff:ENV, apply:ENV     against the cluster: never current, for it is not a file
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mop.engines.protocols import Toolbox
from mop.manifest import Manifest, ObjectRef, ref
from mop.model import Environment, Platform
from mop.outputs import Outputs
from mop.steps import evaluate, render

if TYPE_CHECKING:
    from mop.results import ApplyResult, Origin, Progress
    from mop.rollout.plan import Plan
    from mop.steps.apply import Options
    from mop.steps.diff import Options as Planning
    from mop.steps.vendor import Options as Vendoring

#: The stages, in order, and what each does; a task's name begins with its stage.
STAGES = {
    "vendor": "make charts/ and vendor/ what mop.lock says",
    "evaluate": "evaluate the Jsonnet of environments",
    "render": "write the manifests of components",
    "validate": "check the manifests",
    "diff": "compare with the clusters; never current, for a cluster is not a file",
    "apply": "carry out what the diff found, and wait until it is ready (needs MOP_CONFIRM=<environment>)",
}


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task. `current` says whether there is nothing to do; None: it always runs. `action` gives its outcome."""

    name: str
    doc: str
    needs: tuple[str, ...]
    action: Callable[[], Any]
    current: Callable[[], bool] | None = None

    @property
    def stage(self) -> str:
        """`render` of `render:staging:loki`."""
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to an apply, and how: what `apply.authorise` asks. From plain doit only MOP_CONFIRM speaks."""

    yes: bool = False
    confirm: str = field(default_factory=lambda: os.environ.get("MOP_CONFIRM", ""))
    named: bool = True
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Builder:
    """What the tasks of one run share. `plans`, by environment, go from its diff to its apply.

    `planning`: what the command line says of it; what other components render is found here. `source`: the commit
    and the author, asked for when something is applied; `recorded`: origins that a saved plan says, by environment.
    `threads`: how many may evaluate one environment.
    """

    platform: Platform
    outputs: Outputs
    tools: Toolbox
    plans: dict[str, list[Plan]] = field(default_factory=dict)
    consent: Consent = field(default_factory=Consent)
    options: Options | None = None
    planning: Planning | None = None
    source: Callable[[], Origin] | None = None
    recorded: Mapping[str, Mapping[str, Origin]] = field(default_factory=dict)
    vendoring: Vendoring | None = None
    threads: int = 1
    progress: Progress = lambda _event: None

    def specs(
        self,
        environment: Environment,
        components: Iterable[str] | None = None,
        stages: Container[str] = STAGES,
    ) -> Iterator[TaskSpec]:
        """The tasks of one environment, restricted to `components` and `stages`, each after what it needs."""
        chosen = tuple(environment.components if components is None else components)
        if "vendor" in stages:
            yield from (self.chart(name) for name in self._charts(chosen))
            yield from (self.library(name) for name in self._libraries(chosen))
        if "evaluate" in stages:
            yield self._evaluate(environment, chosen)
        if "render" in stages:
            yield from (self._render(environment, component) for component in chosen)
        if "validate" in stages:
            yield from self._validations(environment, chosen)
        if "diff" in stages:
            yield self._diff(environment, chosen)
        if "apply" in stages:
            yield self._apply(environment, chosen)

    def chart(self, name: str) -> TaskSpec:
        """The task of one chart; the same for every environment."""
        from mop.steps import vendor  # a platform without charts and libraries does without

        options = self.vendoring or vendor.Options()
        asked = options.updates(name) or options.force
        return TaskSpec(
            name=f"vendor:chart:{name}",
            doc=f"make charts/{name} what mop.lock says",
            needs=(),
            action=lambda: vendor.vendor(self.platform, name, self.outputs, self.tools, options),
            current=lambda: not asked and vendor.current(self.platform, name, self.outputs),
        )

    def library(self, name: str) -> TaskSpec:
        """The task of one Jsonnet library and of all that it depends on; the same for every environment."""
        from mop.steps import vendor, vendor_libraries

        options = self.vendoring or vendor.Options()
        asked = options.updates(name) or options.force
        return TaskSpec(
            name=f"vendor:library:{name}",
            doc=f"make vendor/ what mop.lock says, for {self.platform.libraries[name].source}",
            needs=(),
            action=lambda: vendor_libraries.vendor(self.platform, name, self.outputs, self.tools, options),
            current=lambda: not asked and vendor_libraries.current(self.platform, name, self.outputs),
        )

    def _charts(self, chosen: Iterable[str]) -> list[str]:
        """The charts that these components name, each once."""
        return list(
            dict.fromkeys(chart for name in chosen for chart in self.platform.components[name].charts)
        )

    def _libraries(self, chosen: Iterable[str]) -> list[str]:
        """The Jsonnet libraries that these components name, each once."""
        return list(
            dict.fromkeys(library for name in chosen for library in self.platform.components[name].libraries)
        )

    def _evaluate(self, environment: Environment, chosen: tuple[str, ...]) -> TaskSpec:
        return TaskSpec(
            name=f"evaluate:{environment.name}",
            doc=f"evaluate {environment.path}/main.jsonnet",
            needs=(
                *(f"vendor:chart:{name}" for name in self._charts(chosen)),
                *(f"vendor:library:{name}" for name in self._libraries(chosen)),
            ),
            action=lambda: evaluate.evaluate(
                self.platform, environment, chosen, self.outputs, self.tools, self.threads
            ),
            current=lambda: not evaluate.stale(self.platform, environment, chosen, self.outputs, self.tools),
        )

    def _render(self, environment: Environment, component: str) -> TaskSpec:
        def crds() -> render.Scopes:
            return evaluate.scopes(environment, self.outputs)

        return TaskSpec(
            name=f"render:{environment.name}:{component}",
            doc=f"write the manifests of {component} in {environment.name}",
            needs=(f"evaluate:{environment.name}",),
            action=lambda: render.render(environment, component, self.outputs, self.tools, crds()),
            current=lambda: render.current(environment, component, self.outputs, crds()),
        )

    def _validations(self, environment: Environment, chosen: tuple[str, ...]) -> Iterator[TaskSpec]:
        from mop.steps import validate  # with all checks: a render does without

        def component(name: str) -> TaskSpec:
            return TaskSpec(
                name=f"validate:{environment.name}:{name}",
                doc=f"check the manifests of {name} in {environment.name}",
                # Schemas of custom resources come from whichever component renders the CRD.
                needs=tuple(f"render:{environment.name}:{c}" for c in chosen),
                action=lambda: validate.component(environment, name, self.outputs, self.tools),
                current=lambda: validate.component_current(environment, name, self.outputs),
            )

        yield from map(component, chosen)
        if chosen == environment.components:
            yield TaskSpec(
                name=f"validate:{environment.name}",
                doc=f"check the components of {environment.name} against each other",
                needs=tuple(f"validate:{environment.name}:{c}" for c in chosen),
                action=lambda: validate.across(environment, self.outputs),
                current=lambda: validate.across_current(environment, self.outputs),
            )

    def _diff(self, environment: Environment, chosen: tuple[str, ...]) -> TaskSpec:
        def action() -> list[Plan]:
            from mop.steps import diff, validate

            cluster = self.tools.cluster(environment)
            files = validate.rendered_files(environment, chosen, self.outputs)
            options = replace(self.planning or diff.Options(), elsewhere=self.elsewhere(environment, chosen))
            plans = diff.plan(
                cluster, environment, self._manifests(environment, chosen), options, files=files
            )
            self.plans[environment.name] = plans
            return plans

        return TaskSpec(
            name=f"diff:{environment.name}",
            doc=f"compare {environment.name} with its cluster",
            needs=tuple(f"render:{environment.name}:{component}" for component in chosen),
            action=action,
        )

    def _apply(self, environment: Environment, chosen: tuple[str, ...]) -> TaskSpec:
        def action() -> list[ApplyResult]:
            from mop.steps import apply

            consent = self.consent
            apply.authorise(
                environment,
                yes=consent.yes,
                confirm=consent.confirm,
                named=consent.named,
                planned=consent.planned,
            )
            origins = self.origins(environment, chosen)
            self._check_order(environment, chosen, origins)
            return apply.apply(
                self.tools.cluster(environment),
                environment,
                self.plans[environment.name],
                ready={name: component.ready for name, component in self.platform.components.items()},
                origins=origins,
                options=self.options,
                progress=self.progress,
            )

        return TaskSpec(
            name=f"apply:{environment.name}",
            doc=f"carry out what diff:{environment.name} found, and wait until it is ready",
            needs=(*self._checks(environment, chosen), f"diff:{environment.name}"),
            action=action,
        )

    def elsewhere(self, environment: Environment, chosen: Collection[str]) -> list[ObjectRef] | None:
        """What the components outside `chosen` render; None where that is not known, for it is not as it should be."""
        others = [name for name in environment.components if name not in chosen]
        if not others:
            return []
        if evaluate.stale(self.platform, environment, others, self.outputs, self.tools):
            return None
        crds = evaluate.scopes(environment, self.outputs)
        if not all(render.current(environment, name, self.outputs, crds) for name in others):
            return None
        return [ref(m) for items in self._manifests(environment, others).values() for m in items]

    def origins(self, environment: Environment, chosen: Iterable[str]) -> dict[str, Origin]:
        """What each of `chosen` is rendered from, and by whom."""
        from mop.results import Origin
        from mop.steps.origin import origins

        if environment.name in self.recorded:
            return dict(self.recorded[environment.name])
        source = self.source() if self.source else Origin()
        return origins(self.platform, environment, chosen, self.outputs, source)

    def _check_order(
        self, environment: Environment, chosen: Collection[str], origins: dict[str, Origin]
    ) -> None:
        """What has to be ready before: the needs of `chosen`, and the environment that this one comes after."""
        from mop.steps import needs, promotion, status

        cluster = self.tools.cluster(environment)
        if environment.after:
            after = self.platform.environments[environment.after]
            promotion.promoted(self.tools.cluster(after), after, list(chosen), origins)
        wanted = {need for name in chosen for need in self.platform.components[name].needs}
        missing = [n for n in environment.components if n in wanted and n not in chosen]
        if missing:
            applied = needs.applied(cluster, environment, missing)
            needs.check_ready(environment, missing, status.status(cluster, environment, applied))

    def _checks(self, environment: Environment, chosen: tuple[str, ...]) -> Iterator[str]:
        """The names of the tasks of `_validations`."""
        yield from (f"validate:{environment.name}:{component}" for component in chosen)
        if chosen == environment.components:
            yield f"validate:{environment.name}"

    def _manifests(self, environment: Environment, chosen: Iterable[str]) -> dict[str, list[Manifest]]:
        return {component: self.outputs.load_manifests(environment.name, component) for component in chosen}
