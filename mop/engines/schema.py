"""Implements `protocols.Schemas`: the packaged Kubernetes schemas, and CRDs, checked by jsonschema-rs.

The kinds of a call that were not met before are compiled together, once: most of them share the pod's schema.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mop.cache import Cache, cache_root
from mop.engines import schema_custom, schema_definitions, schema_errors, schema_kinds
from mop.engines.schema_definitions import OBJECT_META, Definitions
from mop.errors import ConfigError
from mop.files import sha256
from mop.manifest import Manifest, ref
from mop.problem import Problem

_Kind = tuple[str, str]
_Custom = Mapping[_Kind, Mapping[str, Any]]


class PackagedSchemas:
    """The Kubernetes API of every packaged version. Thread-safe. `cache`: a folder; None: the user's."""

    def __init__(self, cache: Path | None = None) -> None:
        self._folder = cache
        self._lock = threading.Lock()
        self._versions: dict[str, _Version] = {}

    def versions(self) -> tuple[str, ...]:
        """The Kubernetes versions that can be validated against, oldest first: `1.25` …"""
        return schema_definitions.versions()

    def namespaced(self, kubernetes: str) -> Mapping[_Kind, bool]:
        """(apiVersion, kind) → whether objects of it live in a namespace; reads no schema."""
        return schema_kinds.namespaced(minor(kubernetes))

    def validate(
        self, kubernetes: str, manifests: Sequence[Manifest], crds: Iterable[Manifest] = ()
    ) -> list[Problem]:
        """Problems in the order of `manifests`; ConfigError if this Kubernetes version has no schemas."""
        with self._lock:
            version = self._versions.get(kubernetes)
            if version is None:
                cache = Cache(self._folder or cache_root() / "schemas")
                definitions = schema_definitions.load(kubernetes, cache)
                version = self._versions[kubernetes] = _Version(definitions)
            return version.validate(manifests, schema_custom.kinds(crds))

    def crds(self, folders: Iterable[Path], kinds: Collection[_Kind]) -> list[Manifest]:
        """CRDs of `kinds` in files below `folders`; a JSON Schema of one of them is given as a CRD."""
        from mop.engines import schema_folders

        return schema_folders.find(folders, kinds)


def minor(kubernetes: str) -> int:
    """34 of `1.34`."""
    major, _, rest = kubernetes.partition(".")
    if major != "1" or not rest.isdigit():
        raise ConfigError(f"{kubernetes!r} is no Kubernetes version", hint='write it as "1.34"')
    return int(rest)


