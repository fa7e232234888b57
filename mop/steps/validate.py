"""Validate what was rendered: schemas and checks of a component, and checks across an environment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

from mop import __version__
from mop.checks import policy, sharing
from mop.checks.files import RenderedFiles
from mop.checks.lines import located
from mop.checks.objects import Objects, mapping, objects_in, text
from mop.checks.validation import ChartFacts, Sources, validate_component, validate_environment
from mop.engines.protocols import Schemas, Toolbox
from mop.errors import ValidationError
from mop.files import Input, sha256
from mop.manifest import Manifest
from mop.model import Environment
from mop.outputs import Outputs
from mop.problem import Problem

#: Raised when what is found in unchanged manifests changes.
FORMAT = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found; where there is an error the step raises instead. `objects`: how many were looked at."""

    problems: tuple[Problem, ...]
    objects: int
    folders: tuple[Path, ...] = ()  # where schemas were looked for outside the render


def component(environment: Environment, component: str, outputs: Outputs, tools: Toolbox) -> Outcome:
    """Check one component, or read what was found if nothing changed. ValidationError if there are errors."""
    key = _component_key(environment, outputs)
    stored = _stored(environment, component, outputs, key)
    # Where a kind had no schema, a file outside the render may have one by now.
    if stored is None or any(problem.check == policy.UNKNOWN_KINDS for problem in stored.problems):
        content = (key, _digests(environment, (component,), outputs))
        found = _remembered(outputs, content) or _check(environment, component, outputs, tools.schemas())
        _remember(outputs, content, found)
        stored = _of(environment, found)
        _write(environment, component, (component,), stored, key, outputs)
    return _outcome(stored, f"{environment.name}/{component}")


def component_current(environment: Environment, component: str, outputs: Outputs) -> bool:
    """Whether the component was checked as it is, and has no errors."""
    stored = _stored(environment, component, outputs, _component_key(environment, outputs))
    return stored is not None and not _errors(stored.problems)


def across(environment: Environment, outputs: Outputs) -> Outcome:
    """Check the components against each other. Raises ValidationError if there are errors."""
    key = _across_key(environment, outputs)
    stored = _stored(environment, "", outputs, key)
    if stored is None:
        content = (key, _digests(environment, environment.components, outputs))
        found = _remembered(outputs, content) or _check_across(environment, outputs)
        _remember(outputs, content, found)
        stored = _of(environment, found)
        _write(environment, "", environment.components, stored, key, outputs)
    return _outcome(stored, environment.name)


def across_current(environment: Environment, outputs: Outputs) -> bool:
    """Whether the components were checked against each other as they are, without errors."""
    stored = _stored(environment, "", outputs, _across_key(environment, outputs))
    return stored is not None and not _errors(stored.problems)


def shared(environments: Sequence[Environment], outputs: Outputs) -> list[Problem]:
    """Objects that environments of one target both have; of those that are rendered."""
    targets = [environment.target for environment in environments]
    rendered = [
        (
            environment,
            {name: outputs.load_manifests(environment.name, name) for name in environment.components},
        )
        for environment in environments
        if targets.count(environment.target) > 1 and _rendered(environment, outputs)
    ]
    found = []
    for environment, manifests in rendered:
        problems = [it for it in sharing.check(rendered) if it.environment == environment.name]
        objects = Objects(environment, manifests)
        found += policy.settle(objects, problems, _sources(environment, manifests, outputs))
    return found


def _rendered(environment: Environment, outputs: Outputs) -> bool:
    return all(outputs.manifests(environment.name, name).is_file() for name in environment.components)


def findings(environment: Environment, component: str, outputs: Outputs) -> list[Problem]:
    """What the last check of `component` ("" = across) found. FileNotFoundError if there was none."""
    return list(_read(environment, component, outputs).problems)


def _check(environment: Environment, component: str, outputs: Outputs, schemas: Schemas) -> Outcome:
    manifests = outputs.load_manifests(environment.name, component)
    crds = _crds(environment, outputs)
    unknown = {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}
    unknown -= schemas.namespaced(environment.kubernetes).keys()
    unknown -= {kind for crd in crds for kind in _defined(crd)}
    folders = _schema_folders(outputs) if unknown else []
    if unknown:
        crds = [*schemas.crds(folders, unknown), *crds]
    sources = _sources(environment, {component: manifests}, outputs)
    found = validate_component(schemas, environment, component, manifests, crds, sources)
    return Outcome(_located(found, outputs), len(manifests), tuple(folders))


def _check_across(environment: Environment, outputs: Outputs) -> Outcome:
    manifests = {name: outputs.load_manifests(environment.name, name) for name in environment.components}
    facts = _chart_facts(environment, outputs)
    found = validate_environment(environment, manifests, _sources(environment, manifests, outputs), facts)
    return Outcome(_located(found, outputs), sum(len(members) for members in manifests.values()))


def _located(found: Iterable[Problem], outputs: Outputs) -> tuple[Problem, ...]:
    return tuple(located(found, lambda file: (outputs.root / file).read_text()))


def _defined(crd: Manifest) -> Iterator[tuple[str, str]]:
    """(apiVersion, kind) of each version of a CRD."""
    spec = mapping(crd, "spec")
    for _, version in objects_in(spec, "versions"):
        yield f"{text(spec, 'group')}/{text(version, 'name')}", text(spec, "names", "kind")


def _schema_folders(outputs: Outputs) -> list[Path]:
    """`schemas/` of the platform, and the CRDs that vendored charts bring."""
    charts = outputs.root / "charts"
    return [outputs.root / "schemas", *sorted(path for path in charts.rglob("crds") if path.is_dir())]


# ---------------------------------------------------------------- equal renders are checked once

