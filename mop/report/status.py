"""The status of components as text and as JSON (docs/reference/schemas/status.json)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mop.report.objects import SIMULATED, Paint, by_environment, environment_json, plain, status_json
from mop.results import ComponentStatus, ObjectStatus, Place


def status_text(
    statuses: Sequence[ComponentStatus], places: Mapping[str, Place], *, paint: Paint = plain
) -> str:
    """For people: a line a component, and one for each object not ready. `places`: by environment."""
    lines: list[str] = []
    for environment, group in by_environment(statuses):
        place = places[environment]
        lines.append(paint("bold", f"{environment} on {place.address}"))
        width = max(len(status.component) for status in group)
        for status in group:
            lines += _component(status, width, paint)
        if place.simulated:
            lines.append(f"  {SIMULATED}")
    return "\n".join(lines)


def status_json_report(statuses: Sequence[ComponentStatus], places: Mapping[str, Place]) -> dict[str, Any]:
    """For programs: every object."""
    return {
        "ready": all(status.ready for status in statuses),
        "environments": [
            environment_json(
                environment,
                places[environment],
                [
                    {
                        "component": status.component,
                        "ready": status.ready,
                        "objects": [status_json(each) for each in status.objects],
                    }
                    for status in group
                ],
            )
            for environment, group in by_environment(statuses)
        ],
    }


def unready_lines(unready: Iterable[ObjectStatus]) -> Iterator[str]:
    """`StatefulSet/monitoring/tempo: pods ready 0/1; …`, failed ones first."""
    for status in sorted(unready, key=lambda each: each.state != "failed"):
        yield f"{status.ref}: {status.reason}"


def _component(status: ComponentStatus, width: int, paint: Paint) -> Iterator[str]:
    total = len(status.objects)
    if status.ready:
        yield f"  {paint('green', '✓')} {status.component:<{width}}  {total} objects ready"
        return
    count = total - len(status.unready)
    yield f"  {paint('red', '✗')} {status.component:<{width}}  {count} of {total} objects ready"
    yield from (f"      {line}" for line in unready_lines(status.unready))
