"""What invoke imports and hardly a run uses is imported when it is first used: start-up time is everybody's time.

invoke carries a copy of PyYAML for its configuration files (`invoke.yaml`), and its contexts for tests take `Mock`
from unittest, which brings asyncio and TLS. Either takes longer to import than all else in invoke, and no run of ours
touches it. doit imports the debugger.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import (
        Loader,
    )  # which brings importlib.resources, and with it half of the standard library

DEFERRED = frozenset({"invoke.vendor.yaml", "pdb"})
#: Takes `Mock` while it is imported.
_MOCKING = "invoke.context"
_MOCK = "unittest.mock"


class Finder:
    """Finds the modules of DEFERRED as usual, and has them executed on their first attribute access."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in DEFERRED and name != _MOCKING:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            # A loader by its methods; `Loader` itself is left to the type checker.
            spec.loader = _MockLater(spec.loader) if name == _MOCKING else LazyLoader(spec.loader)  # type: ignore[assignment]
        return spec


class _MockLater:
    """Executes a module with a stand-in for unittest.mock, which is gone afterwards."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if _MOCK in sys.modules:
            self._loader.exec_module(module)
            return
        stand_in = ModuleType(_MOCK)
        stand_in.Mock = _mock  # type: ignore[attr-defined]
        sys.modules[_MOCK] = stand_in
        try:
            self._loader.exec_module(module)
        finally:
            del sys.modules[_MOCK]


def _mock(*args: Any, **named: Any) -> Any:
    from unittest.mock import Mock

    return Mock(*args, **named)


def install() -> None:
    """Defer from now on. What is imported already stays as it is."""
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
