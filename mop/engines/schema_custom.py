"""CustomResourceDefinitions as JSON Schema, strict as the API server with `fieldValidation=Strict`.

Structural schemas (apiextensions-apiserver, pkg/apiserver/schema): a field that is not specified is pruned,
hence an error here, unless `x-kubernetes-preserve-unknown-fields` keeps it. CEL rules are left to the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mop.engines.schema_definitions import FORMATS, OBJECT_META
from mop.manifest import Manifest

_META = {"$ref": f"#/$defs/{OBJECT_META}"}
#: Copied as they are; everything else of OpenAPI is translated below or only documents.
_KEEP = frozenset(
    {
        "enum", "pattern", "minimum", "maximum", "multipleOf", "minLength", "maxLength",
        "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
    }
)  # fmt: skip
_BRANCHES = ("allOf", "anyOf", "oneOf")


def kinds(crds: Iterable[Manifest]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """(apiVersion, kind) → the served version that `crds` define it with."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for crd in crds:
        spec = crd.get("spec") or {}
        kind = (spec.get("names") or {}).get("kind")
        for version in spec.get("versions") or ():
            if version.get("served", True) and kind:
                found[f"{spec.get('group')}/{version.get('name')}", kind] = version
    return found


def schema(version: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of a CRD's `version` (`jsonSchema`: as it is); without one anything is allowed beside metadata."""
    if "jsonSchema" in version:
        plain: dict[str, Any] = version["jsonSchema"]
        return plain
    root = (version.get("schema") or {}).get("openAPIV3Schema")
    if not root:
        return {"type": "object", "properties": {"metadata": _META}}
    return _embedded(structural(root))


def structural(node: Mapping[str, Any]) -> dict[str, Any]:
    """One node of a structural schema: its own rules, and no other fields than those it specifies."""
    out = _rules(node)
    if "properties" in node:
        out["properties"] = {name: structural(sub) for name, sub in node["properties"].items()}
    if isinstance(node.get("items"), Mapping):
        out["items"] = structural(node["items"])
    extra = node.get("additionalProperties")
    if isinstance(extra, Mapping):
        out["additionalProperties"] = structural(extra)
    elif node.get("type") == "object" and extra is not True and not _open(node):
        # Without `properties`, jsonschema-rs would not name the unknown field.
        out = {"properties": {}, **out, "additionalProperties": False}
    return _embedded(out) if node.get("x-kubernetes-embedded-resource") else out


def _open(node: Mapping[str, Any]) -> bool:
    return bool(node.get("x-kubernetes-preserve-unknown-fields"))


def _rules(node: Mapping[str, Any]) -> dict[str, Any]:
    """What `node` says of the value itself."""
    out = {key: value for key, value in node.items() if key in _KEEP}
    out.update(FORMATS.get(node.get("format", ""), {}))
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if node.get(exclusive) is True and bound in out:
            out[exclusive] = out.pop(bound)
    types = ["integer", "string"] if node.get("x-kubernetes-int-or-string") else node.get("type")
    if types:
        out["type"] = types
    if types and (node.get("nullable") or "default" in node):
        out["type"] = [*(types if isinstance(types, list) else [types]), "null"]
        if "enum" in out:
            out["enum"] = [*out["enum"], None]
    for branch in _BRANCHES:
        if branch in node:
            out[branch] = [_condition(sub) for sub in node[branch]]
    if "not" in node:
        out["not"] = _condition(node["not"])
    return out


def _condition(node: Mapping[str, Any]) -> dict[str, Any]:
    """A schema inside allOf, anyOf, oneOf or not: it states conditions and specifies no fields."""
    out = _rules(node)
    if "properties" in node:
        out["properties"] = {name: _condition(sub) for name, sub in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), Mapping):
            out[key] = _condition(node[key])
    return out


def _embedded(out: dict[str, Any]) -> dict[str, Any]:
    """Let `out` be a whole object: Kubernetes, not the CRD, specifies apiVersion, kind and metadata."""
    properties = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, **out.get("properties", {})}
    return {**out, "properties": {**properties, "metadata": _META}}
