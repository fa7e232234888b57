"""Which checks run in an environment, and how grave what they find is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mop.checks import CHECKS, Level
from mop.checks.objects import Objects
from mop.checks.skips import Skips
from mop.manifest import ObjectRef
from mop.model import Environment
from mop.problem import Problem

#: What the schemas call an object whose kind they do not know.
UNKNOWN_KINDS = "unknown-kinds"


def levels(environment: Environment) -> dict[str, Level]:
    """How grave the findings of each check are in `environment`; what is not listed stays as found."""
    found: dict[str, Level] = {
        check.name: check.protected if environment.protected else check.level for check in CHECKS
    }
    if environment.validate.get(UNKNOWN_KINDS) == "allow":
        found[UNKNOWN_KINDS] = "off"
    found.update(environment.validate.get("checks", {}))
    return found


def run(objects: Objects, *, across: bool) -> Iterator[Problem]:
    """What the checks find in one component or, `across`, between those of an environment."""
    wanted = levels(objects.environment)
    for check in CHECKS:
        if check.across == across and wanted[check.name] != "off":
            for problem in check.run(objects):
                yield problem if problem.check else replace(problem, check=check.name)


def settle(objects: Objects, found: Iterable[Problem], files: Mapping[ObjectRef, str]) -> list[Problem]:
    """`found` with level, environment and file, without what mop.yaml or an object itself switches off."""
    environment = objects.environment
    wanted = levels(environment)
    declared = environment.validate.get("checks", {})
    skips = Skips(objects)
    paths: dict[str, str] | None = None
    kept = []
    for problem in found:
        level = wanted.get(problem.check, problem.level)
        if level == "off" or skips.covers(problem):
            continue
        # A finding that its check calls a warning is one even where the check's others are errors; but
        # mop.yaml has the last word.
        if problem.check not in declared:
            level = "warning" if "warning" in (level, problem.level) else "error"
        if paths is None:
            paths = {str(it): path for it, path in files.items()}
        file = problem.file or paths.get(problem.object, "")
        kept.append(replace(problem, level=level, environment=environment.name, file=file))
    return kept
