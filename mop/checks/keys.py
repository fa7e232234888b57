"""Which keys the configuration of Loki and Tempo has, by version, and which of a given one are none of them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.checks.nearest import nearest

Version = tuple[int, int]
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that the product's version does not have. `other`: versions that do, in words."""

    path: str
    key: str
    hint: str
    other: str = ""


@functools.cache
def _load(product: str) -> dict[str, Any] | None:
    path = _DATA / f"{product}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def covered(product: str, version: Version | None) -> bool:
    """Whether the keys of this very version are known."""
    document = _load(product)
    return (
        document is not None and version is not None and f"{version[0]}.{version[1]}" in document["versions"]
    )


def unknown(product: str, version: Version | None, configuration: Any) -> Iterator[Unknown]:
    """Keys of `configuration` that `product` does not have in `version`; None: in no version that is known."""
    document = _load(product)
    if document is not None:
        for it in _unknown(document["keys"], version, configuration, ""):
            # An incomplete reference does not tell an unlisted key from a wrong one; a misspelt one it does.
            if document["complete"] or it.hint or it.other:
                yield it


def _unknown(node: Any, version: Version | None, value: Any, path: str) -> Iterator[Unknown]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _unknown(node, version, entry, f"{path}[{index}]")
    if not isinstance(node, dict) or not isinstance(value, dict):
        return
    known, elsewhere = _keys(node, version)
    for key, below in value.items():
        where = f"{path}.{key}" if path else str(key)
        if key in known:
            yield from _unknown(known[key], version, below, where)
        else:
            yield Unknown(where, str(key), nearest(str(key), known), elsewhere.get(str(key), ""))


def _keys(node: Mapping[str, Any], version: Version | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The keys that `version` has, and those that other versions have, with which."""
    known, elsewhere = {}, {}
    for marked, below in node.items():
        key, _, span = marked.partition("@")
        first, _, last = span.partition("-")
        if version is None or (
            (not first or version >= _version(first)) and (not last or version <= _version(last))
        ):
            known[key] = below
        else:
            elsewhere[key] = f"since {first}" if first and version < _version(first) else f"until {last}"
    return known, elsewhere


def _version(text: str) -> Version:
    major, _, minor = text.partition(".")
    return int(major), int(minor)
