"""gopkg.in/yaml.v3's Marshal, byte for byte, for Tanka's manifestYamlFromJson (encode.go, emitterc.go).

Its output goes into ConfigMaps and from there into checksums, so its oddities are kept: natural key order,
lists indented by four, `1e+06`, every character outside the Basic Multilingual Plane escaped.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from mop.goyaml.numbers import go_float
from mop.goyaml.resolve import plain_v2, plain_v3

_INDENT = 4
_LONGEST_SIMPLE_KEY = 128
_BREAKS = "\r\n\x85\u2028\u2029"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\U00010000-\U0010ffff]")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_ESCAPES = {
    0x00: "0", 0x07: "a", 0x08: "b", 0x09: "t", 0x0A: "n", 0x0B: "v", 0x0C: "f", 0x0D: "r", 0x1B: "e",
    0x22: '"', 0x5C: "\\", 0x85: "N", 0xA0: "_", 0x2028: "L", 0x2029: "P",
}  # fmt: skip


def dump_v3(value: Any) -> str:
    """`value`, JSON data, as yaml.v3 marshals what encoding/json decoded: every number a float64."""
    emitter = _Emitter()
    emitter.node(value, -1, in_sequence=False)
    emitter.write_indent(-1)
    return "".join(emitter.out)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which styles a text may have (yaml_emitter_analyze_scalar, in block context)."""

    multiline: bool
    plain: bool
    single: bool
    block: bool


