"""Changes of mop.yaml that keep everything else as it is: comments, order, alignment, quotes, every byte.

A round trip through a YAML library would keep comments and yet lay out anew what nobody asked to change (measured:
9 of the 50 lines of the documentation's mop.yaml). So the text itself is edited, at places that the parser tells, and
then read again: it must say what the old one said plus the change, and be valid, or nothing is written.
"""

from __future__ import annotations

import copy
import json
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mop.config import check, document
from mop.config.scalars import Ambiguous, resolve
from mop.errors import ConfigError
from mop.files import write_atomic
from mop.model import Platform

#: Where a section goes that is not there yet.
_ORDER: Final = (
    "version",
    "platform",
    "kubernetes",
    "repositories",
    "charts",
    "libraries",
    "components",
    "environments",
)
_PLAIN = re.compile(r"[A-Za-z0-9./^~][A-Za-z0-9./_:@+^~-]*")
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Change:
    """`value` (a text, or a mapping or list of such) is to stand at `path`: `("charts", "loki", "version")`."""

    path: tuple[str, ...]
    value: Any


def edit(path: Path, changes: Iterable[Change]) -> Platform:
    """Make the changes in the mop.yaml at `path`, by one rename; gives what it now declares.

    Raises ConfigError, and leaves the file alone, if it has mistakes, before or after, or is written in a way in
    which the change cannot be made without touching more.
    """
    path = path.resolve()
    data = path.read_bytes()
    check(path.parent, data)
    edited = edited_text(data.decode(), changes).encode()
    platform = check(path.parent, edited)
    write_atomic(path, edited, mode=stat.S_IMODE(path.stat().st_mode))
    return platform


def edited_text(text: str, changes: Iterable[Change]) -> str:
    """`text`, a valid mop.yaml, with the changes made. Raises ConfigError if one cannot be."""
    for change in changes:
        before = document.read(text.encode(), "mop.yaml").value
        wanted = _with(before, change)
        if wanted == before:
            continue
        try:
            after = _Text(text).changed(change)
        except _Unable:
            raise _by_hand(change) from None
        read = document.read(after.encode(), "mop.yaml")
        if read.problems or read.value != wanted:
            raise _by_hand(change)
        text = after
    return text


