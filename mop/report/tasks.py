"""Progress of tasks: a line for each that did something, and a total."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from mop.errors import MopError, ValidationError
from mop.report.errors import error_text
from mop.report.terminal import Terminal
from mop.steps import evaluate, render


class TaskLike(Protocol):
    """What is told of a task (`mop.runner.doit_tasks.TaskResult`)."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def outcome(self) -> Any: ...
    @property
    def error(self) -> BaseException | None: ...
    @property
    def seconds(self) -> float: ...


class TaskLines:
    """Prints a line per task as it ends. Tasks with nothing to do are only counted, so that the rest is seen."""

    def __init__(self, terminal: Terminal, *, quiet: bool = False, findings: bool = True) -> None:
        """`quiet`: only what failed. `findings`: show what validation found; else its report comes later."""
        self._terminal = terminal
        self._findings = findings
        self._quiet = quiet
        self._started = time.monotonic()
        self.states: Counter[str] = Counter()

    def __call__(self, result: TaskLike) -> None:
        """Tell what became of one task; called from one thread at a time."""
        self.states[result.state] += 1
        if result.state == "failed" and isinstance(result.error, MopError):
            if self._findings or not isinstance(result.error, ValidationError):
                self._terminal.note(f"{self._mark(result)} {result.name}")
                self._terminal.note(_indent(error_text(result.error)))
            elif not self._quiet:
                self._terminal.note(f"{self._mark(result)} {result.name:<40}  {result.error.message}")
        elif result.state == "blocked":
            self._terminal.note(f"{self._mark(result)} {result.name} not run: what it needs failed")
        elif result.state == "done" and not self._quiet:
            facts = _facts(result.outcome)
            paint = self._terminal.paint
            self._terminal.note(
                f"{self._mark(result)} {result.name:<40} {paint('dim', f'{result.seconds:6.2f} s')}  {facts}".rstrip()
            )

    def total(self) -> None:
        """One line: how many tasks did what, and how long it took."""
        seconds = time.monotonic() - self._started
        counts = self.states
        parts = [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
        if counts.keys() <= {"current"}:
            self._terminal.note(f"nothing to do: {counts['current']} tasks are up to date ({seconds:.2f} s)")
        else:
            self._terminal.note(f"{', '.join(parts)} in {seconds:.2f} s")

    def _mark(self, result: TaskLike) -> str:
        mark, colour = _MARKS[result.state]
        return self._terminal.paint(colour, mark)


_MARKS: Mapping[str, tuple[str, str]] = {
    "done": ("✓", "green"),
    "current": ("=", "dim"),
    "failed": ("✗", "red"),
    "blocked": ("-", "yellow"),
}
_WORDS = {"done": "done", "current": "up to date", "failed": "failed", "blocked": "not run"}


def _facts(outcome: Any) -> str:
    """What is worth a word about an outcome: Helm renders and cache hits, numbers of objects."""
    if isinstance(outcome, evaluate.Outcome):
        parts = [f"{len(outcome.evaluated)} components"]
        if outcome.renders:
            parts.append(f"{outcome.renders} charts, {outcome.hits} from the cache")
        return ", ".join(parts)
    if isinstance(outcome, render.Outcome):
        return f"{outcome.objects} objects{'' if outcome.changed else ', unchanged'}"
    if outcome is None:
        return ""
    from mop.steps import vendor, vendor_libraries  # a run that vendors nothing does without

    if isinstance(outcome, vendor.Outcome | vendor_libraries.Outcome):
        moved = (
            f"{outcome.before} → {outcome.version}" if outcome.before != outcome.version else outcome.version
        )
        came = f"{outcome.fetched / 2**10:.0f} KiB fetched" if outcome.fetched else "nothing fetched"
        also = len(outcome.also) if isinstance(outcome, vendor_libraries.Outcome) else 0
        facts = [moved if outcome.before else outcome.version, f"{also} more libraries" if also else "", came]
        return f"{outcome.change}: {', '.join(fact for fact in facts if fact)}"
    return ""


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
