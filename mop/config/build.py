"""A valid mop.yaml → Platform: every default is filled in here."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from mop.durations import seconds
from mop.model import (
    Argument,
    Chart,
    Check,
    Component,
    Environment,
    Library,
    Platform,
    Ready,
    Repository,
    Rollout,
    TankaEnvironment,
    Target,
)

_CANARY_HOLD: Final = "5m"
_BLUE_GREEN_KEEP: Final = "15m"
#: `secrets` and `images` have none: what they are where nothing is said, the checks decide by `protected`.
_VALIDATE: Final = {"unknown-kinds": "error"}


def platform(root: Path, declared: Mapping[str, Any], specs: Mapping[str, TankaEnvironment]) -> Platform:
    """The Platform that `declared` means. It must have passed every check.

    `root`: the folder of mop.yaml. `specs`: the Tanka environment of each environment that has a spec.json.
    """
    charts = {
        name: Chart(name, value["chart"], value.get("version", "")) for name, value in _of(declared, "charts")
    }
    components = {name: _component(name, value) for name, value in _of(declared, "components")}
    wholes = [name for name, value in _of(declared, "environments") if value.get("whole")]
    # A whole Tanka environment is one component; mop.yaml may declare it for its charts or its `ready`.
    components |= {name: components.get(name, Component(name)) for name in wholes}
    return Platform(
        root=root,
        name=declared["platform"],
        repositories={name: _repository(name, value) for name, value in _of(declared, "repositories")},
        charts=charts,
        libraries={name: Library(name, value) for name, value in _of(declared, "libraries")},
        components=components,
        environments={
            name: _environment(name, value, declared, components, wholes, specs.get(name))
            for name, value in _of(declared, "environments")
        },
        declared=declared,
    )


def in_order(names: Iterable[str], needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """`names` so that a need stands before who needs it; otherwise as they stand. `needs` has no cycle.

    A need moves forward only as far as it must: tempo, loki, mimir, where tempo needs mimir, become
    mimir, tempo, loki.
    """
    place = {name: index for index, name in enumerate(names)}
    ordered: dict[str, None] = {}
    pending = list(place)[::-1]
    while pending:
        name = pending[-1]
        missing = [need for need in needs.get(name, ()) if need in place and need not in ordered]
        if missing:
            pending += sorted(missing, key=place.__getitem__, reverse=True)
        else:
            ordered.setdefault(pending.pop())
    return tuple(ordered)


def _of(declared: Mapping[str, Any], section: str) -> Iterable[tuple[str, Any]]:
    entries: Mapping[str, Any] = declared.get(section, {})
    return entries.items()


def _repository(name: str, value: Mapping[str, Any]) -> Repository:
    return Repository(name, value["url"], value.get("credentials", "").removeprefix("env:"))


def _component(name: str, value: Mapping[str, Any]) -> Component:
    ready = {key: seconds(text) for key, text in value.get("ready", {}).items()}
    lists = {key: tuple(value.get(key, ())) for key in ("charts", "libraries", "needs")}
    return Component(name, ready=Ready(**ready), **lists)


def _environment(
    name: str,
    value: Mapping[str, Any],
    declared: Mapping[str, Any],
    components: Mapping[str, Component],
    wholes: Iterable[str],
    tanka: TankaEnvironment | None,
) -> Environment:
    whole = value.get("whole", False)
    everything = [component for component in components if component not in wholes]
    chosen = [name] if whole else value.get("components", everything)
    inherited = tanka.namespace or "default" if whole and tanka else declared["platform"]
    needs = {component: components[component].needs for component in chosen}
    return Environment(
        name=name,
        namespace=value.get("namespace", inherited),
        kubernetes=value.get("kubernetes", declared["kubernetes"]),
        target=_target(value["target"]),
        components=in_order(chosen, needs),
        path=posixpath.normpath(value.get("path", f"environments/{name}")),
        order=value.get("order", "all-at-once"),
        protected=value.get("protected", False),
        after=value.get("after", ""),
        whole=whole,
        rollout=_rollouts(value.get("rollout", "rolling"), chosen),
        tla={key: _argument(argument) for key, argument in value.get("tla", {}).items()},
        ext={key: _argument(argument) for key, argument in value.get("ext", {}).items()},
        validate={**_VALIDATE, **value.get("validate", {})},
        tanka=tanka,
    )


def _target(value: str | Mapping[str, str]) -> Target:
    if isinstance(value, str):
        return Target("embedded" if value == "embedded" else "in-cluster")
    return Target("context", value["context"], os.path.expanduser(value.get("kubeconfig", "")))  # noqa: PTH111


def _rollouts(value: str | Mapping[str, Any], components: Iterable[str]) -> dict[str, Rollout]:
    by_component = isinstance(value, dict) and not value.keys() & {"canary", "blue-green"}
    chosen = value if isinstance(value, dict) and by_component else dict.fromkeys(components, value)
    rollouts = {name: _rollout(strategy) for name, strategy in chosen.items()}
    return {name: rollout for name, rollout in rollouts.items() if rollout.strategy != "rolling"}


def _rollout(value: str | Mapping[str, Any]) -> Rollout:
    strategy, settings = (value, {}) if isinstance(value, str) else next(iter(value.items()))
    checks = tuple(Check(**check) for check in settings.get("checks", ()))
    if strategy == "canary":
        hold = seconds(settings.get("hold", _CANARY_HOLD))
        return Rollout("canary", pods=int(settings.get("pods", 1)), hold=hold, checks=checks)
    if strategy == "blue-green":
        return Rollout("blue-green", keep=seconds(settings.get("keep", _BLUE_GREEN_KEEP)), checks=checks)
    return Rollout()


def _argument(value: str | Mapping[str, str]) -> Argument:
    return Argument(value) if isinstance(value, str) else Argument(value["code"], code=True)
