"""Schemas of custom resources in files: CRDs as YAML or JSON, and JSON Schemas of single kinds.

A JSON Schema says what it describes with `x-kubernetes-group-version-kind`, or by its name, in one of the layouts
that people keep such files in: `<group>/<kind>_<version>.json` (the CRDs catalogue) or
`<kind>-<first part of the group>-<version>.json` (kubeconform).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from mop.manifest import Manifest

_Kind = tuple[str, str]
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def find(folders: Iterable[Path], kinds: Collection[_Kind]) -> list[Manifest]:
    """CRDs that define any of `kinds`, (apiVersion, kind), below `folders`; JSON Schemas are made CRDs.

    A file that cannot be read as YAML (a chart's template, say) holds none.
    """
    names = re.compile(
        "|".join(re.escape(kind) for kind in sorted({kind for _, kind in kinds})), re.IGNORECASE
    )
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file():
                text = path.read_text(errors="replace")
                if kinds and (names.search(path.name) or names.search(text)):
                    found += [crd for crd in _crds(path, text, kinds) if defines(crd) & set(kinds)]
    return found


def defines(crd: Manifest) -> set[_Kind]:
    """(apiVersion, kind) of every version of a CRD."""
    spec = crd.get("spec") or {}
    kind = str((spec.get("names") or {}).get("kind"))
    return {(f"{spec.get('group')}/{version.get('name')}", kind) for version in spec.get("versions") or ()}


def _crds(path: Path, text: str, kinds: Collection[_Kind]) -> Iterator[Manifest]:
    for document in _documents(path, text):
        if document.get("kind") == "CustomResourceDefinition":
            yield document
        elif document.get("kind") == "List":
            yield from (item for item in document.get("items") or () if isinstance(item, dict))
        elif "properties" in document or "$ref" in document:
            for api_version, kind in kinds:
                if _describes(document, path, api_version, kind):
                    yield _as_crd(document, api_version, kind)


def _documents(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        if path.suffix == ".json":
            parsed = [json.loads(text)]
        else:
            import yaml

            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            parsed = list(yaml.load_all(text, Loader=loader))
    except ValueError:
        return []
    except yaml.YAMLError:
        return []
    return [document for document in parsed if isinstance(document, dict)]


def _describes(schema: dict[str, Any], path: Path, api_version: str, kind: str) -> bool:
    group, _, version = api_version.rpartition("/")
    for of in schema.get("x-kubernetes-group-version-kind") or ():
        if (of.get("group"), of.get("version"), of.get("kind")) == (group, version, kind):
            return True
    stem, lower = path.stem.lower(), kind.lower()
    if path.parent.name == group and stem == f"{lower}_{version}":
        return True
    return stem == f"{lower}-{group.partition('.')[0]}-{version}"


def _as_crd(schema: dict[str, Any], api_version: str, kind: str) -> Manifest:
    """A CRD with `schema` as it is: nothing in it is structural."""
    group, _, version = api_version.rpartition("/")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": group,
            "names": {"kind": kind},
            "versions": [{"name": version, "served": True, "jsonSchema": schema}],
        },
    }
