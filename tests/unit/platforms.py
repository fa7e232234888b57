"""Small platforms for unit tests, made without a mop.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mop.model import Component, Environment, Platform, Target


def environment(name: str, components: Iterable[str] = ("logs", "metrics"), **fields: Any) -> Environment:
    """An embedded environment; any field can be given."""
    defaults: dict[str, Any] = {
        "namespace": "observability",
        "kubernetes": "1.34",
        "target": Target("embedded"),
        "path": f"environments/{name}",
    }
    return Environment(name=name, components=tuple(components), **{**defaults, **fields})


def platform(root: Path, *environments: Environment, extra: Mapping[str, Any] | None = None) -> Platform:
    """A platform of these environments and the components that they name."""
    names = {component for env in environments for component in env.components}
    declared = {
        "version": 1,
        "platform": "observability",
        "components": {name: {} for name in sorted(names)},
        "environments": {env.name: {"components": list(env.components)} for env in environments},
        **(extra or {}),
    }
    return Platform(
        root=root,
        name="observability",
        repositories={},
        charts={},
        libraries={},
        components={name: Component(name) for name in sorted(names)},
        environments={env.name: env for env in environments},
        declared=declared,
    )
