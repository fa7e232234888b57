"""What differs between a live object and the server's dry run of its apply. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mop.manifest import Manifest
from mop.results import FieldChange

#: Written by the server alone, and no part of what anybody declares.
_SERVERS = frozenset(
    {
        "managedFields",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "uid",
        "selfLink",
        "deletionTimestamp",
    }
    | {"deletionGracePeriodSeconds"}
)
_ABSENT = object()
_PLAIN_KEY = re.compile(r"^[A-Za-z_][\w-]*$")
#: What tells the items of a list apart, first that all items have and no two share (SSA's usual merge keys).
_ITEM_KEYS = ("name", "key", "mountPath", "containerPort", "port", "ip", "topologyKey", "type")


def declared(manifest: Manifest, *, status: bool = False) -> Manifest:
    """`manifest` without the fields that only the server writes; with its `status` only if asked."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _SERVERS}
    kept = {key: value for key, value in manifest.items() if key != "status" or status}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], **kept, "metadata": metadata}


def owned(manifest: Manifest, manager: str) -> Any:
    """The fields that `manager` owns by server-side apply, as managedFields tells; None if it owns none."""
    for entry in manifest["metadata"].get("managedFields") or []:
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
        ):
            return entry.get("fieldsV1")
    return None


def field_changes(before: Manifest, after: Manifest) -> tuple[FieldChange, ...]:
    """One entry for every leaf that differs, in the order of `after`, then what only `before` has."""
    return tuple(_compare("", before, after))


def _compare(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _compare(_join(path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    elif old is _ABSENT:
        yield FieldChange("add", path, None, new)
    elif new is _ABSENT:
        yield FieldChange("delete", path, old, None)
    elif not _same(old, new):
        yield FieldChange("update", path, old, new)


def _compare_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[FieldChange]:
    """Items by their key where they have one, so that one new item is one change; else by position."""
    key = _item_key([*old, *new], old, new)
    if key is None:
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else _ABSENT
            after = new[index] if index < len(new) else _ABSENT
            yield from _compare(f"{path}[{index}]", before, after)
        return
    befores = {item[key]: item for item in old}
    afters = {item[key]: item for item in new}
    moved = [name for name in afters if name in befores] != [name for name in befores if name in afters]
    for name in [*afters, *(name for name in befores if name not in afters)]:
        yield from _compare(f"{path}[{name}]", befores.get(name, _ABSENT), afters.get(name, _ABSENT))
    if moved:
        yield FieldChange("update", f"{path}[order]", list(befores), list(afters))


def _item_key(items: list[Any], old: list[Any], new: list[Any]) -> str | None:
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    for key in _ITEM_KEYS:
        if all(isinstance(item.get(key), str | int) for item in items) and all(
            len({item[key] for item in side}) == len(side) for side in (old, new)
        ):
            return key
    return None


def same(old: Any, new: Any) -> bool:
    """Equality of JSON values: `1` and `True` differ, `1` and `1.0` do not."""
    # Servers write keys in one order, so equal objects nearly always have equal texts, and C compares those.
    return json.dumps(old) == json.dumps(new) or _same(old, new)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new)


def _join(path: str, key: str) -> str:
    if not _PLAIN_KEY.match(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
