"""An apply as it goes, and what it did, as text and as JSON (docs/reference/schemas/apply.json)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mop.report.objects import (
    MARKS,
    SIMULATED,
    Paint,
    by_environment,
    change_json,
    environment_json,
    plain,
    status_json,
    summary_json,
    summary_text,
)
from mop.report.status import unready_lines
from mop.report.terminal import Terminal
from mop.results import ApplyResult, Place, Waiting, Written

_WORDS = {"add": "added", "update": "updated", "delete": "deleted", "keep": "unchanged"}
#: Seconds between two lines on what is waited for where nothing can be redrawn.
_PATIENCE = 10.0
_AT_ONCE = 2.0
_SHOWN = 3


class ApplyLines:
    """A `results.Progress`: a line for each object that is written, and what is waited for. Thread-safe.

    On a terminal the waiting is one line, drawn anew; elsewhere a line when a count moves, or every 10 s.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._last: dict[str, tuple[int, float]] = {}
        self._drawn = False

    def __call__(self, fact: Written | Waiting) -> None:
        """Show one fact."""
        with self._lock:
            if isinstance(fact, Written):
                self._written(fact)
            elif fact.seconds < _AT_ONCE:
                return
            elif self._terminal.colour_err:
                self._draw(fact)
            else:
                self._tell(fact)

    def close(self) -> None:
        """Remove the line that is drawn."""
        with self._lock:
            self._erase()

    def _written(self, fact: Written) -> None:
        if fact.change.action == "keep":
            return
        self._erase()
        mark, colour = MARKS[fact.change.action]
        where = self._terminal.paint("dim", f"{fact.environment}/{fact.component} {fact.done}/{fact.total}")
        self._terminal.note(f"  {self._terminal.paint(colour, mark)} {fact.change.ref}  {where}")

    def _draw(self, fact: Waiting) -> None:
        self._erase()
        self._waiting[fact.component] = fact
        ready = sum(each.ready for each in self._waiting.values())
        total = sum(each.total for each in self._waiting.values())
        reasons = [line for each in self._waiting.values() for line in unready_lines(each.unready)]
        text = f"  … {ready} of {total} ready, {fact.seconds:.0f} s: {reasons[0] if reasons else ''}"
        self._terminal.err.write(text[:118])
        self._terminal.err.flush()
        self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._terminal.err.write("\r\x1b[2K")
            self._drawn = False

    def _tell(self, fact: Waiting) -> None:
        ready, told = self._last.get(fact.component, (-1, 0.0))
        now = time.monotonic()
        if fact.ready == ready and now - told < _PATIENCE:
            return
        self._last[fact.component] = (fact.ready, now)
        self._terminal.note("\n".join(_waiting_lines(fact)))


def _waiting_lines(fact: Waiting) -> Iterator[str]:
    where = f"{fact.environment}/{fact.component}"
    yield f"  … {where}: {fact.ready} of {fact.total} ready after {fact.seconds:.0f} s"
    lines = list(unready_lines(fact.unready))
    yield from (f"      {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"      and {len(lines) - _SHOWN} more"


def apply_text(results: Sequence[ApplyResult], places: Mapping[str, Place], *, paint: Paint = plain) -> str:
    """For people: a line a component. `places` by environment."""
    lines: list[str] = []
    for environment, group in by_environment(results):
        place = places[environment]
        lines.append(paint("bold", f"{environment} on {place.address}"))
        width = max(len(result.component) for result in group)
        for result in group:
            ready = f", {len(result.objects)} objects ready" if result.objects else ""
            counts = summary_text(result.changes, _WORDS)
            lines.append(f"  {paint('green', '✓')} {result.component:<{width}}  {counts}{ready}")
        if place.simulated:
            lines.append(f"  {SIMULATED}")
    return "\n".join(lines)


def apply_json(results: Sequence[ApplyResult], places: Mapping[str, Place]) -> dict[str, Any]:
    """For programs: every object that was written, and how each stands."""
    return {
        "environments": [
            environment_json(
                environment,
                places[environment],
                [
                    {
                        "component": result.component,
                        "summary": summary_json(result.changes),
                        "seconds": round(result.seconds, 3),
                        "changes": [change_json(each) for each in result.changes if each.action != "keep"],
                        "objects": [status_json(each) for each in result.objects],
                    }
                    for result in group
                ],
            )
            for environment, group in by_environment(results)
        ]
    }
