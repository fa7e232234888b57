"""What a plain scalar of mop.yaml means.

Plain `tk` reads the file through `std.parseYaml`, which is Go's yaml.v2 (resolve.go): there `yes` and `on`
are booleans, `0777` is octal, `1_000` a number and `12:30` text. Other readers, editors among them, differ in
just those. So what all agree on has a value here, and what they do not agree on is a mistake.
"""

from __future__ import annotations

import re
from typing import Final

_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_YES: Final = frozenset(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))
_NO: Final = frozenset(("n", "N", "no", "No", "NO", "off", "Off", "OFF"))
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NUMBER_LIKE: Final = re.compile(
    r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)"
)

#: Integers below 10^300: Go takes larger ones for floats, and the largest for text.
_MOST_DIGITS: Final = 300

Scalar = str | int | float | bool | None


class Ambiguous(ValueError):
    """Readers of YAML disagree on this scalar; `args` are what it may be, and how to write what is meant."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy


def resolve(text: str) -> Scalar:
    """The value of the plain scalar `text`. Raises Ambiguous where it depends on who reads it."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _YES or text in _NO:
        word = "true" if text in _YES else "false"
        raise Ambiguous(
            f"`{text}` is {word} to some readers and text to others", f'write {word}, or "{text}"'
        )
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text) and len(text) < _MOST_DIGITS:
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value not in (float("inf"), float("-inf")):
            return value
    elif _NOT_FINITE.fullmatch(text):
        raise Ambiguous(f"`{text}` is a number that JSON does not have", f'write "{text}" if text is meant')
    elif not _NUMBER_LIKE.fullmatch(text.replace("_", "")):
        return text
    raise Ambiguous(f"`{text}` is one number to some readers and another, or text, to others", _number(text))


def _number(text: str) -> str:
    return f'write "{text}" if text is meant, else the number in plain decimal digits'
