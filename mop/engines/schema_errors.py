"""What a schema has against an object, in words: path, expected, found, nearest name; no secret's value."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mop.engines.schema_definitions import MEANING
from mop.problem import Problem

Path = Sequence[str | int]
#: The schema that holds for a path inside the object, as far as it is known.
Lookup = Callable[[Path], Mapping[str, Any]]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_LONGEST = 60
#: Fields that carry what people wrote for programs, passwords among it; their values are never shown.
_PRIVATE = frozenset(
    {"data", "stringData", "binaryData", "annotations", "args", "command", "value", "caBundle"}
)


def problems(error: Any, lookup: Lookup, lookup_title: Callable[[Path], str]) -> Iterator[Problem]:
    """Problems of one error of jsonschema-rs.

    `lookup` answers which properties there would have been, `lookup_title` what a broken rule says of itself.
    """
    path: list[str | int] = list(error.instance_path)[2:]  # after the kind and the place among its objects
    rule, facts = error.kind.name, error.kind.as_dict()
    if rule in ("additionalProperties", "unevaluatedProperties"):
        known = lookup(path).get("properties", {})
        for name in facts["unexpected"]:
            yield _problem([*path, name], "unknown field", found=name, hint=nearest(name, known))
    elif rule == "required":
        missing = [*path, facts["property"]]
        yield _problem(missing, "required field is missing", expected=_expected(lookup(missing)))
    elif rule == "enum":
        yield _choice(path, facts["options"], error.instance)
    elif title := lookup_title(error.schema_path):
        yield _problem(path, title)
    elif rule == "type" and error.instance is None:
        yield _problem(path, "required field is missing", expected=_types(facts["types"]), found="null")
    else:
        yield _problem(path, *_broken(rule, facts), found=show(error.instance, path))


def _broken(rule: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Message, and what was expected."""
    if rule == "type":
        return "wrong type", _types(facts["types"])
    if rule in ("minLength", "minItems", "minProperties") and facts["limit"] == 1:
        return "must not be empty", ""
    if rule == "pattern":
        return "wrong format", MEANING.get(facts["pattern"]) or f"text like {facts['pattern']}"
    if rule in _LIMITS:
        return "out of range", f"{_LIMITS[rule]} {facts['limit']}"
    return _RULES.get(rule, f"breaks the rule {rule}"), ""


def dotted(path: Path) -> str:
    """`spec.containers[0].image`; a key that is no plain name stands in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.match(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text


def nearest(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """`did you mean image?`, or nothing."""
    lower = {key.lower(): key for key in known}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.7)
    return f"did you mean {lower[close[0]]}?" if close else ""


def show(value: Any, path: Path) -> str:
    """`value` for people: its type, and the value itself where it is short and cannot be a secret."""
    name = type_name(value)
    if isinstance(value, dict | list) or value is None or _private(path):
        return name
    text = json.dumps(value, ensure_ascii=False)
    return f"{name} {text}" if len(text) <= _LONGEST else f"{name} {text[:_LONGEST]}…"


def type_name(value: Any) -> str:
    """The JSON type of `value`."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), type(value).__name__)


_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minLength": "characters, at least",
    "maxLength": "characters, at most",
    "minItems": "items, at least",
    "maxItems": "items, at most",
    "minProperties": "fields, at least",
    "maxProperties": "fields, at most",
}
_RULES = {
    "oneOf": "matches none, or more than one, of the allowed shapes",
    "anyOf": "matches none of the allowed shapes",
    "not": "has a shape that is not allowed",
    "uniqueItems": "has an item twice",
    "const": "is not the one allowed value",
    "falseSchema": "must not be there",
}


def _private(path: Path) -> bool:
    return any(part in _PRIVATE for part in path)


def _choice(path: Path, options: Sequence[Any], found: Any) -> Problem:
    allowed = [str(option) for option in options if option not in ("", None)]
    hint = nearest(found, allowed) if isinstance(found, str) and not _private(path) else ""
    expected = f"one of {', '.join(allowed)}" if len(allowed) > 1 else "".join(allowed)
    return _problem(path, "not an allowed value", expected=expected, found=show(found, path), hint=hint)


def _types(types: Sequence[str]) -> str:
    return " or ".join(sorted(name for name in types if name != "null"))


def _expected(schema: Mapping[str, Any]) -> str:
    """What a missing field would hold, if that says anything."""
    if "enum" in schema:
        return f"one of {', '.join(str(option) for option in schema['enum'] if option is not None)}"
    types = schema.get("type", ())
    return types if isinstance(types, str) else _types(types)


def _problem(path: Path, message: str, expected: str = "", *, found: str = "", hint: str = "") -> Problem:
    where = dotted(path)
    return Problem(message, check="schema", path=where, expected=expected, found=found, hint=hint)
