"""A scripted server for each test, and no pauses between tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mop.engines.cluster import session
from tests.unit.engines.cluster.server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the session made, without making them."""
    made: list[float] = []
    monkeypatch.setattr(session.time, "sleep", made.append)
    return made