def _with(value: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """What the document is to say."""
    result: dict[str, Any] = copy.deepcopy(dict(value))
    place = result
    for key in change.path[:-1]:
        place = place.setdefault(key, {})
    place[change.path[-1]] = change.value
    return result


def _by_hand(change: Change) -> ConfigError:
    value: Any = change.value
    for key in reversed(change.path[1:]):
        value = {key: value}
    return ConfigError(
        f"mop.yaml is written in a way that MOP cannot edit at `{'.'.join(change.path)}` (an alias, or the like)",
        hint=f"write it yourself: {change.path[0]}: {_flow(value)}",
    )


class _Unable(Exception):
    """The change is not made by inserting or replacing text at one place."""


class _Text:
    """A YAML text with the places of its nodes."""

    def __init__(self, text: str) -> None:
        import yaml

        self._bom = _BOM if text.startswith(_BOM) else ""
        self._text = text.removeprefix(_BOM)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._lines = self._text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        loader = yaml.CSafeLoader(self._text)
        try:
            self._root: Any = loader.get_single_node()
        finally:
            loader.dispose()

    def changed(self, change: Change) -> str:
        """The whole text with the change made; raises _Unable."""
        node, keys = self._root, list(change.path)
        while keys and node.id == "mapping":
            found = next((value for key, value in node.value if key.value == keys[0]), None)
            if found is None:
                break
            node, keys = found, keys[1:]
        value = change.value
        for key in reversed(keys[1:]):
            value = {key: value}
        if not keys:
            return self._bom + self._replaced(node, value)
        if node.id != "mapping":
            raise _Unable
        if node.flow_style:
            return self._bom + self._into_flow(node, keys[0], value, len(change.path) - len(keys))
        if node is self._root:
            return self._bom + self._new_section(keys[0], value)
        return self._bom + self._into_block(node, keys[0], value)

    def _replaced(self, node: Any, value: Any) -> str:
        """Another text in a scalar's place, in its quotes."""
        if node.id != "scalar" or node.style in ("|", ">") or not isinstance(value, str):
            raise _Unable
        written = _scalar(value)
        if node.style == "'" and "'" not in value and value.isprintable():
            written = f"'{value}'"
        elif node.style == '"':
            written = _quoted(value)
        return self._text[: self._at(node.start_mark)] + written + self._text[self._at(node.end_mark) :]

    def _into_flow(self, node: Any, key: str, value: Any, depth: int) -> str:
        entry = f"{_scalar(key)}: {_flow(value)}"
        start, end = self._at(node.start_mark), self._at(node.end_mark)
        if node.value:
            at = self._at(node.value[-1][1].end_mark)
            return f"{self._text[:at]}, {entry}{self._text[at:]}"
        if self._text[start:end] == "{}" and depth == 1 and not self._root.flow_style:
            # `charts: {}  # none yet`: the comment stays, the entries begin below.
            line = self._text[self._starts[node.end_mark.line] : self._starts[node.end_mark.line + 1]]
            rest = line[node.end_mark.column :]
            head = self._text[:start].rstrip(" ") + rest.rstrip("\r\n") + self._newline
            below = self._starts[node.end_mark.line + 1]
            indent = " " * (self._column(self._root) + 2)
            return head + indent + entry + self._newline + self._text[below:]
        if self._text[start] != "{":
            raise _Unable
        return f"{self._text[: start + 1]}{entry}{self._text[start + 1 :]}"

    def _into_block(self, node: Any, key: str, value: Any) -> str:
        indent = " " * self._column(node)
        return self._inserted(self._line_after(node), self._entry(node, indent, key, value))

    def _entry(self, node: Any, indent: str, key: str, value: Any) -> list[str]:
        """Lines for one more entry, in the style of the last one."""
        last = node.value[-1][1] if node.value else None
        block = last is not None and last.id == "mapping" and not last.flow_style and isinstance(value, dict)
        if not block or not value:
            return [f"{indent}{_scalar(key)}: {_flow(value)}"]
        inner = " " * self._column(last)
        return [
            f"{indent}{_scalar(key)}:",
            *(f"{inner}{_scalar(name)}: {_flow(each)}" for name, each in value.items()),
        ]

    def _new_section(self, name: str, value: Any) -> str:
        """After the section that stands before it in the usual order, with a blank line between."""
        indent = " " * self._column(self._root)
        lines = [f"{indent}{name}: {_flow(value)}"]
        if isinstance(value, dict) and value:
            lines = [
                f"{indent}{name}:",
                *(f"{indent}  {_scalar(key)}: {_flow(each)}" for key, each in value.items()),
            ]
        earlier = _ORDER[: _ORDER.index(name)] if name in _ORDER else _ORDER
        before = [pair for pair in self._root.value if pair[0].value in earlier]
        if not before:
            raise _Unable
        at = self._line_after(before[-1][1])
        while at < len(self._lines) and re.match(r"[ \t]+#", self._lines[at]):
            at += 1  # a comment that belongs to the section's entries
        after = self._lines[at].strip() if at < len(self._lines) else ""
        return self._inserted(at, ["", *lines, *([""] if after else [])])

    def _inserted(self, at: int, lines: Iterable[str]) -> str:
        """The text with `lines` before line number `at` (from 0)."""
        head = self._text[: self._starts[at]]
        if head and not head.endswith(("\n", "\r")):
            head += self._newline
        return head + "".join(line + self._newline for line in lines) + self._text[self._starts[at] :]

    def _line_after(self, node: Any) -> int:
        """The number of the line after the last one that holds something of `node`."""
        while node.id != "scalar" and not node.flow_style and node.value:
            last = node.value[-1]
            key, node = last if isinstance(last, tuple) else (last, last)
            if node.start_mark.line < key.start_mark.line:  # an alias, which stands beside its key
                return int(key.end_mark.line) + 1
        end = node.end_mark
        if node.id == "scalar" and node.style in ("|", ">"):
            return int(end.line) if end.column == 0 else int(end.line) + 1
        return int(end.line) + 1

    def _column(self, node: Any) -> int:
        """Where a block mapping's keys begin."""
        return int(node.value[0][0].start_mark.column) if node.value else int(node.start_mark.column)

    def _at(self, mark: Any) -> int:
        return self._starts[int(mark.line)] + int(mark.column)


def _flow(value: Any) -> str:
    """On one line: `{chart: community/loki, version: 18.11.0}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _scalar(value)


def _scalar(value: str) -> str:
    """A text that every reader takes for that text, quoted only where it must be."""
    if _PLAIN.fullmatch(value) and not value.endswith(":"):
        try:
            if resolve(value) == value:
                return value
        except Ambiguous:
            return _quoted(value)
    return _quoted(value)


def _quoted(value: str) -> str:
    # JSON would write some characters as two surrogates, which YAML does not take.
    return "".join(
        c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(value, ensure_ascii=False)
    )
