"""Taking objects over from other tools: their fields become ours, so that what we leave out goes. Pure.

The rule is client-go's (util/csaupgrade): the entries of an old manager are united with ours in managedFields, and
removed. We do so for managers that apply on the server's side too, which `kubectl apply --server-side` and Helm 4 are.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mop.engines.protocols import FIELD_MANAGER
from mop.manifest import Manifest

#: The field managers of `kubectl apply` (both sides), of `tk`, which calls it, and of Helm.
TOOLS = frozenset(
    {
        "kubectl-client-side-apply",
        "kubectl-last-applied",
        "kubectl",
        "before-first-apply",
        "tanka",
        "tk",
        "helm",
        "Helm",
    }
)

Entry = dict[str, Any]


def tools_of(live: Manifest) -> list[str]:
    """The managers of `live` that an adoption ends."""
    return sorted({each["manager"] for each in _entries(live) if _foreign(each)})


def migrated(live: Manifest) -> list[Entry]:
    """The managedFields of `live` with everything of the other tools ours."""
    entries = _entries(live)
    ours = next((e for e in entries if e.get("manager") == FIELD_MANAGER and _applies(e)), None)
    if ours is None:
        # The newest comes first.
        first = next(each for each in entries if _foreign(each))
        ours = {**copy.deepcopy(first), "manager": FIELD_MANAGER, "operation": "Apply"}
    fields = ours.get("fieldsV1") or {}
    for each in entries:
        if _foreign(each) and each.get("apiVersion") == ours.get("apiVersion"):
            fields = _union(fields, each.get("fieldsV1") or {})
    others = [
        e for e in entries if not _foreign(e) and not (e.get("manager") == FIELD_MANAGER and _applies(e))
    ]
    return [{**ours, "fieldsV1": fields}, *others]


def released(dry: Manifest) -> Manifest:
    """`dry`, the result of our apply beside the other tools, without what only they own: what is left once they go."""
    theirs: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for each in _entries(dry):
        fields = each.get("fieldsV1") or {}
        if _foreign(each):
            theirs = _union(theirs, fields)
        else:
            kept = _union(kept, fields)
    found = copy.deepcopy(dry)
    _drop(found, theirs, kept)
    return found


def _entries(live: Manifest) -> list[Entry]:
    return list(live["metadata"].get("managedFields") or [])


def _foreign(entry: Mapping[str, Any]) -> bool:
    return entry.get("manager") in TOOLS and not entry.get("subresource")


def _applies(entry: Mapping[str, Any]) -> bool:
    return entry.get("operation") == "Apply" and not entry.get("subresource")


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(one)
    for key, inner in other.items():
        found[key] = _union(found.get(key) or {}, inner or {})
    return found


def _drop(value: Any, theirs: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """Take out of `value` what stands in `theirs` and not in `kept`, both as fieldsV1."""
    for key, inner in theirs.items():
        kind, _, text = key.partition(":")
        if key == ".":
            continue
        at = _find(value, kind, text)
        if at is None:
            continue
        if key not in kept:
            del value[at]
        elif inner:
            _drop(value[at], inner, kept[key])


def _find(value: Any, kind: str, text: str) -> Any:
    """The key or the index that a path element means; None where there is no such thing."""
    if kind == "f":
        return text if isinstance(value, dict) and text in value else None
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    wanted = json.loads(text)
    for index, item in enumerate(value):
        if kind == "v" and item == wanted:
            return index
        if kind == "k" and isinstance(item, dict) and all(item.get(k) == v for k, v in wanted.items()):
            return index
    return None
