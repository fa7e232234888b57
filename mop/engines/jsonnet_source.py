"""What the importer changes in a Jsonnet file before the engine sees it, and how positions are given back.

Two things cannot be told through the C API: natives take no objects, and an import callback does not say
whether it answers `import` or `importstr`. So a file that mentions natives gets a local `std` on line 1, and
the path of each importstr and importbin ends in a mark. Lines keep their numbers; `undo` restores columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Folder of what the importer serves from memory; Tanka's name for it (pkg/jsonnet/implementations/goimpl).
INTERNAL = "<internal>/"
NATIVES = f"{INTERNAL}natives.libsonnet"
PREFIX = f"local mop_std = std; local std = (import '{NATIVES}')(mop_std); ".encode()
#: Ends the path of an importstr or importbin; no path that people write has it.
MARK = b"\x01"

_STRING = rb"""@"(?:[^"]|"")*"|@'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_COMMENT = rb"\#[^\n]*|//[^\n]*|/\*.*?\*/"
_BLOCK = rb"\|\|\|-?[ \t\r]*\n(?:[ \t\r]*\n)*([ \t]+)[^\n]*\n(?:\1[^\n]*\n|[ \t\r]*\n)*[ \t]*\|\|\|"
#: Strings and comments are matched, and passed over, so that an importstr inside one is left alone.
_TOKEN = re.compile(
    rb"%s|%s|%s|\bimport(?:str|bin)\b(?:\s|%s)*(?P<path>%s)" % (_BLOCK, _COMMENT, _STRING, _COMMENT, _STRING),
    re.DOTALL,
)
_POSITION = re.compile(
    r"(?P<file>/[^\t\n]*?):(?:(?P<line>\d+):(?P<column>\d+)(?:-(?P<end>\d+))?"
    r"|\((?P<line1>\d+):(?P<column1>\d+)\)-\((?P<line2>\d+):(?P<column2>\d+)\))"
)


@dataclass(frozen=True, slots=True)
class Edit:
    """`width` bytes were put before `column` of `line`: from 1, in bytes as the engine counts, as it was written."""

    line: int
    column: int
    width: int


def prepare(data: bytes) -> tuple[bytes, tuple[Edit, ...]]:
    """The Jsonnet code `data` as the engine gets it, and what was put in."""
    edits = []
    if b"importstr" in data or b"importbin" in data:
        ends = [match.end("path") - 1 for match in _TOKEN.finditer(data) if match["path"] is not None]
        edits = [_edit(data, end) for end in ends]
        for end in reversed(ends):
            data = data[:end] + MARK + data[end:]
    if b"native" in data:
        edits.insert(0, Edit(1, 1, len(PREFIX)))
        data = PREFIX + data
    return data, tuple(edits)


def _edit(data: bytes, at: int) -> Edit:
    start = data.rfind(b"\n", 0, at) + 1
    return Edit(data.count(b"\n", 0, at) + 1, at - start + 1, len(MARK))


def undo(message: str, edits: dict[str, tuple[Edit, ...]]) -> str:
    """The engine's `message`, with positions in the files of `edits` as in the files that people wrote."""

    def original(match: re.Match[str]) -> str:
        mine = edits.get(match["file"])
        if not mine:
            return match[0]
        if match["line"] is None:
            ends = ((int(match[f"line{n}"]), int(match[f"column{n}"])) for n in "12")
            return f"{match['file']}:" + "-".join(f"({line}:{_column(mine, line, at)})" for line, at in ends)
        line = int(match["line"])
        end = f"-{_column(mine, line, int(match['end']))}" if match["end"] else ""
        return f"{match['file']}:{line}:{_column(mine, line, int(match['column']))}{end}"

    message = _POSITION.sub(original, message)
    return message.replace(PREFIX.decode(), "").replace(MARK.decode(), "")


def _column(edits: tuple[Edit, ...], line: int, column: int) -> int:
    for edit in edits:
        if edit.line == line and column > edit.column:
            column = max(column - edit.width, edit.column)
    return column
