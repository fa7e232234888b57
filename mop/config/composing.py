"""YAML text → a tree of nodes, each with its place. What is no single, finite YAML document stops here.

The tree comes from the parser's events and not from PyYAML's own composer, which recurses as deep as a
document tells it to, and takes aliases to what contains them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml

from mop.problem import Problem

#: mop.yaml itself needs seven levels.
DEEPEST: Final = 50

#: What libyaml does not take for a character of YAML (its IS_PRINTABLE); a byte order mark only comes first.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

#: A part of libyaml's words → what to do.
_REMEDIES: Final = (
    (
        "mapping values are not allowed",
        "quote a value that holds `: `; keys of one mapping stand in one column",
    ),
    (
        "did not find expected key",
        "keys of one mapping stand in one column; or a quote before this is not closed",
    ),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("did not find expected '-' indicator", "items of one list stand in one column, each after `- `"),
    ("block sequence entries are not allowed", "a list begins on the line after its key"),
    (
        "did not find expected ',' or ']'",
        "close the bracket of line {line}, or put a comma between its items",
    ),
    (
        "did not find expected ',' or '}'",
        "close the brace of line {line}, or put a comma between its entries",
    ),
    ("unexpected end of stream", "close the quote that opens here"),
    ("unknown escape character", "use single quotes: in double quotes a backslash begins an escape"),
    ("cannot start any token", "quote it"),
    ("expected <document start>", "indent it, or remove it: mop.yaml is one mapping"),
)


@dataclass(slots=True)
class Node:
    """One node. `line` and `column` count from 1. `items`: nodes of a list, or (key, value) of a mapping.

    `flow`: it stands between brackets or braces.
    """

    kind: Literal["scalar", "list", "mapping"]
    line: int
    column: int
    text: str = ""
    plain: bool = False
    flow: bool = False
    tag: str = ""
    items: list[Any] = field(default_factory=list)


class Broken(Exception):
    """The text is no YAML document that could be looked into; `problems` say where and why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def compose(data: bytes, file: str, problems: list[Problem]) -> Node | None:
    """The root node of the one document in `data`; None for an empty file.

    Mistakes that leave it readable are added to `problems`; all others raise Broken.
    """
    text = _decoded(data, file)
    try:
        return _Composer(text, file, problems).document()
    except yaml.MarkedYAMLError as error:
        raise Broken(*_not_yaml(error, text, file)) from error
    except yaml.YAMLError as error:
        raise Broken(Problem(f"not YAML: {' '.join(str(error).split())}", file=file)) from error


def _decoded(data: bytes, file: str) -> str:
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = _place(before)
        raise Broken(
            Problem(
                "not UTF-8",
                file=file,
                line=line,
                column=column,
                expected="UTF-8 text",
                found=f"the byte 0x{data[error.start]:02x}",
                hint="save the file as UTF-8",
            )
        ) from error
    if forbidden := _FORBIDDEN.search(text):
        line, column = _place(text[: forbidden.start()])
        found = f"U+{ord(forbidden.group()):04X}"
        hint = "remove it, or write it as an escape in double quotes"
        raise Broken(
            Problem(
                f"a character that YAML does not allow: {found}",
                file=file,
                line=line,
                column=column,
                hint=hint,
            )
        )
    return text


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Composer:
    def __init__(self, text: str, file: str, problems: list[Problem]) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.file = file
        self.problems = problems
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=loader))
        self.anchors: dict[str, Node | None] = {}  # None: still open

    def document(self) -> Node | None:
        next(self.events)  # the stream's start
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            return None
        if start.version or start.tags:
            raise self._broken(start, "a directive", "remove the line that begins with %")
        if start.explicit:
            # go-jsonnet takes a `---` for the sign of several documents, and gives plain tk a list of one.
            hint = "remove it: std.parseYaml would read a list"
            self.problems += self._broken(start, "a `---` line", hint).problems
        root = self._node(next(self.events), 1, False)
        next(self.events)  # the document's end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._broken(after, "a second document", "mop.yaml is one document: merge the two")
        return root

    def _node(self, event: Any, depth: int, flow: bool) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > DEEPEST:
            raise self._broken(event, f"nested more than {DEEPEST} levels deep", "")
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style in (None, "")
            node = Node("scalar", line, column, event.value, plain, flow, event.tag or "")
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node("list", line, column, tag=event.tag or "")
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                node.items.append(self._node(item, depth + 1, flow or bool(event.flow_style)))
        else:
            node = Node("mapping", line, column, tag=event.tag or "")
            while not isinstance(key := next(self.events), yaml.MappingEndEvent):
                inside = (depth + 1, flow or bool(event.flow_style))
                node.items.append((self._node(key, *inside), self._node(next(self.events), *inside)))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            near = ", ".join(f"&{name}" for name in self.anchors) or "none"
            raise self._broken(
                event, f"no anchor &{event.anchor} before this alias", f"anchors so far: {near}"
            )
        node = self.anchors[event.anchor]
        if node is None:
            raise self._broken(event, f"*{event.anchor} stands inside what it names", "")
        return node

    def _broken(self, event: Any, message: str, hint: str) -> Broken:
        mark = event.start_mark
        return Broken(Problem(message, file=self.file, line=mark.line + 1, column=mark.column + 1, hint=hint))


def _not_yaml(error: yaml.MarkedYAMLError, text: str, file: str) -> Iterator[Problem]:
    words = error.problem or error.context or "it cannot be read"
    mark = error.context_mark if "end of stream" in words and error.context_mark else error.problem_mark
    lines = text.split("\n")
    tabs = [number for number, line in enumerate(lines, 1) if re.match(r" *\t\s*[^\s#]", line)]
    if mark and mark.line + 1 in tabs:
        for number in tabs:
            column = lines[number - 1].index("\t") + 1
            hint = "indent with spaces: YAML does not allow tabs there"
            yield Problem("a tab in the indentation", file=file, line=number, column=column, hint=hint)
        return
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    line = min(line, len(lines))
    hint = next((remedy for part, remedy in _REMEDIES if part in words), "")
    hint = hint.format(line=error.context_mark.line + 1 if error.context_mark else line)
    yield Problem(f"not YAML: {words}", file=file, line=line, column=column, hint=hint)
