"""Which environments and components a command means: `--env 'prod-*'`, `--component loki,mimir`."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mop.errors import UsageError
from mop.model import Environment, Platform


@dataclass(frozen=True, slots=True)
class Selected:
    """One environment and the components of it that are meant, in the order of their needs.

    `named`: the environment was named, not matched by a glob (which never covers a protected one).
    """

    environment: Environment
    components: tuple[str, ...]
    named: bool

    @property
    def whole(self) -> bool:
        """Whether all components of the environment are meant."""
        return self.components == self.environment.components


def select(platform: Platform, environments: str = "", components: str = "") -> tuple[Selected, ...]:
    """What `--env` and `--component` mean. Raises UsageError naming every unknown name and the nearest one.

    With one environment declared it is the default; `--component` given, environments without any of them drop out
    if they were matched by a glob, and are an error if they were named.
    """
    if not environments:
        if len(platform.environments) != 1:
            raise UsageError(
                "which environment? --env is missing",
                hint=f"one of {', '.join(platform.environments)}; several with commas; '*' for all",
            )
        environments = next(iter(platform.environments))
    chosen = _match(environments, list(platform.environments), "environment")
    declared = {c for env in platform.environments.values() for c in env.components}
    wanted = _match(components, sorted(declared), "component") if components else None
    selected = []
    for name, named in chosen.items():
        environment = platform.environments[name]
        mine = tuple(c for c in environment.components if wanted is None or c in wanted)
        if wanted is not None and named:
            _require(environment, [c for c, explicit in wanted.items() if explicit])
        if mine:
            selected.append(Selected(environment, mine, named))
    return tuple(selected)


def shard(selected: tuple[Selected, ...], text: str) -> tuple[Selected, ...]:
    """The `I`th of `N` parts of `selected` (`I/N`): disjoint, complete, stable. By environment, in name order."""
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise UsageError(
            f"--shard: expected I/N with 1 ≤ I ≤ N, found {text!r}", hint="for example --shard 3/16"
        )
    ordered = sorted(selected, key=lambda s: s.environment.name)
    return tuple(s for position, s in enumerate(ordered) if position % int(count) == int(index) - 1)


def _require(environment: Environment, names: Iterable[str]) -> None:
    for name in names:
        if name not in environment.components:
            raise UsageError(
                f"component {name} is not in environment {environment.name}",
                hint=f"it has {', '.join(environment.components)}",
            )


def _match(text: str, known: Collection[str], what: str) -> dict[str, bool]:
    """Names that `text` (names and globs, separated by commas) means → whether each was named in full."""
    found: dict[str, bool] = {}
    unknown: list[str] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        if part in known:
            found[part] = True
            continue
        matches = fnmatch.filter(known, part) if any(c in part for c in "*?[") else []
        if not matches:
            unknown.append(part)
        for name in matches:
            found.setdefault(name, False)
    if unknown:
        lines = [f"no {what} {name}{_nearest(name, known)}" for name in unknown]
        raise UsageError("; ".join(lines), hint=f"declared: {', '.join(known)}")
    if not found:
        raise UsageError(f"no {what} is named in {text!r}", hint=f"declared: {', '.join(known)}")
    return {name: found[name] for name in known if name in found}


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
