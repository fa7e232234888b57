"""Compare environments by what they render: images, replicas, resources, configuration keys, everything else.

Objects are matched by component, kind and name; the namespace that is an environment's own makes no difference,
neither as an object's nor inside a text. Secret values are compared and shown as fingerprints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mop.checks.texts import parse
from mop.manifest import Manifest, kind_rank
from mop.masking import Fingerprint, mask_manifest
from mop.model import Environment
from mop.outputs import Outputs

Topic = Literal["object", "image", "replicas", "resources", "configuration", "other"]

#: What is told first.
TOPICS: tuple[Topic, ...] = ("object", "image", "replicas", "resources", "configuration", "other")

OWN = "<namespace>"
_KEYS = ("name", "mountPath", "containerPort", "port", "key")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same everywhere; `values` in the order of the environments, None = not there."""

    component: str
    object: str
    path: str
    topic: Topic
    values: tuple[str | None, ...]


def compare(environments: Sequence[Environment], outputs: Outputs) -> list[Difference]:
    """The differences between rendered environments; FileNotFoundError if one is not rendered."""
    sides = []
    for environment in environments:
        names = environment.components
        sides.append({name: outputs.load_manifests(environment.name, name) for name in names})
    return differences(environments, sides)


def differences(
    environments: Sequence[Environment], sides: Sequence[Mapping[str, Sequence[Manifest]]]
) -> list[Difference]:
    """The differences between `sides`, manifests by component, one for each of `environments`."""
    fingerprint = Fingerprint()
    fields = [
        {
            (component, *_identity(manifest)): dict(
                _flat(mask_manifest(manifest, fingerprint), environment.namespace)
            )
            for component, manifests in side.items()
            for manifest in manifests
        }
        for environment, side in zip(environments, sides, strict=True)
    ]
    found: list[Difference] = []
    for key in sorted({key for side in fields for key in side}):
        component, _, kind, name = key
        found += _object(component, f"{kind}/{name}", [side.get(key) for side in fields])
    return found


def _identity(manifest: Manifest) -> tuple[int, str, str]:
    kind = manifest["kind"]
    return kind_rank(kind), kind, manifest["metadata"]["name"]


def _object(component: str, name: str, sides: Sequence[Mapping[str, str] | None]) -> Iterator[Difference]:
    if any(side is None for side in sides):
        there = tuple(None if side is None else "there" for side in sides)
        yield Difference(component, name, "", "object", there)
        return
    present = [side for side in sides if side is not None]
    rows = []
    for path in sorted({path for side in present for path in side}):
        values = tuple(side.get(path) for side in present)
        if len(set(values)) > 1:
            rows.append(Difference(component, name, path, _topic(name, path), values))
    yield from sorted(rows, key=lambda row: TOPICS.index(row.topic))


def _topic(name: str, path: str) -> Topic:
    if path.endswith(".image"):
        return "image"
    if path.endswith(("replicas", "Replicas")):
        return "replicas"
    if ".resources." in path:
        return "resources"
    if name.startswith(("ConfigMap/", "Secret/")) or ".env[" in path or ".args[" in path:
        return "configuration"
    return "other"


def _flat(value: Any, namespace: str, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of each leaf; entries of lists by their name where they have one."""
    if isinstance(value, dict):
        for key, below in value.items():
            # A checksum of a configuration says again that the configuration differs.
            if (path == "metadata" and key == "namespace") or key.startswith("checksum/"):
                continue
            yield from _flat(below, namespace, _join(path, str(key)))
        if not value and path:
            yield path, "{}"
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _flat(below, namespace, f"{path}[{_entry(below, index)}]")
        if not value:
            yield path, "[]"
    elif isinstance(value, str):
        yield from _text(value, namespace, path)
    else:
        yield path, "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str, namespace: str, path: str) -> Iterator[tuple[str, str]]:
    """A text; a configuration inside one by its keys."""
    if "\n" in value and ":" in value and path.startswith(("data", "stringData")):
        parsed = parse(value)
        if not parsed.fault and isinstance(parsed.value, dict) and parsed.value:
            yield from _flat(parsed.value, namespace, f"{path}:")
            return
    if namespace:
        value = re.sub(rf"(?<![A-Za-z0-9-]){re.escape(namespace)}(?![A-Za-z0-9-])", OWN, value)
    yield path, value


def _join(path: str, key: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key)
    if not plain:
        return f'{path}["{key}"]'
    if path.endswith(":"):
        return f"{path} {key}"
    return f"{path}.{key}" if path else key


def _entry(value: Any, index: int) -> str:
    """What a list's entry is called: by its name, or a claim template by that of its object; else its place."""
    for holder in (value, value.get("metadata")) if isinstance(value, dict) else ():
        for key in _KEYS:
            if isinstance(holder, dict) and isinstance(holder.get(key), str | int):
                return str(holder[key])
    return str(index)
