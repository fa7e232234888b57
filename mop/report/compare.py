"""Differences between environments as a table for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from mop.steps.compare import Difference

_ABSENT = "—"
_WIDEST = 44


def compare_text(names: Sequence[str], found: Sequence[Difference]) -> str:
    """One table: a block for each component and object, a row for each field, a column for each environment."""
    if not found:
        return f"{', '.join(names)} render the same"
    rows = [(row, [_short(value) for value in row.values]) for row in found]
    left = max(max(len(row.path) + 4, len(row.object) + 2) for row, _ in rows)
    widths = [max([len(name), *(len(cells[at]) for _, cells in rows)]) for at, name in enumerate(names)]
    lines: list[str] = []
    for component, members in groupby(rows, key=lambda it: it[0].component):
        if lines:
            lines.append("")
        lines.append(_line(component, names, widths, left))
        for name, fields in groupby(members, key=lambda it: it[0].object):
            block = list(fields)
            if block[0][0].topic == "object":
                lines.append(_line(f"  {name}", block[0][1], widths, left))
                continue
            lines.append(f"  {name}")
            lines += [_line(f"    {row.path}", cells, widths, left) for row, cells in block]
    objects = len({(row.component, row.object) for row in found})
    return "\n".join([*lines, "", f"{len(found)} differences in {objects} objects"])


def compare_json(names: Sequence[str], found: Sequence[Difference]) -> str:
    """`{"environments": [...], "differences": [{component, object, path, topic, values: {environment: text}}]}`."""
    rows = [
        {
            "component": row.component,
            "object": row.object,
            "path": row.path,
            "topic": row.topic,
            "values": dict(zip(names, row.values, strict=True)),
        }
        for row in found
    ]
    return json.dumps({"environments": list(names), "differences": rows}, indent=2, ensure_ascii=False)


def _line(head: str, cells: Sequence[str], widths: Sequence[int], left: int) -> str:
    columns = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{head:<{left}}  {columns}".rstrip()


def _short(value: str | None) -> str:
    if value is None:
        return _ABSENT
    flat = " ".join(value.split())
    return flat if len(flat) <= _WIDEST else f"{flat[: _WIDEST - 1]}…"
