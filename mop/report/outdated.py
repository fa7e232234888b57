"""Newer versions of charts, for people and for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from mop.steps.outdated import Standing

_HEAD = ("CHART", "CURRENT", "PATCH", "MINOR", "MAJOR", "FROM")


def outdated_text(standings: Sequence[Standing]) -> str:
    """A line for each chart that is not the newest; `-` where nothing newer is of that kind."""
    rows = [
        (each.name, each.current, each.patch or "-", each.minor or "-", each.major or "-", each.chart)
        for each in standings
        if each.newest
    ]
    lines = [f"{each.name}: not known: {each.trouble}" for each in standings if each.trouble]
    if not rows:
        return "\n".join([*lines, *([] if lines else [f"all {len(standings)} charts are the newest"])])
    widths = [max(len(row[column]) for row in [_HEAD, *rows]) for column in range(len(_HEAD))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [_HEAD, *rows]
    ]
    return "\n".join([*table, *lines])


def outdated_facts(standings: Sequence[Standing]) -> dict[str, Any]:
    """One document: docs/reference/schemas/outdated.json."""
    return {"charts": [dataclasses.asdict(each) for each in standings]}
