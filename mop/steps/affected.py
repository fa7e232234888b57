"""Which environments and components a change touches, from what their evaluations recorded that they depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mop.files import Input
from mop.model import Environment, Platform


@dataclass(frozen=True, slots=True)
class Affected:
    """A component in an environment, and the first reason found: a file, or `mop.yaml`."""

    environment: str
    component: str
    reason: str


def by_files(
    environment: Environment, inputs: Mapping[str, Iterable[Input]], changed: Iterable[str]
) -> list[Affected]:
    """Components whose recorded inputs (`inputs` by component) hold one of the files `changed`.

    A name that ends with `/` stands for all that lies in that folder.
    A path where an evaluation looked and found nothing counts: a new file there shadows another.
    """
    names = sorted(changed)
    found = []
    for component in environment.components:
        reason = _reason(inputs.get(component, ()), names)
        if reason:
            found.append(Affected(environment.name, component, reason))
    return found


def by_declaration(
    platform: Platform, environment: Environment, before: Mapping[str, Any] | None
) -> list[Affected]:
    """All components of `environment`, if its slice of mop.yaml is not what it was; `before`: the old document."""
    old = before and _slice(before, environment.name)
    if old == platform.environment_slice(environment.name):
        return []
    return [Affected(environment.name, component, "mop.yaml") for component in environment.components]


def _slice(document: Mapping[str, Any], environment: str) -> dict[str, Any] | None:
    environments = document.get("environments")
    if not isinstance(environments, Mapping) or environment not in environments:
        return None
    shared = {key: value for key, value in document.items() if key != "environments"}
    return {**shared, "environments": {environment: environments[environment]}}


def _reason(inputs: Iterable[Input], changed: list[str]) -> str:
    files: set[str] = set()
    trees: list[str] = []
    listed: list[Input] = []
    for item in inputs:
        if item.kind == "tree":
            trees.append(item.path.rstrip("/"))
        elif item.kind == "names":
            listed.append(item)
        else:
            files.add(item.path)
    for name in changed:
        if name in files or any(name == tree or name.startswith(f"{tree}/") for tree in trees):
            return name
        if name.endswith("/") and any(file.startswith(name) for file in files):
            return name
        if any(item.lists(name) for item in listed):
            return name
    return ""
