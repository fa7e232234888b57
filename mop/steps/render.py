"""Render a component: its evaluated value → Kubernetes objects, in order, as files for people and JSON for MOP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mop import __version__, extract
from mop.engines.protocols import Toolbox
from mop.files import Input, sha256
from mop.manifest import Manifest, ref, sort_key
from mop.model import Environment
from mop.outputs import Outputs

#: Raised when what a render writes changes its meaning.
FORMAT = 1


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
    folder = outputs.rendered(environment.name, component)
    return record is not None and all(
        outputs.digests.file(folder / name) == digest for name, digest in record.facts["files"].items()
    )


def render(
    environment: Environment, component: str, outputs: Outputs, tools: Toolbox, crds: Scopes
) -> Outcome:
    """Write the component's manifests. Raises ManifestError, naming the path inside the evaluated value."""
    from mop import goyaml  # a run with nothing to render does without

    source = outputs.evaluated(environment.name, component)
    text = source.read_text()
    manifests = to_manifests(json.loads(text), environment, component, tools, crds)
    output = outputs.manifests(environment.name, component)
    outputs.forget(output)
    folder = outputs.rendered(environment.name, component)
    files = outputs.write_files(folder, manifests, (goyaml.dump(manifest) for manifest in manifests))
    made_from = Input(str(source.relative_to(outputs.root)), "file", sha256(text))
    document = json.dumps(manifests, ensure_ascii=False, separators=(",", ":"))
    changed = outputs.write(output, document, key(environment, crds), [made_from], {"files": files})
    return Outcome(len(manifests), changed)


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


def _unique(manifests: list[Manifest], environment: Environment, component: str) -> None:
    seen = set()
    for manifest in manifests:
        identity = ref(manifest).identity
        if identity in seen:
            raise extract.duplicate(ref(manifest), f"{environment.name}/{component}")
        seen.add(identity)
