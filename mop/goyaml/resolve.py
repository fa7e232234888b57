"""What Go's YAML libraries make of a scalar: their `resolve.go`, both generations."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable
from typing import Any

from mop.goyaml import timestamp
from mop.goyaml.numbers import MAX_INT64, number
from mop.goyaml.timestamp import Timestamp

PREFIX = "tag:yaml.org,2002:"
_NOT_THERE: Any = object()
_NUMERIC = frozenset("0123456789+-.")

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
#: YAML 1.1's further booleans, which yaml.v2 (and so sigs.k8s.io/yaml, kubectl and Helm) still reads.
_WORDS_V2: dict[str, bool | float | None] = {
    **_WORDS,
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}


class CannotDecode(ValueError):
    """A scalar that does not fit its explicit tag."""


def plain_v3(value: str) -> Any:
    """As gopkg.in/yaml.v3 reads an untagged plain scalar: None, bool, int, float, Timestamp or str."""
    return _plain(value, _WORDS, "bo")


def plain_v2(value: str) -> Any:
    """As gopkg.in/yaml.v2 does (sigs.k8s.io/yaml, kubectl, Helm); a Timestamp stays as it is written."""
    found = _plain(value, _WORDS_V2, "b")
    return found.written if type(found) is Timestamp else found


def _plain(value: str, words: dict[str, bool | float | None], bases: str) -> Any:
    found = words.get(value, _NOT_THERE)
    if found is not _NOT_THERE:
        return found
    if value[0] not in _NUMERIC:
        return value
    if value[4:5] == "-" and (time := timestamp.parse(value)) is not None:
        return time
    found = number(value, bases)
    return value if found is None else found


def tagged(tag: str, value: str, untagged: Callable[[str], Any]) -> Any:
    """The value of a scalar with an explicit tag; raises CannotDecode. Unknown tags leave the text."""
    name = tag.removeprefix(PREFIX) if tag.startswith(PREFIX) else ""
    if name == "binary":
        return _binary(value)
    if name not in ("bool", "int", "float", "null", "timestamp"):
        return value
    found = untagged(value)
    time = timestamp.parse(value)
    if time is not None:
        # Only an untagged scalar, or one that asks for it, is tried as a time.
        if name == "timestamp":
            return found
        found = value
    kind = _kind(found)
    if kind == name:
        return found
    if (name, kind) == ("float", "int") and found <= MAX_INT64:
        return float(found)
    raise CannotDecode(f"cannot decode !!{kind} `{value}` as a !!{name}")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "bool", int: "int", float: "float"}.get(type(value), "str")


def _go_replacement(error: UnicodeError) -> tuple[str, int]:
    """Go replaces every byte that is not UTF-8 by U+FFFD, Python only every run of them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "�" * (error.end - error.start), error.end


codecs.register_error("mop-go", _go_replacement)


def _binary(value: str) -> str:
    try:
        data = base64.b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError:
        raise CannotDecode("!!binary value contains invalid base64 data") from None
    return data.decode(errors="mop-go")