class _Emitter:
    """The part of yaml.v3's emitter that JSON data needs, with its state."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.column = 0
        self.whitespace = True
        self.indention = True

    def node(self, value: Any, indent: int, *, in_sequence: bool) -> None:
        if isinstance(value, dict) and value:
            self._mapping(value, _deeper(indent, in_sequence=in_sequence))
        elif isinstance(value, list) and value:
            self._sequence(value, _deeper(indent, in_sequence=in_sequence))
        elif isinstance(value, str):
            self._string(value, _deeper(indent, in_sequence=in_sequence, scalar=True), key=False)
        else:
            self._indicator(_word(value), space=True)

    def _mapping(self, value: dict[str, Any], indent: int) -> None:
        for key in sorted(value, key=functools.cmp_to_key(_compare)):
            self.write_indent(indent)
            simple = len(key.encode()) <= _LONGEST_SIMPLE_KEY and not (_shape(key).multiline)
            if not simple:
                self._indicator("?", space=True, indention=True)
            self._string(key, _deeper(indent, in_sequence=False, scalar=True), key=simple)
            if simple:
                self._indicator(":")
            else:
                self.write_indent(indent)
                self._indicator(":", space=True, indention=True)
            self.node(value[key], indent, in_sequence=False)

    def _sequence(self, value: list[Any], indent: int) -> None:
        for item in value:
            self.write_indent(indent)
            self._indicator("-", space=True, indention=True)
            self.node(item, indent, in_sequence=True)

    def _string(self, text: str, indent: int, *, key: bool) -> None:
        shape = _shape(text)
        if "\n" in text:
            if shape.block and not key:
                self._literal(text, indent)
            else:
                self._double(text)
        elif not _plain_string(text):
            self._double(text)
        elif shape.plain and text:
            self._put((" " if not self.whitespace else "") + text)
        elif shape.single:
            self._single(text, indent)
        else:
            self._double(text)

    def _double(self, text: str) -> None:
        # yaml.v3 looks for a byte order mark at the start of the text, whichever character it is at.
        everything = text.startswith("\ufeff")
        self._indicator('"' + "".join(_escaped(c, always=everything) for c in text) + '"', space=True)

    def _single(self, text: str, indent: int) -> None:
        self._indicator("'", space=True)
        breaks = False
        for character in text:
            if character in _BREAKS:
                self._break(character)
                breaks = True
                continue
            if breaks and character != " ":
                self.write_indent(indent)
            self._put("''" if character == "'" else character)
            breaks = breaks and character == " "
        self._indicator("'")

    def _literal(self, text: str, indent: int) -> None:
        hint = str(_INDENT) if text[0] in f" {_BREAKS}" else ""
        chomp = "-" if text[-1] not in _BREAKS else "+" if len(text) == 1 or text[-2] in _BREAKS else ""
        self._indicator(f"|{hint}{chomp}", space=True)
        self.whitespace = True
        breaks = True
        for character in text:
            if character in _BREAKS:
                self._break(character)
            else:
                if breaks:
                    self.write_indent(indent)
                self.out.append(character)
                self.column += 1
                self.indention = False
            breaks = character in _BREAKS

    def write_indent(self, indent: int) -> None:
        indent = max(indent, 0)
        if not self.indention or self.column > indent or (self.column == indent and not self.whitespace):
            self._break("\n")
        self.out.append(" " * (indent - self.column))
        self.column = max(indent, self.column)
        self.whitespace = True

    def _break(self, character: str) -> None:
        self.out.append(character)
        self.column = 0
        self.indention = True

    def _put(self, text: str) -> None:
        self.out.append(text)
        self.column += len(text)
        self.whitespace = self.indention = False

    def _indicator(self, text: str, *, space: bool = False, indention: bool = False) -> None:
        before = self.indention
        self._put(" " + text if space and not self.whitespace else text)
        self.indention = before and indention


def _deeper(indent: int, *, in_sequence: bool, scalar: bool = False) -> int:
    """yaml_emitter_increase_indent: past `- ` inside a sequence, else to the next multiple of four."""
    if indent < 0:
        return _INDENT if scalar else 0
    return indent + 2 if in_sequence else _INDENT * ((indent + _INDENT) // _INDENT)


def _word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return go_float(float(value))


@functools.lru_cache(maxsize=1 << 12)
def _plain_string(text: str) -> bool:
    """Whether an unquoted `text` is a string to YAML 1.1 and 1.2 (encode.go, stringv)."""
    resolved = type(plain_v3(text)) is str and type(plain_v2(text)) is str
    return resolved and _BASE_60.fullmatch(text) is None


@functools.lru_cache(maxsize=1 << 12)
def _shape(text: str) -> _Shape:
    if not text:
        return _Shape(multiline=False, plain=True, single=True, block=False)
    special = _UNPRINTABLE.search(text) is not None
    space_break = any(f" {b}" in text for b in _BREAKS)
    break_space = any(f"{b} " in text for b in _BREAKS)
    multiline = any(b in text for b in _BREAKS)
    ends = text[0] in f" {_BREAKS}" or text[-1] in f" {_BREAKS}"
    unquoted = not (
        ends or break_space or space_break or "\t" in text or special or multiline or _indicators(text)
    )
    return _Shape(
        multiline=multiline,
        plain=unquoted,
        single=not (break_space or space_break or "\t" in text or special),
        block=not (text[-1] == " " or space_break or special),
    )


def _indicators(text: str) -> bool:
    """Whether something in `text` has a meaning outside quotes, in block context."""
    if text.startswith(("---", "...")) or text[0] in "#,[]{}&*!|>'\"%@`":
        return True
    if text[0] in "?:-" and (len(text) == 1 or text[1] in " \t"):
        return True
    return text.endswith(":") or re.search(r":[ \t]|[ \t\r\n\x85\u2028\u2029]#", text) is not None


def _escaped(character: str, *, always: bool) -> str:
    if not always and character not in f'"\\\t{_BREAKS}' and _UNPRINTABLE.match(character) is None:
        return character
    code = ord(character)
    known = _ESCAPES.get(code)
    if known is not None:
        return f"\\{known}"
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _compare(left: str, right: str) -> int:
    """sorter.go: letters after what is no letter, runs of digits by their value."""
    digits = False
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            digits = a.isdecimal()
            continue
        return -1 if _less(left, right, at, digits=digits) else 1
    return len(left) - len(right)


def _less(left: str, right: str, at: int, *, digits: bool) -> bool:
    a, b = left[at], right[at]
    a_letter, b_letter = a.isalpha(), b.isalpha()
    if a_letter and b_letter:
        return a < b
    if a_letter or b_letter:
        return a_letter if digits else b_letter
    leading = "0" in (a, b) and _digit_before(left, at)
    a_number, a_end = _run(left, at, leading=leading)
    b_number, b_end = _run(right, at, leading=leading)
    if a_number != b_number:
        return a_number < b_number
    return a_end < b_end if a_end != b_end else a < b


def _digit_before(text: str, at: int) -> bool:
    """Whether the digits right before `at` hold one that is no 0."""
    for character in reversed(text[:at]):
        if not character.isdecimal():
            return False
        if character != "0":
            return True
    return False


def _run(text: str, at: int, *, leading: bool) -> tuple[int, int]:
    """The number that starts at `at`, as an int64 that wraps, and where it ends."""
    number, end = int(leading), at
    while end < len(text) and text[end].isdecimal():
        number = (number * 10 + ord(text[end]) - ord("0") + (1 << 63)) % (1 << 64) - (1 << 63)
        end += 1
    return number, end
