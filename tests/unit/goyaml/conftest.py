from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.goyaml.judge import Judge, built


@pytest.fixture(scope="session")
def go() -> Iterator[Judge]:
    """Go's own YAML, JSON and regexp libraries."""
    judge = Judge(built())
    yield judge
    judge.stop()
