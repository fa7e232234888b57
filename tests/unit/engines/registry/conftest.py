from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mop.cache import Cache
from mop.engines.registry import ChartRegistry
from mop.engines.registry.http import Patience
from tests.servers import oci
from tests.servers.web import Site, site

#: Tests wait for nothing longer than they must.
QUICK = Patience(silence=2.0, total=6.0, tries=3)


@pytest.fixture(scope="session")
def registry_program() -> None:
    """Build the registry while HOME is the user's own."""
    oci.program()


@pytest.fixture
def server() -> Iterator[Site]:
    with site() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, without the logins of whoever runs the tests."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("DOCKER_CONFIG", "HELM_REGISTRY_CONFIG", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def make(tmp_path: Path, home: Path) -> Callable[..., ChartRegistry]:
    """A new engine for the platform at tmp_path/platform, on one cache."""

    def made(said: list[str] | None = None) -> ChartRegistry:
        cache = Cache(tmp_path / "cache")
        progress = said.append if said is not None else lambda _line: None
        return ChartRegistry(tmp_path / "platform", cache=cache, patience=QUICK, progress=progress)

    return made
