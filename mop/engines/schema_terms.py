"""The words that `schema_rules` is written in: JSON Schema for what is required, allowed and conditional."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def needs(*fields: str, **more: Any) -> Schema:
    """`fields` must be there, not null and not empty.

    `more`: `properties` to tighten, `allOf` to add, `optional` fields that OpenAPI requires and the server does not.
    """
    return {"required": list(fields), **more}


def one_of(*fields: str, title: str) -> Schema:
    """At least one of `fields`."""
    return {"title": title, "anyOf": [{"required": [field]} for field in fields]}


def when(field: str, *values: Any, then: Schema, otherwise: Schema | None = None) -> Schema:
    """`then` where `field` has one of `values`, `otherwise` elsewhere."""
    condition = {"required": [field], "properties": {field: {"enum": list(values)}}}
    return {"if": condition, "then": then, **({"else": otherwise} if otherwise else {})}


def filled(*fields: str) -> Schema:
    """`fields` are there and not empty; for conditions."""
    full = {
        "minLength": 1,
        "minItems": 1,
        "type": ["string", "array", "object", "integer", "boolean", "number"],
    }
    return {"required": list(fields), "properties": dict.fromkeys(fields, full)}


NUMBER = {"minimum": 1, "maximum": 65535}
#: validation.IsValidPortName (IANA_SVC_NAME): at most 15 characters, a letter among them, no `--`.
#: Written without lookahead, which costs a tenfold compile.
NAMED = {"pattern": "^([a-z0-9]+-)*[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 15}
PORT = {**NUMBER, **NAMED}
TARGET = {**PORT, "pattern": f"^$|{NAMED['pattern']}"}
POSITIVE = {"minimum": 1}
NATURAL = {"minimum": 0}
#: validation.IsValidPercent, and no negative number.
PART = {"minimum": 0, "pattern": "^[0-9]+%$"}


def items(field: str, rule: Schema) -> Schema:
    """`rule` holds for each entry of the list `field`."""
    return {"properties": {field: {"items": rule}}}


def pods(*policies: str | None) -> Schema:
    """A pod template's restartPolicy where its owner allows only some."""
    spec = {"properties": {"restartPolicy": {"enum": [*policies]}}}
    return {"properties": {"spec": spec}}


def data(key: str) -> Schema:
    """A Secret has `key`, encoded or not."""
    fields = ("data", "stringData")
    return {"anyOf": [{"required": [field], "properties": {field: {"required": [key]}}} for field in fields]}


ALWAYS = {"template": pods("Always", "", None)}
RETENTION = {"enum": ["Retain", "Delete", "", None]}
ONE_SOURCE = {"minProperties": 1, "maxProperties": 1}
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
