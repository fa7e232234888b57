"""Render a component: its evaluated value → Kubernetes objects, in order, as files for people and JSON for MOP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mop import __version__, extract
from mop.engines.protocols import Toolbox
from mop.errors import ManifestError
from mop.files import Input, sha256
from mop.manifest import Manifest, ref, sort_key
from mop.model import Environment, TankaEnvironment
from mop.outputs import Outputs

#: Raised when what a render writes changes its meaning.
FORMAT = 1


#: YAML by JSON, of the objects that this process wrote last; so many of them.
_written: dict[str, str] = {}
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Outcome:
    """`objects`: how many; `changed`: whether any of them is not what it was."""

    objects: int
    changed: bool


#: (group, kind) → whether it is namespaced, of the CRDs that the environment itself renders.
Scopes = Mapping[tuple[str, str], bool]


def key(environment: Environment, crds: Scopes) -> str:
    """What a render depends on besides the evaluated value: namespace, Kubernetes version, scopes, versions."""
    parts = [FORMAT, __version__, environment.name, environment.namespace, environment.kubernetes]
    return sha256(json.dumps([*parts, repr(environment.tanka), sorted((*k, v) for k, v in crds.items())]))


def current(environment: Environment, component: str, outputs: Outputs, crds: Scopes) -> bool:
    """Whether the component's manifests are there, whole, and made from the evaluated value as it is."""
    output = outputs.manifests(environment.name, component)
    if not outputs.current(output, key(environment, crds)):
        return False
    record = outputs.record(output)
    folder = f"{outputs.rendered(environment.name, component)}/"
    return record is not None and all(
        outputs.digests.file(folder + name) == digest for name, digest in record.facts["files"].items()
    )


def render(
    environment: Environment, component: str, outputs: Outputs, tools: Toolbox, crds: Scopes
) -> Outcome:
    """Write the component's manifests. Raises ManifestError, naming the path inside the evaluated value."""
    source = outputs.evaluated(environment.name, component)
    text = source.read_text()
    value, spec = _inline(extract.parse(text), environment)
    manifests = to_manifests(value, replace(environment, tanka=spec), component, tools, crds)
    output = outputs.manifests(environment.name, component)
    outputs.forget(output)
    folder = outputs.rendered(environment.name, component)
    parts = [json.dumps(manifest, ensure_ascii=False, separators=(",", ":")) for manifest in manifests]
    files = outputs.write_files(folder, manifests, map(_yaml, manifests, parts))
    made_from = Input(str(source.relative_to(outputs.root)), "file", sha256(text))
    changed = outputs.write(
        output, f"[{','.join(parts)}]", key(environment, crds), [made_from], {"files": files}
    )
    return Outcome(len(manifests), changed)


def _yaml(manifest: Manifest, text: str) -> str:
    """The YAML of `manifest`, whose JSON is `text`: environments of one stack have most objects in common."""
    from mop import goyaml  # a run with nothing to render does without

    found = _written.get(text)
    if found is None:
        if len(_written) >= _MOST:
            _written.clear()
        found = _written[text] = goyaml.dump(manifest)
    return found


def to_manifests(
    value: object, environment: Environment, component: str, tools: Toolbox, crds: Scopes
) -> list[Manifest]:
    """Tanka's pipeline: extract → unwrap lists → namespace → label → resource defaults → sort."""
    manifests = extract.extract(value)
    builtin = tools.schemas().namespaced(environment.kubernetes)
    scopes = extract.Scopes(builtin, crds)
    manifests = [extract.with_namespace(manifest, environment.namespace, scopes) for manifest in manifests]
    if environment.tanka is not None:
        manifests = [extract.with_tanka(manifest, environment.tanka) for manifest in manifests]
    manifests.sort(key=sort_key)
    _unique(manifests, environment, component)
    return manifests


def _inline(value: object, environment: Environment) -> tuple[object, TankaEnvironment | None]:
    """The data and the spec of a Tanka environment that the Jsonnet itself declares; else what mop.yaml knows."""
    found = None
    if environment.whole and environment.tanka is None:
        found = extract.inline(value, f"{environment.path}/main.jsonnet")
    if found is None:
        return value, environment.tanka
    if found[1].namespace != environment.namespace:
        raise ManifestError(
            f"environment {environment.name}: mop.yaml says namespace {environment.namespace}, "
            f"{environment.path}/main.jsonnet says spec.namespace {found[1].namespace}",
            hint="make them equal: MOP creates the one, and objects are put into the other",
        )
    return found


def _unique(manifests: list[Manifest], environment: Environment, component: str) -> None:
    seen = set()
    for manifest in manifests:
        identity = ref(manifest).identity
        if identity in seen:
            raise extract.duplicate(ref(manifest), f"{environment.name}/{component}")
        seen.add(identity)
