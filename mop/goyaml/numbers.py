"""Numbers as Go's strconv reads and writes them, and as its encoding/json does."""

from __future__ import annotations

import re
import struct
from decimal import Decimal
from math import isinf

MAX_INT64 = (1 << 63) - 1
MAX_UINT64 = (1 << 64) - 1

#: What strconv.ParseInt takes with base 0; underscores are gone by then.
_INTEGER = re.compile(
    r"[-+]?(?:(?P<hex>0[xX][0-9a-fA-F]+)|(?P<octal>0[oO]?[0-7]+)|(?P<binary>0[bB][01]+)|0|[1-9][0-9]*)"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?")
#: The YAML libraries strip `0b` and `0o` themselves, so that a sign of its own may follow.
_BASED = re.compile(r"(?P<minus>-?)0(?P<base>[bo])(?P<digits>[-+]?[0-9]+)")
_BASES = {"b": 2, "o": 8}


def number(text: str, bases: str) -> int | float | None:
    """The number that a plain scalar is, if it is one (resolve.go); `bases`: prefixes that may precede a sign."""
    if text[0] == ".":
        return _float(text) if _POINT_FLOAT.fullmatch(text) else None
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match is not None:
        value = _integer(digits, match)
        if _fits(digits, value):
            return value
    if _FLOAT.fullmatch(digits):
        return _float(digits)
    match = _BASED.fullmatch(digits)
    if match is None or match["base"] not in bases:
        return None
    return _based(match["minus"] + match["digits"], _BASES[match["base"]])


def _integer(digits: str, match: re.Match[str]) -> int:
    text = digits.lstrip("+-")
    base = 16 if match["hex"] else 8 if match["octal"] else 2 if match["binary"] else 10
    value = int(text.lower().replace("o", "") if base == 8 else text, base)
    return -value if digits[0] == "-" else value


def _based(digits: str, base: int) -> int | None:
    try:
        value = int(digits, base)
    except ValueError:
        return None
    return value if _fits(digits, value) else None


def _fits(digits: str, value: int) -> bool:
    """An int64, or a uint64 written without a sign."""
    return -MAX_INT64 - 1 <= value <= MAX_INT64 or (0 <= value <= MAX_UINT64 and digits[0] not in "+-")


def _float(text: str) -> float | None:
    value = float(text)
    return None if isinf(value) else value


def as_json(value: float) -> int | float:
    """The number that encoding/json writes: without a fraction and below 1e21, an integer's digits."""
    if not value.is_integer() or abs(value) >= 1e21 or str(value) == "-0.0":
        return value
    # Beyond 2^53 Go fills up the shortest digits with zeros.
    return int(value) if abs(value) < 1 << 53 else int(Decimal(repr(value)))


def go_float(value: float) -> str:
    """strconv.FormatFloat(value, 'g', -1, 64): shortest digits, an exponent below 1e-4 and from 1e6 on."""
    return _general(repr(value))


def go_float32(value: float) -> str:
    """strconv.FormatFloat(value, 'g', -1, 32), as sigs.k8s.io/yaml writes a key that is a number."""
    if value != value or isinf(value):
        return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
    single = _single(value)
    if isinf(single):
        return ".inf" if value > 0 else "-.inf"
    return _general(
        next(repr(float(text)) for n in range(1, 10) if _single(float(text := f"{single:.{n}g}")) == single)
    )


def _single(value: float) -> float:
    try:
        found: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return found


def _general(text: str) -> str:
    """Python's shortest digits, laid out as Go's %g does."""
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    every = whole + fraction
    digits = every.lstrip("0")
    if not digits:
        return f"{sign}0"
    exponent = int(power or 0) + len(whole) - 1 - (len(every) - len(digits))
    digits = digits.rstrip("0")
    if -4 <= exponent < 6:
        return sign + _fixed(digits, exponent)
    mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def _fixed(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{digits[exponent + 1 :]}" if digits[exponent + 1 :] else whole
