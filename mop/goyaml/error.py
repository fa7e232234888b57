"""What is wrong with a YAML text."""

from __future__ import annotations


class YamlError(ValueError):
    """What is wrong, at which `line` and `column` (from 1; 0 = unknown)."""

    def __init__(self, problem: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"line {line}: {problem}" if line else problem)
        self.problem = problem
        self.line = line
        self.column = column
