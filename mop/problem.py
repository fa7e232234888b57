"""One finding: a mistake in mop.yaml, a rejected object, a check that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do. Formatted by `mop.report`, or by `str` for one line.

    `file` is relative to the platform's root where it can be; `line` and `column` count from 1, 0 = unknown.
    `path` is a JSON path inside the document (`$.environments.prod.order`).
    `object` is `Kind/name` or `Kind/namespace/name` of a Kubernetes object.
    """

    message: str
    level: Level = "error"
    check: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    expected: str = ""
    found: str = ""
    hint: str = ""
    environment: str = ""
    component: str = ""
    object: str = ""

    @property
    def location(self) -> str:
        """`file:line:column`, as far as it is known."""
        parts = [self.file] if self.file else []
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)

    def __str__(self) -> str:
        """One line: location, object, message, hint."""
        text = self.message
        if self.path and self.path != "$":
            text = f"{self.path}: {text}"
        where = " ".join(part for part in (self.location, self.object) if part)
        if where:
            text = f"{where}: {text}"
        return f"{text} ({self.hint})" if self.hint else text
