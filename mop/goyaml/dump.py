"""YAML out, for files: what Go's yaml.v2, yaml.v3 and PyYAML all read back as the same JSON.

Keys are sorted, sequences stand at the column of their key as kubectl writes them, texts of several lines are
literal blocks. A text that any of the three would take for something else is quoted.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

#: Plain in every reader: starts with a letter, `/` or `_`, holds no `: `, no ` #`, nothing special.
_PLAIN = re.compile(
    r"[A-Za-z_/](?:[A-Za-z0-9_./@%+=~^()$;&*!|<>?,'\"\[\]{}\\-]|:(?=[^\s])|(?<! )#| (?=[^\s#]))*"
)
#: Quantities and durations: digits first, but no number anywhere.
_QUANTITY = re.compile(
    r"[0-9]+(?:\.[0-9]+)?(?:m|[kMGTPE]|[KMGTPE]i|ms|s|h|d|w)|[0-9]+(?:h[0-9]+m[0-9]+s|m[0-9]+s)"
)
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
#: A line break of YAML 1.1 other than \n, or a character that a reader refuses or that people cannot see.
_SPECIAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
#: A key whose text is longer is written as `? key`; libyaml looks 1024 characters ahead for the `:`.
_LONGEST_KEY = 500


def dump(value: Any) -> str:
    """`value`, JSON data with text as keys, as one YAML document that ends with a newline.

    Raises ValueError for an infinity or NaN, TypeError for what JSON has not.
    """
    out: list[str] = []
    if isinstance(value, dict) and value:
        _mapping(value, "", "", out.append)
    elif isinstance(value, list) and value:
        _sequence(value, "", "", out.append)
    else:
        out.append(
            f"{_quoted(value) if isinstance(value, str) and _several_lines(value) else _scalar(value, '')}\n"
        )
    return "".join(out)


def _mapping(mapping: dict[str, Any], first: str, indent: str, write: Callable[[str], object]) -> None:
    """`first` stands before the first key, `indent` before the others."""
    lead = first
    deeper = indent + "  "
    for name in sorted(mapping):
        item = mapping[name]
        key = _short(name)
        if len(key) > _LONGEST_KEY:
            key = f"? {key}\n{indent}"
        kind = type(item)
        if kind is str:
            if len(item) > 80 or "\n" in item:
                write(f"{lead}{key}: {_text(item, deeper)}\n")
            else:
                write(f"{lead}{key}: {_short(item)}\n")
        elif kind is dict and item:
            write(f"{lead}{key}:\n")
            _mapping(item, deeper, deeper, write)
        elif kind is list and item:
            write(f"{lead}{key}:\n")
            _sequence(item, indent, indent, write)
        else:
            write(f"{lead}{key}: {_scalar(item, deeper)}\n")
        lead = indent


def _sequence(sequence: list[Any], first: str, indent: str, write: Callable[[str], object]) -> None:
    lead = first
    deeper = indent + "  "
    for item in sequence:
        kind = type(item)
        if kind is dict and item:
            _mapping(item, f"{lead}- ", deeper, write)
        elif kind is list and item:
            _sequence(item, f"{lead}- ", deeper, write)
        else:
            write(f"{lead}- {_scalar(item, deeper)}\n")
        lead = indent


def _scalar(value: Any, indent: str) -> str:
    if type(value) is str:
        return _text(value, indent)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _text(str(value), indent)
    if isinstance(value, dict | list):
        return "[]" if isinstance(value, list) else "{}"
    raise TypeError(f"not JSON: {type(value).__name__}")


def _float(value: float) -> str:
    if value - value != 0:
        raise ValueError(f"JSON has no such number: {value}")
    text = float.__repr__(value)
    mantissa, e, exponent = text.partition("e")
    # PyYAML takes 1e-07 for a text: YAML 1.1 wants a point.
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def _text(text: str, indent: str) -> str:
    if "\n" in text:
        return _block(text, indent)
    return _short(text) if len(text) <= 80 else _inline(text)


@functools.lru_cache(maxsize=1 << 14)
def _short(text: str) -> str:
    """`_inline`, remembered: keys and short texts repeat."""
    return _inline(text)


def _inline(text: str) -> str:
    if _PLAIN.fullmatch(text) is not None:
        return text if text.lower() not in _WORDS else f'"{text}"'
    return text if _QUANTITY.fullmatch(text) is not None else _quoted(text)


def _several_lines(text: str) -> bool:
    return "\n" in text


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _SPECIAL.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _block(text: str, indent: str) -> str:
    """A literal block whose lines stand at `indent`; quoted where one would not give the text back."""
    body = text.rstrip("\n")
    if not body.strip() or not indent or _SPECIAL.search(text) is not None:
        return _quoted(text)
    # Readers find the block's indentation from its first line that is not blank, unless it is told.
    hint = "2" if text[0] in " \t\n" else ""
    ending = len(text) - len(body)
    chomp = ("-", "", "+")[min(ending, 2)]
    lines = "\n".join(f"{indent}{line}" if line else "" for line in body.split("\n"))
    return f"|{hint}{chomp}\n{lines}" + "\n" * (ending - 1)
