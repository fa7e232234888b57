"""What `inv doctor` found, as text and as JSON (docs/reference/schemas/doctor.json)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mop.report.objects import Paint, plain
from mop.results import Finding

_MARKS = {"good": ("✓", "green"), "absent": ("-", "yellow"), "broken": ("✗", "red")}


def doctor_text(findings: Sequence[Finding], *, paint: Paint = plain) -> str:
    """A line for each finding, its remedy below it where it has one."""
    width = max(len(f"{each.area} {each.name}") for each in findings)
    lines = []
    for each in findings:
        mark, colour = _MARKS[each.state]
        lines.append(f"{paint(colour, mark)} {f'{each.area} {each.name}':<{width}}  {each.detail}")
        if each.hint and each.state != "good":
            lines.append(f"  {'':<{width}}  {each.hint}")
    return "\n".join(lines)


def doctor_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """For programs."""
    return {"healthy": healthy(findings), "findings": [asdict(each) for each in findings]}


def healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing is broken; what is merely absent is no illness."""
    return all(each.state != "broken" for each in findings)
