"""What the reports on a cluster share: objects and changes as JSON, marks and colours as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol, TypeVar

from mop.manifest import ObjectRef
from mop.results import ACTIONS, Change, ComponentDiff, ObjectStatus, Place

Paint = Callable[[str, str], str]

MARKS = {"add": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "keep": ("=", "dim")}
SIMULATED = "the containers of this cluster are simulated: nothing runs in them"


class _Placed(Protocol):
    @property
    def environment(self) -> str: ...


Fact = TypeVar("Fact", bound=_Placed)


def by_environment(facts: Iterable[Fact]) -> list[tuple[str, list[Fact]]]:
    """Facts of one environment together, in their order."""
    return [(name, list(group)) for name, group in groupby(facts, key=lambda fact: fact.environment)]


def environment_json(name: str, place: Place, components: list[dict[str, Any]]) -> dict[str, Any]:
    """One environment of a JSON report."""
    return {
        "environment": name,
        "cluster": place.address,
        "simulated": place.simulated,
        "components": components,
    }


def ref_json(ref: ObjectRef) -> dict[str, Any]:
    """An object's identity; no namespace for cluster-scoped kinds."""
    found = {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
    return {key: value for key, value in found.items() if value}


def change_json(change: Change) -> dict[str, Any]:
    """One change; empty parts are left out."""
    fields = [
        {
            "action": each.action,
            "path": each.path,
            **({} if each.action == "add" else {"old": each.old}),
            **({} if each.action == "delete" else {"new": each.new}),
        }
        for each in change.fields
        if change.action == "update"
    ]
    optional: dict[str, Any] = {
        "fields": fields,
        "object": change.after if change.action == "add" else None,
        "conflicts": [{"manager": each.manager, "path": each.path} for each in change.conflicts],
        "warnings": list(change.warnings),
        "note": change.note,
    }
    return {"action": change.action, **ref_json(change.ref), **{k: v for k, v in optional.items() if v}}


def status_json(status: ObjectStatus) -> dict[str, Any]:
    """Where one object stands."""
    optional = {"reason": status.reason, "logs": status.logs}
    return {**ref_json(status.ref), "state": status.state, **{k: v for k, v in optional.items() if v}}


def summary_json(changes: Sequence[Change]) -> dict[str, int]:
    """How many objects have which action."""
    return {action: sum(change.action == action for change in changes) for action in ACTIONS}


def summary_text(changes: Sequence[Change], words: Mapping[str, str]) -> str:
    """`2 added, 1 updated, 140 unchanged`; what there is none of is left out."""
    counts = summary_json(changes)
    return (
        ", ".join(f"{counts[action]} {words[action]}" for action in ACTIONS if counts[action]) or "no objects"
    )


def warnings_of(diffs: Iterable[ComponentDiff]) -> list[str]:
    """Each warning of the server once, with the first object it was said of and how many more."""
    objects: dict[str, list[ObjectRef]] = {}
    for diff in diffs:
        for change in diff.changes:
            for warning in change.warnings:
                objects.setdefault(warning, []).append(change.ref)
    return [
        f"{refs[0]}{f' and {len(refs) - 1} more' if len(refs) > 1 else ''}: {text}"
        for text, refs in objects.items()
    ]


def plain(_colour: str, text: str) -> str:
    """No colour."""
    return text
