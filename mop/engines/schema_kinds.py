"""Which kinds a Kubernetes version has, which live in a namespace, and what became of those that are gone."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.problem import Problem

_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Served:
    """One kind in one API version, and the minor versions that have it; `until` None = the newest has it."""

    api_version: str
    kind: str
    namespaced: bool
    since: int
    until: int | None

    def at(self, minor: int) -> bool:
        """Whether Kubernetes 1.`minor` has it."""
        return self.since <= minor and (self.until is None or minor <= self.until)

    @property
    def group(self) -> str:
        """`apps` of `apps/v1`; "" for the core group."""
        return self.api_version.rpartition("/")[0]


@functools.cache
def served() -> Mapping[tuple[str, str], Served]:
    """(apiVersion, kind) → where it is, of all that can be created in some version (data/kinds.json)."""
    rows = _load("kinds.json")["kinds"]
    return {
        (api, kind): Served(api, kind, scope == "Namespaced", since, until)
        for api, kind, scope, since, until in rows
    }


def newest() -> int:
    """The minor version up to which `served` knows all kinds."""
    minor: int = _load("kinds.json")["newest"]
    return minor


@functools.cache
def namespaced(minor: int) -> Mapping[tuple[str, str], bool]:
    """(apiVersion, kind) → whether objects live in a namespace, of the kinds of Kubernetes 1.`minor`."""
    return {key: it.namespaced for key, it in served().items() if it.at(minor)}


def missing(minor: int, api_version: str, kind: str, custom: Iterable[tuple[str, str]]) -> Problem:
    """Why Kubernetes 1.`minor` with the `custom` kinds has no such kind, and what to write instead."""
    gone = _removed().get((api_version, kind))
    it = served().get((api_version, kind))
    if gone is None and it is not None and it.until is not None and it.until < minor:
        gone = (it.until + 1, _newest(it.group, kind, minor))
    if gone is not None:
        return Problem(
            f"{api_version} {kind} was removed in Kubernetes 1.{gone[0]}",
            check="api-versions",
            path="apiVersion",
            found=api_version,
            expected=gone[1],
            hint=f"use {gone[1]}" if gone[1] else "",
        )
    if it is not None:
        return Problem(
            f"{api_version} {kind} comes with Kubernetes 1.{it.since}; this environment runs 1.{minor}",
            check="api-versions",
            path="apiVersion",
            found=api_version,
        )
    return Problem(
        f"no kind {kind} in {api_version}, neither in Kubernetes 1.{minor} nor by a CustomResourceDefinition",
        check="unknown-kinds",
        path="kind",
        found=f"{api_version} {kind}",
        hint=_nearest(api_version, kind, [*namespaced(minor), *custom]),
    )


def ageing(minor: int, api_version: str, kind: str) -> Problem | None:
    """A warning if this version of `kind` is deprecated, or gone from a later Kubernetes."""
    note = _deprecated().get((api_version, kind))
    if note is not None and note[0] <= minor:
        return Problem(
            f"{api_version} {kind} is deprecated since Kubernetes 1.{note[0]}",
            level="warning",
            check="api-versions",
            path="apiVersion",
            hint=f"use {note[1]}",
        )
    it = served().get((api_version, kind))
    if it is None or it.until is None:
        return None
    instead = _newest(it.group, kind, minor)
    return Problem(
        f"{api_version} {kind} is removed in Kubernetes 1.{it.until + 1}",
        level="warning",
        check="api-versions",
        path="apiVersion",
        hint=f"use {instead}" if instead != api_version else "",
    )


def _newest(group: str, kind: str, minor: int) -> str:
    """The most stable API version of (group, kind) in Kubernetes 1.`minor`; "" if there is none."""
    found = [
        it.api_version for it in served().values() if (it.group, it.kind) == (group, kind) and it.at(minor)
    ]
    return max(found, key=_stability, default="")


def _stability(api_version: str) -> tuple[bool, bool, str]:
    return ("alpha" not in api_version, "beta" not in api_version, api_version)


def _nearest(api_version: str, kind: str, known: Iterable[tuple[str, str]]) -> str:
    """The known kind that is spelt most like this one; a kind of that very name comes first."""
    names = {f"{api} {name}": name for api, name in known}
    same = [full for full, name in names.items() if name == kind]
    close = same or difflib.get_close_matches(f"{api_version} {kind}", names, n=1, cutoff=0.8)
    return f"did you mean {max(close, key=_stability)}?" if close else ""


@functools.cache
def _removed() -> Mapping[tuple[str, str], tuple[int, str]]:
    return _table("removed")


@functools.cache
def _deprecated() -> Mapping[tuple[str, str], tuple[int, str]]:
    return _table("deprecated")


def _table(name: str) -> Mapping[tuple[str, str], tuple[int, str]]:
    rows = _load("removed.json")[name]
    return {(api, kind): (minor, instead) for api, kinds, minor, instead in rows for kind in kinds}


@functools.cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_DATA / name).read_text())
    return loaded
