"""Objects that switch a check off for themselves say which, and why.

The annotation `mop.raibid-labs.dev/skip-checks: endpoints — the vault of another cluster` holds names of checks,
separated by commas, then a dash and the reason. Without a reason, or with a name that is no check's, it does
nothing, and is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mop.checks.nearest import nearest
from mop.checks.objects import Item, Objects, mapping
from mop.problem import Problem

ANNOTATION = "mop.raibid-labs.dev/skip-checks"

_DASH = re.compile(r"\s+(?:—|–|--?)\s+")


class Skips:
    """What the objects' annotations switch off."""

    def __init__(self, objects: Objects) -> None:
        self._names: Mapping[str, frozenset[str]] = {
            str(item.ref): names for item in objects.items if (names := skipped(item))
        }

    def covers(self, problem: Problem) -> bool:
        """Whether `problem`'s object has switched its check off."""
        return problem.check in self._names.get(problem.object, ())


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each annotation that gives no reason or names no check."""
    from mop.checks import NAMES

    for item in objects.items:
        text = mapping(item.manifest, "metadata", "annotations").get(ANNOTATION)
        if not isinstance(text, str):
            continue
        path = f'metadata.annotations["{ANNOTATION}"]'
        names, _, reason = split(text)
        if not reason:
            yield item.problem("no reason is given", path, expected="check, check — reason", found=text)
        for name in sorted(names - set(NAMES)):
            yield item.problem(f"no check is called {name}", path, found=name, hint=nearest(name, NAMES))


def skipped(item: Item) -> frozenset[str]:
    """Names of the checks that `item` switches off with a reason."""
    text = mapping(item.manifest, "metadata", "annotations").get(ANNOTATION)
    if not isinstance(text, str):
        return frozenset()
    names, dash, reason = split(text)
    return names if dash and reason else frozenset()


def split(text: str) -> tuple[frozenset[str], str, str]:
    """The check names, the dash and the reason of an annotation's value."""
    match = _DASH.search(f"{text} ")
    if match is None:
        return _names(text), "", ""
    return _names(text[: match.start()]), match.group().strip(), text[match.end() :].strip()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
