"""Where text goes: results to standard output, progress and logs to standard error. The only module that prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """Two streams, and whether each may have colour and live progress (a terminal, no NO_COLOR, not CI)."""

    out: TextIO
    err: TextIO
    colour_out: bool
    colour_err: bool

    def result(self, text: str) -> None:
        """A line, or lines, of the command's result."""
        self.out.write(text if text.endswith("\n") else f"{text}\n")
        self.out.flush()

    def result_json(self, document: Any) -> None:
        """The command's result as one JSON document."""
        self.result(json.dumps(document, indent=2, ensure_ascii=False))

    def note(self, text: str) -> None:
        """A line of progress or log."""
        self.err.write(text if text.endswith("\n") else f"{text}\n")
        self.err.flush()

    def paint(self, colour: str, text: str) -> str:
        """`text` for standard error, coloured if that may be."""
        return _painted(colour, text) if self.colour_err else text

    def paint_out(self, colour: str, text: str) -> str:
        """`text` for standard output, coloured if that may be."""
        return _painted(colour, text) if self.colour_out else text


def _painted(colour: str, text: str) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def terminal(environ: Mapping[str, str] = os.environ) -> Terminal:
    """The terminal of this process."""
    plain = bool(environ.get("NO_COLOR") or environ.get("CI"))
    return Terminal(
        sys.stdout, sys.stderr, not plain and sys.stdout.isatty(), not plain and sys.stderr.isatty()
    )
