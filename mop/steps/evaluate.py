"""Evaluate an environment's Jsonnet, once, into one JSON value a component.

Inputs belong to the environment, precision per component comes from equal output: a component whose JSON did not
change is not rendered again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop import __version__, extract
from mop.engines.protocols import Evaluated, Evaluation, Jsonnet, Toolbox
from mop.errors import EvaluationError
from mop.files import sha256
from mop.model import Environment, Platform
from mop.outputs import Outputs

#: Raised when what an evaluation writes changes its meaning: results of older versions are then made again.
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """`changed`: components whose value is not what it was. `renders`, `hits`: Helm calls, and cached ones."""

    evaluated: tuple[str, ...]
    changed: tuple[str, ...]
    renders: int
    hits: int
    random: tuple[str, ...]


def key(platform: Platform, environment: Environment, engine_version: str) -> str:
    """What the evaluation depends on besides files: the environment's slice of mop.yaml, and versions."""
    parts = [
        FORMAT,
        __version__,
        engine_version,
        environment.name,
        platform.environment_slice(environment.name),
        environment.tanka and environment.tanka.document(),
    ]
    return sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")))


def stale(
    platform: Platform, environment: Environment, components: Iterable[str], outputs: Outputs, tools: Toolbox
) -> tuple[str, ...]:
    """The components of `components` whose evaluated value is missing or was made from other inputs."""
    expected = key(platform, environment, tools.jsonnet().version)
    return tuple(
        c for c in components if not outputs.current(outputs.evaluated(environment.name, c), expected)
    )


def evaluate(
    platform: Platform,
    environment: Environment,
    components: Iterable[str],
    outputs: Outputs,
    tools: Toolbox,
    threads: int = 1,
) -> Outcome:
    """Evaluate what is stale of `components` and write it. Raises EvaluationError, ChartError; then nothing changed.

    `threads`: how many may work on this one environment, where rendering charts is most of the work.
    """
    jsonnet = tools.jsonnet()
    wanted = stale(platform, environment, components, outputs, tools)
    if not wanted:
        return Outcome((), (), 0, 0, ())
    parts = _parts(environment, wanted, outputs, threads)
    evaluated = _all(jsonnet, [_evaluation(platform, environment, part) for part in parts], threads)
    if not environment.whole:
        _check_fields(platform, environment, wanted, evaluated)
    record_key = key(platform, environment, jsonnet.version)
    changed = []
    for component in wanted:
        output = outputs.evaluated(environment.name, component)
        before = outputs.digests.file(output)
        outputs.forget(output)
        text = evaluated.outputs["" if environment.whole else component]
        facts = {
            "random": evaluated.random,
            "unused": evaluated.unused,
            "scopes": _crd_scopes(text),
            "renders": evaluated.renders,
        }
        outputs.write(output, text, record_key, evaluated.inputs, facts)
        if before != sha256(text):
            changed.append(component)
    return Outcome(wanted, tuple(changed), evaluated.renders, evaluated.hits, evaluated.random)


def _parts(
    environment: Environment, wanted: tuple[str, ...], outputs: Outputs, threads: int
) -> list[tuple[str, ...]]:
    """What is evaluated together. Apart, components share no evaluated import: that pays where charts dominate."""
    if threads < 2 or len(wanted) < 2 or environment.whole:
        return [wanted]
    records = [outputs.record(outputs.evaluated(environment.name, component)) for component in wanted]
    known = [record.facts.get("renders", 0) for record in records if record is not None]
    charts = any(known) if known else (outputs.root / "charts").is_dir()
    return [(component,) for component in wanted] if charts else [wanted]


def _all(jsonnet: Jsonnet, evaluations: list[Evaluation], threads: int) -> Evaluated:
    """The parts of one environment, evaluated side by side, as if they had been evaluated together."""
    if len(evaluations) == 1:
        return jsonnet.evaluate(evaluations[0])
    from mop.rollout.concurrent import each

    # All at once: in turns, the largest chart may begin last and keep one core busy alone.
    parts = each(jsonnet.evaluate, evaluations, workers=max(threads, min(len(evaluations), 2 * threads)))
    return Evaluated(
        fields=parts[0].fields,
        outputs={name: text for part in parts for name, text in part.outputs.items()},
        inputs=tuple(sorted({item for part in parts for item in part.inputs})),
        renders=sum(part.renders for part in parts),
        hits=sum(part.hits for part in parts),
        random=tuple(dict.fromkeys(line for part in parts for line in part.random)),
        unused=tuple(dict.fromkeys(entry for part in parts for entry in part.unused)),
    )


def entrypoint(platform: Platform, environment: Environment) -> Path:
    """The environment's main.jsonnet; raises EvaluationError where there is none."""
    path = platform.root / environment.path / "main.jsonnet"
    if not path.is_file():
        raise EvaluationError(
            f"environment {environment.name}: expected {environment.path}/main.jsonnet, found no such file",
            hint="write it, or say where it is with `path:` in mop.yaml",
        )
    return path


def _evaluation(platform: Platform, environment: Environment, components: tuple[str, ...]) -> Evaluation:
    return Evaluation(
        root=platform.root,
        entrypoint=entrypoint(platform, environment),
        components=None if environment.whole else components,
        namespace=environment.namespace,
        kube_version=environment.kube_version,
        environment=environment.tanka.document() if environment.tanka else {},
        name=environment.name,
        served={platform.root / "mop.yaml": _canonical(platform.environment_slice(environment.name))},
        tla=environment.tla,
        ext=environment.ext,
    )


def scopes(environment: Environment, outputs: Outputs) -> dict[tuple[str, str], bool]:
    """(group, kind) → namespaced, of all CRDs that the environment's evaluated components hold."""
    found: dict[tuple[str, str], bool] = {}
    for component in environment.components:
        record = outputs.record(outputs.evaluated(environment.name, component))
        for group, kind, namespaced in record.facts.get("scopes", ()) if record else ():
            found[group, kind] = namespaced
    return found


def _crd_scopes(text: str) -> list[tuple[str, str, bool]]:
    # Most components hold no CRD: looking for the word is cheaper than parsing them all.
    if "CustomResourceDefinition" not in text:
        return []
    return sorted(
        (group, kind, value) for (group, kind), value in extract.crd_scopes(json.loads(text)).items()
    )


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _check_fields(
    platform: Platform, environment: Environment, wanted: tuple[str, ...], evaluated: Evaluated
) -> None:
    declared, found = set(environment.components), set(evaluated.fields)
    missing, extra = [c for c in wanted if c not in found], sorted(found - declared)
    if not missing and not extra:
        return
    where = f"{environment.path}/main.jsonnet"
    lines = [f"{where}: its fields are not the components of environment {environment.name} in mop.yaml"]
    lines += [f"  {name}: in mop.yaml, but no visible field of {where}" for name in missing]
    for name in extra:
        known = "a component of the platform, but not" if name in platform.components else "no component"
        lines.append(f"  {name}: a visible field of {where}, but {known} of environment {environment.name}")
    raise EvaluationError(
        "\n".join(lines),
        hint="name each component in both places; hide what is only configuration with `::`",
    )
