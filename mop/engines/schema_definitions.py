"""The Kubernetes API's definitions of one version, made small and strict, kept ready in the cache.

`kubernetes-validate` ships them as one file of 1.5 MB a version. Descriptions go; formats that a validator
does not know (`int32`, `byte`, quantities, int-or-string, RFC 3339 time) become bounds and patterns;
enumerations, which the packaged schemas lack, come from what an API server serves (`data/openapi.json`), and
what it requires beyond its OpenAPI from `schema_rules`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mop.cache import Cache
from mop.errors import ConfigError, ToolError
from mop.files import sha256

#: Part of the cache's key: raise it when `translate`, or a rule, changes.
FORMAT = 6

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

#: k8s.io/apimachinery pkg/api/resource/quantity.go, ParseQuantity; UnmarshalJSON trims spaces.
QUANTITY = r"^[ \t\r\n]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?[ \t\r\n]*$"
#: Go's base64.StdEncoding, which skips line ends.
_SIX = r"[A-Za-z0-9+/][\r\n]*"
BASE64 = rf"^[\r\n]*(({_SIX}){{4}})*(({_SIX}){{2}}=[\r\n]*=[\r\n]*|({_SIX}){{3}}=[\r\n]*)?$"
#: Go's time.RFC3339.
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"

#: What a value that breaks one of these patterns should have been, in words.
MEANING = {
    QUANTITY: "a quantity such as 500m, 2 or 4Gi",
    BASE64: "base64",
    TIME: "a time such as 2006-01-02T15:04:05Z",
}

_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}
FORMATS: Mapping[str, Mapping[str, Any]] = {
    "int32": _INT32,
    "int64": _INT64,
    "byte": {"pattern": BASE64},
    "date-time": {"pattern": TIME},
}
INT_OR_STRING = {"type": ["integer", "string", "null"], **_INT32}
_WHOLE: Mapping[str, Mapping[str, Any]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": INT_OR_STRING,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["string", "number", "null"],
        "pattern": QUANTITY,
    },
}
_NOTES = frozenset({"description", "title", "default", "example", "externalDocs"})
_REF = "#/$defs/"


@dataclass(frozen=True, slots=True)
class Definitions:
    """`kinds`: `apps/v1 Deployment` → definition. `needs`: what each refers to. `text`: its JSON."""

    kubernetes: str
    kinds: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    text: Mapping[str, str]

    def closure(self, names: Iterable[str]) -> list[str]:
        """`names` and all that they refer to, sorted."""
        found: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending.extend(self.needs[name])
        return sorted(found)

    def definition(self, name: str) -> dict[str, Any]:
        """The schema of `name`."""
        parsed: dict[str, Any] = json.loads(self.text[name])
        return parsed

    def bundle(self, names: Iterable[str]) -> str:
        """A JSON object of the closure of `names`, to stand as a schema's `$defs`."""
        return "{" + ",".join(f'"{name}":{self.text[name]}' for name in self.closure(names)) + "}"


def load(kubernetes: str, cache: Cache) -> Definitions:
    """The definitions of `kubernetes` (`1.34`), from `cache` if it has them; ConfigError if unknown."""
    source = package() / f"v{kubernetes}.0-local-strict" / "_definitions.json"
    if not source.is_file():
        known = versions()
        raise ConfigError(
            f"Kubernetes {kubernetes} has no schemas here; known are {known[0]} to {known[-1]}",
            hint="set `kubernetes:` in mop.yaml to one of these, or install a newer kubernetes-validate",
        )
    overlay = (Path(__file__).parent / "data" / "openapi.json").read_bytes()
    state = source.stat()
    key = sha256(f"{FORMAT} {state.st_size} {state.st_mtime_ns} {source} {sha256(overlay)}")
    body, _ = cache.made_once(key, lambda: _build(source, overlay))
    stored = json.loads(body)
    return Definitions(kubernetes, stored["kinds"], stored["needs"], stored["text"])


@functools.cache
def versions() -> tuple[str, ...]:
    """The Kubernetes versions that there are schemas for, oldest first: `1.25` …"""
    minors = sorted(int(folder.name.split(".")[1]) for folder in package().glob("v1.*.0-local-strict"))
    return tuple(f"1.{minor}" for minor in minors)


@functools.cache
def package() -> Path:
    """The folder of packaged schemas; found without importing the package, which would pull in jsonschema."""
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise ToolError("the package kubernetes-validate is missing", hint="pip install kubernetes-validate")
    return Path(spec.origin).parent / "kubernetes-json-schema"


def translate(schema: Any) -> Any:
    """`schema` without notes, and with each format as something that a validator checks."""
    if isinstance(schema, list):
        return [translate(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            out[key] = {name: translate(sub) for name, sub in value.items()}
        elif key == "format":
            out.update(FORMATS.get(value, {}))
        elif key not in _NOTES and not key.startswith("x-kubernetes-"):
            out[key] = translate(value)
    return out


def _restrict(definition: dict[str, Any], name: str, allowed: list[Any]) -> None:
    """Let property `name` (`name[]`: its items) be one of `allowed`, or unset, which "" and null mean too."""
    target = definition.get("properties", {}).get(name.removesuffix("[]"))
    if target is not None and name.endswith("[]"):
        target = target.get("items")
    if target is None or "$ref" in target or "enum" in target:
        return
    unset = [] if name in definition.get("required", ()) or name.endswith("[]") else ["", None]
    target["enum"] = [*allowed, *(value for value in unset if value not in allowed)]


def _build(source: Path, overlay: bytes) -> bytes:
    from mop.engines.schema_rules import tighten

    enums: dict[str, dict[str, list[Any]]] = json.loads(overlay)["enums"]
    raw: dict[str, Any] = json.loads(source.read_bytes())["$defs"]
    kinds, needs, text = {}, {}, {}
    for name, schema in raw.items():
        of = schema.get("x-kubernetes-group-version-kind", ())
        if len(of) == 1 and not of[0]["kind"].endswith("List"):
            api_version = f"{of[0]['group']}/{of[0]['version']}".removeprefix("/")
            kinds[f"{api_version} {of[0]['kind']}"] = name
        definition: dict[str, Any] = dict(_WHOLE.get(name) or translate(schema))
        tighten(name, definition)
        for field, allowed in enums.get(name, {}).items():
            _restrict(definition, field, allowed)
        needs[name] = sorted(set(_references(definition)))
        text[name] = json.dumps(definition, separators=(",", ":"), ensure_ascii=False)
    stored = {"kinds": kinds, "needs": needs, "text": text}
    return json.dumps(stored, separators=(",", ":"), ensure_ascii=False).encode()


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(_REF)
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)
