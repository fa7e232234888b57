"""What invoke imports and hardly a run uses is imported when it is first used: start-up time is everybody's time.

invoke carries a copy of PyYAML for its configuration files (`invoke.yaml`). Importing it takes longer than all
else in invoke, and a run that finds no such file never touches it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

DEFERRED = frozenset({"invoke.vendor.yaml"})


class Finder:
    """Finds the modules of DEFERRED as usual, and has them executed on their first attribute access."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in DEFERRED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def install() -> None:
    """Defer from now on. What is imported already stays as it is."""
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