class _Version:
    """The validators of one Kubernetes version, compiled as kinds are met."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._minor = minor(definitions.kubernetes)
        self._builtin: dict[_Kind, Any] = {}
        self._custom: dict[str, Any] = {}

    def validate(self, manifests: Sequence[Manifest], custom: _Custom) -> list[Problem]:
        places: dict[_Kind, list[int]] = {}
        for index, manifest in enumerate(manifests):
            places.setdefault((manifest["apiVersion"], manifest["kind"]), []).append(index)
        self._compile([kind for kind in places if kind not in custom])
        found: list[tuple[int, Problem]] = []
        for kind, indices in places.items():
            objects = [manifests[index] for index in indices]
            found += [(indices[at], problem) for at, problem in self._kind(kind, objects, custom)]
        found.sort(key=lambda pair: pair[0])
        return [replace(problem, object=str(ref(manifests[index]))) for index, problem in found]

    def _kind(self, kind: _Kind, objects: list[Manifest], custom: _Custom) -> list[tuple[int, Problem]]:
        """Problems of objects of one kind, by their place among them."""
        if kind in custom:
            validator, root = self._resource(custom[kind])
            if isinstance(validator, Problem):
                return [(at, validator) for at in range(len(objects))]
            lookup = _Lookup(root, self._definitions)
        elif kind in self._builtin:
            validator = self._builtin[kind]
            lookup = _Lookup(_definition(self._definitions.kinds[" ".join(kind)]), self._definitions)
        else:
            problem = schema_kinds.missing(self._minor, *kind, custom)
            return [(at, problem) for at in range(len(objects))]
        old = schema_kinds.ageing(self._minor, *kind)
        found = [(at, old) for at in range(len(objects))] if old else []
        instance = {" ".join(kind): objects}
        if not validator.is_valid(instance):
            for error in validator.iter_errors(instance):
                at = error.instance_path[1]
                found += [(at, problem) for problem in schema_errors.problems(error, lookup, lookup.title)]
        return found

    def _compile(self, kinds: Iterable[_Kind]) -> None:
        """Make one validator for those of `kinds` that Kubernetes has and that have none yet."""
        names = {
            kind: self._definitions.kinds[" ".join(kind)]
            for kind in kinds
            if kind not in self._builtin and self._served(kind)
        }
        if names:
            roots = {" ".join(kind): _definition(name) for kind, name in names.items()}
            validator = _validator(roots, self._definitions.bundle(names.values()))
            self._builtin.update(dict.fromkeys(names, validator))

    def _served(self, kind: _Kind) -> bool:
        """Whether objects of `kind` can be created: it has a schema and is no subresource (Scale …)."""
        known = kind in schema_kinds.served() or self._minor > schema_kinds.newest()
        return known and " ".join(kind) in self._definitions.kinds

    def _resource(self, version: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Validator and schema of a CRD's version, kept by content: each component brings it again.

        Instead of a validator, a Problem if the schema is none (a pattern that does not compile, say).
        """
        digest = sha256(json.dumps(version, sort_keys=True))
        if digest not in self._custom:
            root = schema_custom.schema(version)
            try:
                validator: Any = _validator({}, self._definitions.bundle([OBJECT_META]), root)
            except ValueError as error:
                reason = str(error).partition("\n")[0]
                validator = Problem(
                    f"not checked: its CustomResourceDefinition cannot be used: {reason}",
                    level="warning",
                    check="schema",
                )
            self._custom[digest] = (validator, root)
        kept: tuple[Any, dict[str, Any]] = self._custom[digest]
        return kept


def _definition(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _validator(roots: Mapping[str, Any], definitions: str, other: Mapping[str, Any] | None = None) -> Any:
    """A validator of `{"apps/v1 Deployment": [object, …], …}`; `other` is for keys not in `roots`."""
    import jsonschema_rs

    properties = {name: {"items": root} for name, root in roots.items()}
    schema = {"properties": properties, "additionalProperties": {"items": other or {}}}
    text = json.dumps(schema, separators=(",", ":"))
    return jsonschema_rs.Draft202012Validator(f'{text[:-1]},"$defs":{definitions}}}')


class _Lookup:
    """Finds the schema of a path inside an object; the ."""

    def __init__(self, root: Mapping[str, Any], definitions: Definitions) -> None:
        self._root = root
        self._definitions = definitions

    def __call__(self, path: schema_errors.Path) -> Mapping[str, Any]:
        node = self._resolve(self._root)
        for part in path:
            below = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
            node = self._resolve(below or node.get("additionalProperties") or {})
        return node

    def title(self, path: schema_errors.Path) -> str:
        """What the nearest rule above a place in a definition (`$defs`, name, `allOf`, 0, …) says of itself."""
        if len(path) < 3 or path[0] != "$defs":
            return ""
        node: Any = self._definitions.definition(str(path[1]))
        found = ""
        for part in path[2:-1]:
            node = node[part]
            title = node.get("title") if isinstance(node, dict) else None
            found = title if isinstance(title, str) else found
        return found

    def _resolve(self, node: Any) -> Mapping[str, Any]:
        while isinstance(node, dict) and "$ref" in node:
            node = self._definitions.definition(node["$ref"].rpartition("/")[2])
        return node if isinstance(node, dict) else {}
