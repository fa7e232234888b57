"""What Go's YAML libraries make of a plain scalar: their `resolve.go`, both generations."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from math import isinf
from typing import Any

PREFIX = "tag:yaml.org,2002:"
_NOT_THERE: Any = object()

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
_DIGIT_OR_SIGN = frozenset("0123456789+-")
_INTEGER = re.compile(
    r"[-+]?(?:(?P<hex>0[xX][0-9a-fA-F]+)|(?P<octal>0[oO]?[0-7]+)|(?P<binary>0[bB][01]+)|0|[1-9][0-9]*)"
)
#: `0b`, `-0b`, `0o`, `-0o` before what strconv.ParseInt takes in that base, a sign of its own included.
_BASED = re.compile(r"(?P<minus>-?)0(?P<base>[bo])(?P<digits>[-+]?[0-9]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_DATE = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2}):(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?"
_ZONE = r"(?:Z|(?P<sign>[-+])(?P<zone_hour>\d\d):(?P<zone_minute>\d\d))"
_TIMESTAMP = re.compile(rf"{_DATE}(?:[Tt]{_TIME}{_ZONE}|(?: +{_TIME.replace('?P<', '?P<s_')}))?", re.ASCII)


class Timestamp(str):
    """A timestamp as Go's time.Time is marshalled to JSON; `written` is the text in the file."""

    written: str


class CannotDecode(ValueError):
    """A scalar that does not fit its explicit tag."""


def plain(value: str, words: dict[str, bool | float | None]) -> Any:
    """The value of an untagged plain scalar: None, bool, int, float, Timestamp or str."""
    found = words.get(value, _NOT_THERE)
    if found is not _NOT_THERE:
        return found
    if value[0] in _DIGIT_OR_SIGN:
        return _number_or_time(value)
    if value[0] == "." and _POINT_FLOAT.fullmatch(value):
        return _float(value)
    return value


def plain_v3(value: str) -> Any:
    """As gopkg.in/yaml.v3 reads it (Tanka)."""
    return plain(value, _WORDS)


def plain_v2(value: str) -> Any:
    """As gopkg.in/yaml.v2 reads it (sigs.k8s.io/yaml, kubectl, Helm); timestamps stay as written."""
    found = plain(value, _WORDS_V2)
    return found.written if type(found) is Timestamp else found


def _number_or_time(value: str) -> Any:
    if value[4:5] == "-" and (time := _timestamp(value)) is not None:
        return time
    digits = value.replace("_", "")
    return _number(digits, value)


def _number(digits: str, otherwise: str) -> Any:
    match = _INTEGER.fullmatch(digits)
    if match is not None:
        number = _integer(digits, match)
        if -(1 << 63) <= number < 1 << 63 or (0 <= number < 1 << 64 and digits[0] not in "+-"):
            return number
    if _FLOAT.fullmatch(digits):
        found = _float(digits)
        return otherwise if isinstance(found, str) else found
    match = _BASED.fullmatch(digits)
    if match is not None:
        return _based(match, otherwise)
    return otherwise


def _integer(digits: str, match: re.Match[str]) -> int:
    text = digits.lstrip("+-")
    base = 16 if match["hex"] else 8 if match["octal"] else 2 if match["binary"] else 10
    number = int(text.lower().replace("0o", "", 1) if base == 8 else text, base)
    return -number if digits[0] == "-" else number


def _based(match: re.Match[str], otherwise: str) -> Any:
    digits = match["minus"] + match["digits"]
    try:
        number = int(digits, 2 if match["base"] == "b" else 8)
    except ValueError:
        return otherwise
    unsigned = digits[0] not in "+-" and number < 1 << 64
    return number if -(1 << 63) <= number < 1 << 63 or unsigned else otherwise


def _float(text: str) -> Any:
    """The number, or the text itself where Go says that it is out of range."""
    number = float(text)
    return text if isinf(number) else number


def _timestamp(value: str) -> Timestamp | None:
    """Go's time.Parse with the four layouts of parseTimestamp, marshalled as RFC 3339 with nanoseconds."""
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        return None
    spaced = "s_" if match["s_hour"] else ""
    hour, minute, second = (int(match[f"{spaced}{part}"] or 0) for part in ("hour", "minute", "second"))
    offset = int(match["zone_hour"] or 0) * 60 + int(match["zone_minute"] or 0)
    zone = (
        timezone(timedelta(minutes=-offset if match["sign"] == "-" else offset)) if 0 < offset < 1440 else UTC
    )
    if int(match["zone_hour"] or 0) > 23 or int(match["zone_minute"] or 0) > 59:
        return None
    try:
        year = int(match["year"])
        # Python's calendar begins with year 1; year 0 is a leap year like 2000.
        datetime(year or 2000, int(match["month"]), int(match["day"]), hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    fraction = (match[f"{spaced}fraction"] or "")[:9].rstrip("0")
    text = f"{year:04}-{int(match['month']):02}-{int(match['day']):02}T{hour:02}:{minute:02}:{second:02}"
    suffix = f"{match['sign']}{match['zone_hour']}:{match['zone_minute']}" if offset else "Z"
    result = Timestamp(f"{text}.{fraction}{suffix}" if fraction else f"{text}{suffix}")
    result.written = value
    return result


def tagged(tag: str, value: str, untagged: Callable[[str], Any]) -> Any:
    """The value of a scalar with an explicit tag; raises CannotDecode. Unknown tags leave the text."""
    name = tag.removeprefix(PREFIX) if tag.startswith(PREFIX) else ""
    if name == "binary":
        return _binary(value)
    if name not in ("bool", "int", "float", "null", "timestamp"):
        return value
    found = untagged(value)
    if name == "timestamp":
        if _timestamp(value) is not None:
            return untagged(value)
    elif isinstance(found, Timestamp) or (isinstance(found, str) and value[:1] in _DIGIT_OR_SIGN):
        found = _number(value.replace("_", ""), value)
    kind = _kind(found)
    if kind == name:
        return found
    if (name, kind) == ("float", "int"):
        return float(found)
    raise CannotDecode(f"cannot decode !!{kind} `{value}` as a !!{name}")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "bool", int: "int", float: "float", Timestamp: "timestamp"}.get(type(value), "str")


def _go_replacement(error: UnicodeError) -> tuple[str, int]:
    """Go replaces every byte that is not UTF-8 by U+FFFD, Python only every run of them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "�" * (error.end - error.start), error.end


codecs.register_error("mop-go", _go_replacement)


def _binary(value: str) -> str:
    try:
        data = base64.b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
    except binascii.Error:
        raise CannotDecode("!!binary value contains invalid base64 data") from None
    return data.decode(errors="mop-go")
