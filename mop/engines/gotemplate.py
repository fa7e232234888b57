"""The function calls in a Go template, found and replaced without running it.

Lexing follows Go's text/template/parse/lex.go as far as calls need it: actions, comments, the three kinds of
string, fields and variables. Helm charts cannot change the delimiters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_STRING = r"""(?:"(?:\\.|[^"\\\n])*+"|`[^`]*+`|'(?:\\.|[^'\\\n])*+')"""
#: A whole action, or a comment up to its end mark.
_ACTION = re.compile(
    rf"""\{{\{{(?:-[ \t\r\n]+)?/\*.*?\*/
       | \{{\{{(?:[^}}"`']++|{_STRING}|\}}(?!\}}))*+\}}\}}""",
    re.VERBOSE | re.DOTALL,
)
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKEN = re.compile(
    rf"""(?P<end>\}}\}})
      | (?P<string>{_STRING})
      | (?P<field>[.$][\w.$]*)
      | (?P<name>[^\W\d]\w*)
      | (?P<number>\d[\w.]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t\r\n]*")
_CHAIN = re.compile(r"(?:\.\w+)*")


class NotUnderstood(ValueError):
    """A template that this lexer cannot follow; Go may, or may refuse it too."""


@dataclass(frozen=True, slots=True)
class Call:
    """A name that an action uses as a function, or a keyword; `start` and `end` are offsets of the name."""

    name: str
    start: int
    end: int


def calls(text: str, wanted: re.Pattern[str] | None = None) -> Iterator[Call]:
    """Every call in `text`, in order; with `wanted`, only those in actions where that is found.

    Raises NotUnderstood for an action that does not end.
    """
    start = text.find("{{")
    while start >= 0:
        action = _ACTION.match(text, start)
        if action is None:
            raise NotUnderstood(f"the action at offset {start} does not end")
        end = action.end()
        # Most actions do not mention it at all, not even in a string.
        code = wanted is None or (
            wanted.search(text, start, end) and wanted.search(_STRINGS.sub("", action[0]))
        )
        if code and not text.endswith("*/", start, end):
            for token in _TOKEN.finditer(text, start + 2, end):
                if token.lastgroup == "name":
                    yield Call(token[0], token.start(), token.end())
        start = text.find("{{", end)


def operands(text: str, position: int, count: int) -> list[tuple[int, int]]:
    """Offsets of the `count` operands that follow `position`: fields, variables, strings, numbers, `( … )`.

    Raises NotUnderstood if there are fewer.
    """
    found = []
    for _ in range(count):
        blank = _BLANK.match(text, position)
        start = blank.end() if blank else position
        token = _TOKEN.match(text, start)
        if token is None or token.lastgroup == "end" or (token.lastgroup == "other" and token[0] != "("):
            raise NotUnderstood(f"{count} operands were expected at offset {position}")
        position = _closed(text, token.end()) if token[0] == "(" else token.end()
        found.append((start, position))
    return found


def replaced(
    text: str, edit: Callable[[Call], Iterator[tuple[int, int, str]]], wanted: re.Pattern[str] | None = None
) -> str:
    """`text` with the edits (start, end, replacement) that `edit` gives for each call; they must not overlap."""
    edits = sorted(change for call in calls(text, wanted) for change in edit(call))
    out, position = [], 0
    for start, end, replacement in edits:
        out += [text[position:start], replacement]
        position = end
    return "".join([*out, text[position:]])


def _closed(text: str, position: int) -> int:
    """The offset behind the parenthesis that was opened before `position`, and behind a chain of fields on
    it.
    """
    depth = 1
    while depth:
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup == "end":
            raise NotUnderstood(f"a parenthesis is not closed at offset {position}")
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        position = token.end()
    chain = _CHAIN.match(text, position)
    return chain.end() if chain else position
