"""Revisions as text and as JSON (docs/reference/schemas/history.json)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from mop.report.objects import Paint, by_environment, environment_json, plain
from mop.results import Place, Revision

_COLOURS = {
    "ready": "green",
    "applied": "green",
    "failed": "red",
    "interrupted": "yellow",
    "pending": "yellow",
}


def history_text(
    revisions: Sequence[Revision],
    places: Mapping[str, Place],
    *,
    now: datetime | None = None,
    paint: Paint = plain,
) -> str:
    """For people: a line a revision, newest first. `places` by environment."""
    now = now or datetime.now(UTC)
    lines: list[str] = []
    for environment, group in by_environment(revisions):
        lines.append(paint("bold", f"{environment} on {places[environment].address}"))
        for component, mine in groupby(group, key=lambda each: each.component):
            lines.append(f"  {component}")
            lines += [f"    {_line(each, now, paint)}" for each in mine]
    return "\n".join(lines) if lines else "no revisions"


def history_json(revisions: Iterable[Revision], places: Mapping[str, Place]) -> dict[str, Any]:
    """For programs."""
    return {
        "environments": [
            environment_json(
                environment,
                places[environment],
                [
                    {"component": component, "revisions": [revision_json(each) for each in mine]}
                    for component, mine in groupby(group, key=lambda each: each.component)
                ],
            )
            for environment, group in by_environment(revisions)
        ]
    }


def age(time: str, now: datetime) -> str:
    """`3m`, `5h`, `12d`: how long ago an RFC 3339 time was; "" if it is none."""
    try:
        seconds = (now - datetime.fromisoformat(time)).total_seconds()
    except ValueError:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def _line(revision: Revision, now: datetime, paint: Paint) -> str:
    outcome = paint(_COLOURS[revision.outcome], f"{revision.outcome:<11}")
    origin = revision.origin
    words = " ".join(part for part in (origin.commit[:12], origin.author, origin.message) if part)
    line = (
        f"{revision.number:>4}  {age(revision.time, now):>4}  {outcome}  {revision.objects} objects  {words}"
    )
    return line.rstrip()


def revision_json(revision: Revision) -> dict[str, Any]:
    """One revision."""
    origin = revision.origin
    optional = {"commit": origin.commit, "author": origin.author, "message": origin.message}
    return {
        "revision": revision.number,
        "time": revision.time,
        "outcome": revision.outcome,
        "objects": revision.objects,
        **{key: value for key, value in optional.items() if value},
        "digests": dict(origin.digests),
    }
