"""mop.yaml against `mop/schema.json`: jsonschema finds the mistakes, this module says them to people.

Importing this module imports jsonschema, which takes longer than a whole render where nothing changed: `load`
does so only for a file that it has not found valid before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jsonschema

from mop.config.document import Document, Path, nearest, words
from mop.config.scalars import Ambiguous, resolve
from mop.config.validity import SCHEMA_FILE

_KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


@dataclass(frozen=True, slots=True)
class _Mistake:
    """`value` at `path` breaks the keyword of `rule` that asks for `wanted`.

    `choice`: all that could stand there, where the rule is but one branch of a choice.
    """

    path: Path
    value: Any
    rule: Mapping[str, Any]
    wanted: Any
    choice: str = ""


def check(document: Document) -> None:
    """Report in `document` every way in which its value breaks the schema."""
    for error in _validator().iter_errors(document.value):
        _tell(error, document)


@cache
def schema() -> Mapping[str, Any]:
    """The schema, parsed."""
    parsed: Mapping[str, Any] = json.loads(SCHEMA_FILE.read_bytes())
    return parsed


def resolved(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """`rule`, or what its `$ref` names, with the annotations that stand beside the reference."""
    if "$ref" not in rule:
        return rule
    target = schema()["definitions"][rule["$ref"].rpartition("/")[2]]
    return {**target, **{key: value for key, value in rule.items() if key != "$ref"}}


@cache
def _validator() -> Any:
    extend: Callable[..., Any] = jsonschema.validators.extend
    return extend(jsonschema.Draft7Validator, {"pattern": _pattern})(schema())


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    # Python's `$` also matches before a last newline; that of JSON Schema (ECMA 262) only at the very end.
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError("pattern")


def _tell(error: jsonschema.ValidationError, document: Document, choice: str = "") -> None:
    path: Path = tuple(error.absolute_path)
    rule = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "anyOf":
        for inner in _branch(error, rule):
            _tell(inner, document, "" if inner.relative_path else str(rule.get("errorMessage", choice)))
    elif "propertyNames" in list(error.absolute_schema_path)[-2:]:
        _tell_name(_Mistake((*path, str(error.instance)), error.instance, rule, None), document)
    else:
        mistake = _Mistake(path, error.instance, rule, error.validator_value, choice)
        _TELLERS[str(error.validator)](mistake, document)


def _branch(error: jsonschema.ValidationError, rule: Mapping[str, Any]) -> list[jsonschema.ValidationError]:
    """The errors of the branch that was meant: the right kind, the most keys known, the fewest errors."""
    branches: dict[int, list[jsonschema.ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    keys = set(error.instance) if isinstance(error.instance, dict) else set()

    def distance(index: int) -> tuple[bool, int, bool, int]:
        here = [e for e in branches[index] if not e.relative_path]
        here += _innermost(here)
        wrong_kind = any(e.validator == "type" for e in here)
        closed = any(e.validator == "additionalProperties" for e in here)
        return (wrong_kind, -len(keys & _properties(rule["anyOf"][index])), closed, len(branches[index]))

    return branches[min(branches, key=distance)]


def _innermost(errors: list[jsonschema.ValidationError]) -> list[jsonschema.ValidationError]:
    """Of a choice within a choice: the errors of its own branch that was meant."""
    found: list[jsonschema.ValidationError] = []
    for error in errors:
        if error.validator == "anyOf" and isinstance(error.schema, Mapping):
            found += [e for e in _branch(error, error.schema) if not e.relative_path]
    return found


def _properties(rule: Mapping[str, Any]) -> set[str]:
    rule = resolved(rule)
    return set(rule.get("properties", ())).union(*(_properties(option) for option in rule.get("anyOf", ())))


# ---------------------------------------------------------------- one function for each keyword of the schema


def _tell_kind(mistake: _Mistake, document: Document) -> None:
    rule, source = mistake.rule, document.source(mistake.path)
    expected = mistake.choice or rule.get("patternErrorMessage") or _values(rule) or _KINDS[mistake.wanted]
    hint = _kind_hint(mistake, source, expected)
    found = _found(mistake.value, source)
    document.report(mistake.path, "the wrong kind of value", expected=expected, found=found, hint=hint)


def _tell_value(mistake: _Mistake, document: Document) -> None:
    if "type" in mistake.rule and not isinstance(mistake.value, str):
        return  # the wrong kind of value, which has been told
    expected, hint = mistake.choice or _values(mistake.rule), ""
    if isinstance(mistake.value, str):
        hint = nearest(mistake.value, mistake.rule.get("enum", ()))
        if mistake.value == str(mistake.wanted):
            hint = f"write {mistake.wanted}, without quotes"
        elif not hint and "{context: NAME}" in expected:
            hint = f"for a context of the kubeconfig write {{context: {mistake.value}}}"
    found = _found(mistake.value, document.source(mistake.path))
    document.report(mistake.path, "not one of the values", expected=expected, found=found, hint=hint)


def _tell_form(mistake: _Mistake, document: Document) -> None:
    expected = mistake.rule["patternErrorMessage"]
    document.report(mistake.path, "a value of the wrong form", expected=expected, found=_found(mistake.value))


def _tell_unknown(mistake: _Mistake, document: Document) -> None:
    known = list(mistake.rule["properties"])
    for key in mistake.value:
        if key not in known:
            hint = nearest(key, known) or _belongs(key, mistake.rule)
            path, expected = (*mistake.path, key), mistake.choice or words(known)
            document.report(path, f"unknown key `{key}`", key=True, expected=expected, hint=hint)


def _tell_missing(mistake: _Mistake, document: Document) -> None:
    for key in mistake.wanted:
        if key not in mistake.value:
            rule = resolved(mistake.rule["properties"][key])
            meaning = rule.get("errorMessage") or rule["description"].partition(". ")[0].rstrip(".")
            if not meaning.split()[0][1:].isupper():
                meaning = meaning[0].lower() + meaning[1:]
            expected = f"`{key}`: {meaning}"
            document.report((*mistake.path, key), f"the key `{key}` is missing", expected=expected)


def _tell_twice(mistake: _Mistake, document: Document) -> None:
    for index, item in enumerate(mistake.value):
        if item in mistake.value[:index]:
            document.report(
                (*mistake.path, index), f"{_found(item)} stands in the list twice", hint="remove one"
            )


def _tell_count(mistake: _Mistake, document: Document) -> None:
    expected = mistake.choice or ("at least one entry" if not mistake.value else "one entry")
    found = ", ".join(mistake.value) or "an empty mapping"
    document.report(mistake.path, "the wrong number of entries", key=True, expected=expected, found=found)


def _tell_range(mistake: _Mistake, document: Document) -> None:
    expected = f"a number from {mistake.rule['minimum']} to {mistake.rule['maximum']}"
    document.report(mistake.path, "a number out of range", expected=expected, found=_found(mistake.value))


def _tell_empty(mistake: _Mistake, document: Document) -> None:
    document.report(mistake.path, "an empty text", expected="some text")


def _tell_name(mistake: _Mistake, document: Document) -> None:
    name, expected, hint = str(mistake.value), mistake.rule.get("patternErrorMessage", ""), ""
    if "DNS label" in expected:
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
        hint = f"write {better}" if better else ""
    message = f"`{name}` cannot be a name here" if name else "an empty name"
    document.report(mistake.path, message, key=True, expected=expected, hint=hint)


#: Every keyword that the schema uses to say no; a test holds the two together.
_TELLERS: Final[Mapping[str, Callable[[_Mistake, Document], None]]] = {
    "type": _tell_kind,
    "enum": _tell_value,
    "const": _tell_value,
    "pattern": _tell_form,
    "additionalProperties": _tell_unknown,
    "required": _tell_missing,
    "uniqueItems": _tell_twice,
    "minProperties": _tell_count,
    "maxProperties": _tell_count,
    "minimum": _tell_range,
    "maximum": _tell_range,
    "minLength": _tell_empty,
}


# ---------------------------------------------------------------- words


def _values(rule: Mapping[str, Any]) -> str:
    return words(str(value) for value in rule.get("enum", [rule["const"]] if "const" in rule else []))


def _found(value: Any, source: str = "") -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return source or str(value).lower()
    if isinstance(value, int | float):
        return f"the number {source or value}"
    if isinstance(value, str):
        text = re.sub(r"://[^/\s]*@", "://…@", value)  # a password, most likely
        return json.dumps(text if len(text) <= 60 else f"{text[:60]}…", ensure_ascii=False)
    return "a list" if isinstance(value, list) else "a mapping"


def _kind_hint(mistake: _Mistake, source: str, expected: str) -> str:
    value = mistake.value
    if value is None:
        return "write {} where there is nothing to say" if mistake.wanted == "object" else ""
    if "enum" in mistake.rule:
        return f'write "{source}"' if source in mistake.rule["enum"] else ""
    if mistake.wanted == "string" and source:
        if "duration" in expected and isinstance(value, int):
            return f"say the unit: {source}s for seconds"
        return f'write "{source}"' + (f', or {{code: "{source}"}}' if "code:" in expected else "")
    if isinstance(value, str) and _is_plain(value, mistake.wanted):
        return f"write {value}, without quotes"
    return f"write [{value}]" if mistake.wanted == "array" and isinstance(value, str) else ""


def _is_plain(text: str, kind: str) -> bool:
    try:
        return type(resolve(text)) is {"boolean": bool, "integer": int}.get(kind)
    except Ambiguous:
        return False


def _belongs(key: str, rule: Mapping[str, Any]) -> str:
    homes = ["the top level"] if key in schema()["properties"] else []
    for other in schema()["definitions"].values():
        if "title" in other and key in _properties(other) and rule not in other.get("anyOf", ()):
            homes.append(other["title"])
    return f"`{key}` belongs to {words(homes)}" if homes else ""
