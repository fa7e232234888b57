"""From an evaluated Jsonnet value to Kubernetes objects, as Tanka does it (pkg/process, pkg/kubernetes).

The pipeline is extract (lists unwrapped, each object verified) → with_namespace → with_tanka → sort by
`manifest.sort_key`. Each step gives new objects and leaves its arguments alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mop.errors import ManifestError
from mop.manifest import Manifest, ObjectRef
from mop.masking import Fingerprint, mask_manifest
from mop.model import TankaEnvironment

T = TypeVar("T")

NAMESPACED = "tanka.dev/namespaced"
ENVIRONMENT_LABEL = "tanka.dev/environment"
_LONG_NUMBER = re.compile("[0-9]{16}")
#: Lines of an object that an error shows.
_SHOWN_LINES = 12
#: Cluster-scoped kinds that an environment's schemas may not have: an older version or an aggregated API
#: has them (Tanka: pkg/process/namespace.go).
_CLUSTER_WIDE = frozenset(
    (
        "APIService",
        "ComponentStatus",
        "NodeMetrics",
        "PodSecurityPolicy",
        "PriorityClass",
        "RuntimeClass",
        "TokenReview",
    )
)


def parse(text: str) -> Any:
    """The evaluated JSON `text` as a value, integers beyond float64 with the digits that Go would print."""
    if _LONG_NUMBER.search(text) is None:
        return json.loads(text)
    return json.loads(text, parse_int=_go_int)


def extract(value: Any) -> list[Manifest]:
    """Every object inside `value`, in the order of its path; Lists give their items, `__ksonnet` is dropped.

    An object with apiVersion and kind is one and is not looked into; null fields are passed over. Raises
    ManifestError with the path (`.loki.service[0]`), what is missing, and the object with its secrets masked.
    """
    found: list[Manifest] = []
    for path, manifest in _walk(value, "", {}):
        found.extend(_unwrapped(path, manifest))
    return found


def with_namespace(manifest: Manifest, namespace: str, scopes: Scopes) -> Manifest:
    """`manifest` in `namespace`, where it names none of its own and lives in one; empty annotations go."""
    metadata = dict(manifest["metadata"])
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    if namespace and not isinstance(metadata.get("namespace"), str) and scopes(manifest):
        metadata["namespace"] = namespace
    return {**manifest, "metadata": metadata}


def with_tanka(manifest: Manifest, environment: TankaEnvironment) -> Manifest:
    """`manifest` with the label and the defaults that a spec.json asks for; what it has itself stays."""
    metadata = dict(manifest["metadata"])
    labels = dict(metadata.get("labels") or {})
    if environment.inject_labels:
        labels[ENVIRONMENT_LABEL] = environment.label
    labels = {**environment.default_labels, **labels}
    annotations = {**environment.default_annotations, **(metadata.get("annotations") or {})}
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    return {**manifest, "metadata": metadata}


def inline(value: Any, entrypoint: str) -> tuple[Any, TankaEnvironment] | None:
    """The data and the spec of the evaluated `value`, if it is an inline Tanka environment.

    `entrypoint`: main.jsonnet, relative to Tanka's root. Raises ManifestError for a spec of the wrong shape.
    """
    if not isinstance(value, dict) or value.get("kind") != "Environment" or not _is_object(value):
        return None
    if not value["apiVersion"].startswith("tanka.dev/"):
        return None
    metadata, spec = _part(value, "metadata", dict), _part(value, "spec", dict)
    defaults = _part(spec, "resourceDefaults", dict)
    return value.get("data"), TankaEnvironment(
        name=_part(metadata, "name", str),
        entrypoint=entrypoint,
        labels=_part(metadata, "labels", dict),
        api_server=_part(spec, "apiServer", str),
        context_names=tuple(_part(spec, "contextNames", list)),
        namespace=_part(spec, "namespace", str) if spec.get("namespace") is not None else "default",
        inject_labels=_part(spec, "injectLabels", bool),
        label_fields=tuple(_part(spec, "tankaEnvLabelFromFields", list)),
        default_annotations=_part(defaults, "annotations", dict),
        default_labels=_part(defaults, "labels", dict),
        expect_tanka=_part(_part(spec, "expectVersions", dict), "tanka", str),
    )


def _part(document: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """The field `name`, an empty one where it is missing."""
    found = document.get(name)
    if found is None:
        return kind()
    if not isinstance(found, kind):
        expected = {str: "a string", bool: "a boolean", list: "an array"}.get(kind, "an object")
        raise ManifestError(f"Tanka environment: expected {name} to be {expected}, found {_kind(found)}")
    return found


@dataclass(frozen=True)
class Scopes:
    """Whether an object lives in a namespace.

    The annotation `tanka.dev/namespaced` says so, else a CRD of the render (`crds`: group and kind), else the
    schemas (`builtin`: apiVersion and kind); what nobody knows is namespaced.
    """

    builtin: Mapping[tuple[str, str], bool]
    crds: Mapping[tuple[str, str], bool]

    def __call__(self, manifest: Manifest) -> bool:
        """True for namespaced."""
        annotations = manifest["metadata"].get("annotations") or {}
        if NAMESPACED in annotations:
            return bool(annotations[NAMESPACED] == "true")
        version, kind = manifest["apiVersion"], manifest["kind"]
        scope = self.crds.get((version.rpartition("/")[0], kind))
        if scope is None:
            scope = self.builtin.get((version, kind))
        return kind not in _CLUSTER_WIDE if scope is None else scope


def crd_scopes(value: Any) -> dict[tuple[str, str], bool]:
    """(group, kind) → namespaced, of every CustomResourceDefinition inside the evaluated `value`."""
    scopes: dict[tuple[str, str], bool] = {}
    for crd in _definitions(value):
        spec = crd.get("spec")
        names = spec.get("names") if isinstance(spec, dict) else None
        if isinstance(spec, dict) and isinstance(names, dict):
            scopes[str(spec.get("group")), str(names.get("kind"))] = spec.get("scope") == "Namespaced"
    return scopes


def duplicate(ref: ObjectRef, where: str) -> ManifestError:
    """The error for two objects with one identity in `where`."""
    return ManifestError(
        f"{where}: two objects are {ref} ({ref.api_version})",
        hint="name one of them otherwise, or leave one out: in a cluster the second would replace the first",
    )


def _go_int(digits: str) -> int | float:
    from mop.goyaml.numbers import as_json  # rare, and it would bring PyYAML

    number = int(digits)
    return number if abs(number) <= 1 << 53 else as_json(float(digits))


def _definitions(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _definitions(item)
    elif isinstance(value, dict):
        if value.get("kind") == "CustomResourceDefinition":
            yield value
        elif not _is_object(value) or isinstance(value.get("items"), list):
            for item in value.values():
                yield from _definitions(item)


def _is_object(value: Mapping[str, Any]) -> bool:
    return not _missing(value)


def _missing(value: Mapping[str, Any]) -> str:
    """Why `value` is no Kubernetes object; "" if it is one."""
    for name in ("apiVersion", "kind"):
        field = value.get(name)
        if field is None:
            return f"it has no {name}"
        if not isinstance(field, str):
            return f"its {name} is not a string, it is {_kind(field)}"
        if not field:
            return f"its {name} is empty"
    return ""


def _walk(value: Any, path: str, inside: Mapping[str, Any]) -> Iterator[tuple[str, Manifest]]:
    """Path and object, for each in `value`; `inside` is the object around it."""
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if key != "__ksonnet"}
        if _is_object(value):
            yield path or ".", value
            return
        for key in sorted(value):
            if value[key] is not None:
                yield from _walk(value[key], f"{path}.{key}", value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]", inside)
    else:
        raise _stray(value, path, inside)


def _stray(value: Any, path: str, inside: Mapping[str, Any]) -> ManifestError:
    why = _missing(inside) if inside else "there is no object around it"
    where = path.rpartition(".")[0] or "."
    return ManifestError(
        f"{path or '.'}: expected Kubernetes objects, found {_kind(value)}.\n"
        f"What is around it (at {where}) is no Kubernetes object: {why}"
        + (f"\n\n{_shown(inside)}" if inside else ""),
        hint="give it apiVersion and kind, or hide a field that is only configuration with `::`",
    )


def _unwrapped(path: str, manifest: Manifest) -> Iterator[Manifest]:
    """`manifest`, verified, or what it lists: what has an array `items` is a List (unstructured.IsList)."""
    items = manifest.get("items")
    if not isinstance(items, list):
        yield _verified(path, manifest)
        return
    for index, item in enumerate(items):
        at = f"{path}.items[{index}]"
        if not isinstance(item, dict):
            raise ManifestError(f"{at}: expected a Kubernetes object in the list, found {_kind(item)}")
        yield from _unwrapped(at, item)


def _verified(path: str, manifest: Manifest) -> Manifest:
    wrong = [problem for problem in _faults(manifest) if problem]
    if wrong:
        faults = "".join(f"\n  {problem}" for problem in wrong)
        raise ManifestError(f"{path} is not a usable Kubernetes object:{faults}\n\n{_shown(manifest)}")
    return manifest


def _faults(manifest: Manifest) -> Iterator[str]:
    yield _missing(manifest)
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        yield f"metadata: expected an object, found {_kind(metadata)}"
        return
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        if name is None and metadata.get("generateName"):
            yield "metadata.name: missing; generateName is not enough to apply or compare an object"
        else:
            yield f"metadata.name: expected a name, found {'an empty string' if name == '' else _kind(name)}"
    for field in ("labels", "annotations"):
        yield from _not_strings(f"metadata.{field}", metadata.get(field))


def _not_strings(path: str, value: Any) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield f"{path}: expected an object, found {_kind(value)}"
        return
    for key, item in value.items():
        if not isinstance(item, str):
            yield f"{path}: expected strings, but {key} is {_kind(item)}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, int | float):
        return f"the {'boolean' if isinstance(value, bool) else 'number'} {_yaml(value).strip()}"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def _shown(manifest: Mapping[str, Any]) -> str:
    """The first lines of `manifest`, secret values masked."""
    lines = _yaml(mask_manifest(manifest, Fingerprint())).splitlines()
    more = ["..."] if len(lines) > _SHOWN_LINES else []
    return "\n".join(f"  {line}" for line in lines[:_SHOWN_LINES] + more)


def _yaml(value: Any) -> str:
    from mop import goyaml  # only for a message, and PyYAML takes longer to import than all the rest

    return goyaml.dump(value)
