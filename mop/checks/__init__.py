"""Checks of rendered objects: one a file, pure, named; what each finds stands in its module's docstring.

A check is a function from `Objects` to Problems. The registry below says in which order they run, over what
(one component, or the whole environment), and how grave their findings are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from mop.checks import (
    availability,
    configuration,
    dashboards,
    duplicates,
    endpoints,
    images,
    list_keys,
    mounts,
    names,
    namespaces,
    ports,
    privileges,
    probes,
    references,
    requests,
    resources,
    rules,
    secrets,
    selectors,
    skips,
)
from mop.checks.objects import Objects
from mop.problem import Problem

Level = Literal["error", "warning", "off"]


@dataclass(frozen=True, slots=True)
class Check:
    """`level`: in an ordinary environment; `protected`: in one that mop.yaml protects.

    `across`: it looks at all components of an environment together.
    """

    name: str
    run: Callable[[Objects], Iterable[Problem]]
    level: Level
    protected: Level
    across: bool


CHECKS: tuple[Check, ...] = (
    Check("skips", skips.check, "error", "error", across=False),
    Check("names", names.check, "error", "error", across=False),
    Check("list-keys", list_keys.check, "error", "error", across=False),
    Check("duplicates", duplicates.check, "error", "error", across=True),
    Check("namespaces", namespaces.check, "error", "error", across=True),
    Check("references", references.check, "error", "error", across=True),
    Check("mounts", mounts.check, "error", "error", across=True),
    Check("selectors", selectors.check, "error", "error", across=True),
    Check("ports", ports.check, "error", "error", across=True),
    Check("endpoints", endpoints.check, "error", "error", across=True),
    Check("configuration", configuration.check, "error", "error", across=True),
    Check("rules", rules.check, "error", "error", across=False),
    Check("dashboards", dashboards.check, "error", "error", across=True),
    Check("resources", resources.check, "error", "error", across=False),
    Check("images", images.check, "error", "error", across=False),
    Check("secrets", secrets.check, "error", "error", across=False),
    Check("privileges", privileges.check, "off", "warning", across=False),
    Check("requests", requests.check, "off", "warning", across=False),
    Check("probes", probes.check, "off", "warning", across=True),
    Check("availability", availability.check, "off", "warning", across=True),
)

#: What the schemas find, beside the checks: each can be switched off, or made a warning, like a check.
SCHEMA_CHECKS = ("schema", "api-versions", "unknown-kinds")

#: What is said of the charts behind an environment (`mop.checks.validation`), and of environments together.
OTHER_CHECKS = ("chart-values", "random-values", "sharing")

#: All names that `validate: {checks: …}`, `--skip` and the annotation know.
NAMES: tuple[str, ...] = (*SCHEMA_CHECKS, *OTHER_CHECKS, *(check.name for check in CHECKS))
