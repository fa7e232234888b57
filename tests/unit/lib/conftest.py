"""The local environment, evaluated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.lib.rendering import ROOT, Rendered, evaluate


@pytest.fixture(scope="session")
def local() -> Rendered:
    """The local environment as it stands in environments/local."""
    return Rendered(evaluate((ROOT / "environments/local/main.jsonnet").read_text()))


@pytest.fixture
def customised() -> Callable[[str], Rendered]:
    """The local environment with `overrides` (Jsonnet, the body of an object) merged over it."""
    return lambda overrides: Rendered(
        evaluate(f"(import 'mop.libsonnet').environment('local') {{ {overrides} }}")
    )
