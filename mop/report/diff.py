"""A diff as text and as JSON (docs/reference/schemas/diff.json)."""

from __future__ import annotations

import difflib
import json
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
    summary_json,
    summary_text,
    warnings_of,
)
from mop.results import Change, ComponentDiff, FieldChange, Place

_WORDS = {"add": "to add", "update": "to update", "delete": "to delete", "keep": "unchanged"}


def diff_text(
    diffs: Sequence[ComponentDiff],
    places: Mapping[str, Place],
    *,
    summary: bool = False,
    whole: bool = True,
    paint: Paint = plain,
) -> str:
    """For people. `summary`: a line an object; `whole`: additions in full. `places`: by environment."""
    lines: list[str] = []
    for environment, group in by_environment(diffs):
        place = places[environment]
        lines.append(paint("bold", f"{environment} on {place.address}"))
        for diff in group:
            lines += _component(diff, summary=summary, whole=whole, paint=paint)
        if place.simulated:
            lines.append(f"  {SIMULATED}")
    lines += [paint("yellow", f"warning: {warning}") for warning in warnings_of(diffs)]
    changes = [change for diff in diffs for change in diff.changes]
    if any(diff.changed for diff in diffs):
        lines.append(summary_text(changes, _WORDS))
    else:
        lines.append(f"no changes ({len(changes)} objects)")
    return "\n".join(lines)


def diff_json(diffs: Sequence[ComponentDiff], places: Mapping[str, Place]) -> dict[str, Any]:
    """For programs: every change but `keep`, and the counts."""
    return {
        "environments": [
            environment_json(
                environment,
                places[environment],
                [
                    {
                        "component": diff.component,
                        "summary": summary_json(diff.changes),
                        "changes": [change_json(change) for change in diff.changes if _told(change)],
                    }
                    for diff in group
                ],
            )
            for environment, group in by_environment(diffs)
        ]
    }


def _told(change: Change) -> bool:
    return change.action != "keep" or bool(change.conflicts or change.warnings or change.note)


def _component(diff: ComponentDiff, *, summary: bool, whole: bool, paint: Paint) -> Iterator[str]:
    shown = [change for change in diff.changes if change.action != "keep" or change.conflicts]
    if not shown:
        return
    yield f"  {paint('bold', diff.component)}: {summary_text(diff.changes, _WORDS)}"
    for change in shown:
        mark, colour = MARKS[change.action]
        note = f"  ({change.note})" if change.note else ""
        yield paint(colour, f"    {mark} {change.ref}") + paint("dim", note)
        for conflict in change.conflicts:
            yield paint("red", f"        conflict: {conflict.path} is owned by {conflict.manager}")
        if not summary:
            yield from _body(change, whole=whole, paint=paint)


def _body(change: Change, *, whole: bool, paint: Paint) -> Iterator[str]:
    if change.action == "add":
        if whole and change.after is not None:
            yield from (paint("green", f"        + {line}") for line in _yaml(change.after))
        return
    for field in change.fields:
        yield f"        {field.path}"
        yield from _field(field, paint)


def _field(field: FieldChange, paint: Paint) -> Iterator[str]:
    """Old and new value; of texts of several lines only the lines around what differs."""
    old = _value(field.old) if field.action != "add" else []
    new = _value(field.new) if field.action != "delete" else []
    if len(old) > 1 and len(new) > 1:
        for line in list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[0], "")
            text = f"          {line[0]} {line[1:]}" if line[0] != "@" else f"          {line}"
            yield paint(colour, text) if colour else text.rstrip()
        return
    yield from (paint("red", f"          - {line}") for line in old)
    yield from (paint("green", f"          + {line}") for line in new)


def _value(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.splitlines() if "\n" in value else [json.dumps(value, ensure_ascii=False)]
    if isinstance(value, dict | list) and value:
        return _yaml(value)
    return [json.dumps(value, ensure_ascii=False)]


def _yaml(value: Any) -> list[str]:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text.splitlines()
