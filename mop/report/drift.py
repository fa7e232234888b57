"""Drift as text, JSON (docs/reference/schemas/drift.json) and Prometheus text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mop.report.diff import diff_json, diff_text
from mop.report.objects import Paint, plain
from mop.results import ComponentDiff, Place

#: A drift is an apply that would undo it, told the other way round.
_WORDS = {
    "to add": "deleted by somebody",
    "to update": "changed by somebody",
    "to delete": "added by somebody",
    "no changes": "no drift",
}


def drift_text(drifts: Sequence[ComponentDiff], places: Mapping[str, Place], *, paint: Paint = plain) -> str:
    """For people: each change is what an apply of the last revision would undo. `places` by environment."""
    text = diff_text(drifts, places, whole=False, paint=paint)
    for word, other in _WORDS.items():
        text = text.replace(word, other)
    return text


def drift_json(drifts: Sequence[ComponentDiff], places: Mapping[str, Place]) -> dict[str, Any]:
    """For programs: as a diff, plus whether there is any."""
    return {"drift": any(each.changed for each in drifts), **diff_json(drifts, places)}


def drift_metrics(drifts: Sequence[ComponentDiff]) -> str:
    """`mop_drift_objects{environment,component,kind}` in Prometheus' text format; 0 for a component without drift."""
    lines = [
        "# HELP mop_drift_objects Objects that differ from what was last applied.",
        "# TYPE mop_drift_objects gauge",
    ]
    for each in drifts:
        kinds = Counter(change.ref.kind for change in each.changes if change.action != "keep")
        for kind, count in sorted(kinds.items()) or [("", 0)]:
            labels = {"environment": each.environment, "component": each.component, "kind": kind}
            shown = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
            lines.append(f"mop_drift_objects{{{shown}}} {count}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