#: Settings and CRDs, and the digests of manifests.
Content = tuple[str, tuple[str, ...]]

_memory: WeakKeyDictionary[Outputs, dict[Content, Outcome]] = WeakKeyDictionary()


def _remembered(outputs: Outputs, content: Content) -> Outcome | None:
    """What this run found in the same manifests, maybe in another environment."""
    return _memory.get(outputs, {}).get(content)


def _remember(outputs: Outputs, content: Content, outcome: Outcome) -> None:
    if not outcome.folders:
        _memory.setdefault(outputs, {})[content] = outcome


def _digests(environment: Environment, components: Iterable[str], outputs: Outputs) -> tuple[str, ...]:
    paths = (outputs.manifests(environment.name, name) for name in components)
    return tuple(f"{path.name} {outputs.digests.file(path)}" for path in paths)


def rendered_files(environment: Environment, components: Iterable[str], outputs: Outputs) -> Sources:
    """The rendered file of each object of `components`, for messages about it."""
    manifests = {name: outputs.load_manifests(environment.name, name) for name in components}
    return _sources(environment, manifests, outputs)


def _folder(outputs: Outputs, folder: Path) -> Input:
    path = str(folder.relative_to(outputs.root))
    digest = outputs.digests.tree(folder)
    return Input(path, "absent") if digest is None else Input(path, "tree", digest)


def _outcome(stored: Outcome, what: str) -> Outcome:
    errors = _errors(stored.problems)
    if errors:
        count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
        raise ValidationError(f"{what}: {count} in {stored.objects} objects", problems=stored.problems)
    return Outcome(stored.problems, stored.objects)


def _errors(found: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in found if problem.level == "error"]


def _key(environment: Environment) -> str:
    """What findings depend on besides the manifests: versions and the environment's settings."""
    settings = [
        environment.kubernetes,
        environment.namespace,
        environment.protected,
        repr(environment.validate),
    ]
    checks = sorted(policy.levels(environment))
    return sha256(json.dumps([FORMAT, __version__, *settings, *checks]))


def _component_key(environment: Environment, outputs: Outputs) -> str:
    """`_key`, and the manifests of every component that brings CRDs: a resource of this one may be theirs."""
    digests = [outputs.digests.file(path) for path in _with_crds(environment, outputs)]
    return sha256(json.dumps([_key(environment), digests]))


def _across_key(environment: Environment, outputs: Outputs) -> str:
    """`_key`, and what the evaluation saw of charts."""
    facts = _chart_facts(environment, outputs)
    return sha256(json.dumps([_key(environment), facts.random, facts.unused]))


def _chart_facts(environment: Environment, outputs: Outputs) -> ChartFacts:
    """Random draws, and values that do nothing, in the charts that the environment's evaluation rendered."""
    random, unused = set(), set()
    for name in environment.components:
        record = outputs.record(outputs.evaluated(environment.name, name))
        facts = record.facts if record is not None else {}
        random |= set(facts.get("random", ()))
        unused |= {tuple(entry) for entry in facts.get("unused", ())}
    return ChartFacts(tuple(sorted(random)), tuple(sorted(unused)))


def _with_crds(environment: Environment, outputs: Outputs) -> list[str]:
    bringing = []
    for name in environment.components:
        record = outputs.record(outputs.evaluated(environment.name, name))
        if record is not None and record.facts.get("scopes"):
            bringing.append(str(outputs.manifests(environment.name, name)))
    return bringing


def _crds(environment: Environment, outputs: Outputs) -> list[Manifest]:
    paths = set(_with_crds(environment, outputs))
    names = [n for n in environment.components if str(outputs.manifests(environment.name, n)) in paths]
    members = (manifest for name in names for manifest in outputs.load_manifests(environment.name, name))
    return [manifest for manifest in members if manifest["kind"] == "CustomResourceDefinition"]


def _sources(
    environment: Environment, manifests: Mapping[str, Sequence[Manifest]], outputs: Outputs
) -> Sources:
    return RenderedFiles(environment, manifests, outputs)


def _write(
    environment: Environment,
    component: str,
    members: Iterable[str],
    outcome: Outcome,
    key: str,
    outputs: Outputs,
) -> None:
    inputs = [_folder(outputs, folder) for folder in outcome.folders]
    for name in members:
        path = outputs.manifests(environment.name, name)
        inputs.append(Input(str(path.relative_to(outputs.root)), "file", outputs.digests.file(path) or ""))
    rows = [asdict(problem) for problem in outcome.problems]
    document = json.dumps([outcome.objects, rows], ensure_ascii=False, separators=(",", ":"))
    outputs.write(outputs.findings(environment.name, component), document, key, inputs)


def _read(environment: Environment, component: str, outputs: Outputs) -> Outcome:
    objects, rows = json.loads(outputs.findings(environment.name, component).read_text())
    return Outcome(tuple(Problem(**row) for row in rows), objects)


def _stored(environment: Environment, component: str, outputs: Outputs, key: str) -> Outcome | None:
    """What was found in the manifests as they are; None if they were not checked."""
    if not outputs.current(outputs.findings(environment.name, component), key):
        return None
    return _read(environment, component, outputs)


def _of(environment: Environment, outcome: Outcome) -> Outcome:
    """`outcome`, which another environment's equal manifests may have given, with this one's name and files."""
    return replace(
        outcome, problems=tuple(_renamed(environment.name, problem) for problem in outcome.problems)
    )


def _renamed(now: str, problem: Problem) -> Problem:
    was = problem.environment
    if was == now:
        return problem
    return replace(
        problem, environment=now, file=problem.file.replace(f"/rendered/{was}/", f"/rendered/{now}/", 1)
    )
