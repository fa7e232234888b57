"""Objects that switch a check off for themselves, with the annotation `mop.raibid-labs.dev/skip-checks`.

`endpoints — the vault of another cluster`: names of checks, separated by commas, then a dash and the reason,
which must be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
