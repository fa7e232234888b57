"""The status of components as text and as JSON (docs/reference/schemas/status.json)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mop.report.history import age, revision_json
from mop.report.objects import SIMULATED, Paint, by_environment, environment_json, plain, status_json
from mop.results import ComponentStatus, ObjectStatus, Place


def status_text(
    statuses: Sequence[ComponentStatus],
    places: Mapping[str, Place],
    *,
    now: datetime | None = None,
    paint: Paint = plain,
) -> str:
    """For people: a line a component, and one for each object not ready. `places`: by environment."""
    now = now or datetime.now(UTC)
    lines: list[str] = []
    for environment, group in by_environment(statuses):
        place = places[environment]
        lines.append(paint("bold", f"{environment} on {place.address}"))
        width = max(len(status.component) for status in group)
        for status in group:
            lines += _component(status, width, now, paint)
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
                        **({"revision": revision_json(status.revision)} if status.revision else {}),
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


def _component(status: ComponentStatus, width: int, now: datetime, paint: Paint) -> Iterator[str]:
    total = len(status.objects)
    revision = status.revision
    tail = f"  revision {revision.number}, {age(revision.time, now)} ago" if revision else ""
    if status.ready:
        yield f"  {paint('green', '✓')} {status.component:<{width}}  {total} objects ready{tail}"
        return
    count = total - len(status.unready)
    yield f"  {paint('red', '✗')} {status.component:<{width}}  {count} of {total} objects ready{tail}"
    yield from (f"      {line}" for line in unready_lines(status.unready))
