"""One object is rendered by one component only.

Two components that render an object of the same group, kind, namespace and name would overwrite each other at
every apply, and prune could not tell whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from mop.checks.objects import Item, Objects
from mop.problem import Problem


def check(objects: Objects) -> Iterator[Problem]:
    """A Problem at each further object of one identity; names the component that has the first."""
    first: dict[tuple[str, str, str, str], Item] = {}
    for item in objects.items:
        other = first.setdefault(item.ref.identity, item)
        if other is not item:
            where = "this component" if other.component == item.component else f"component {other.component}"
            yield item.problem(
                f"rendered twice: {where} has it too",
                hint="render it in one of them, or give it another name",
            )
