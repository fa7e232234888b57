"""Fixtures for tests that need a real API server: the embedded control plane, started once for a test session.

Without built programs in the cache the first session builds them (minutes). Without Go either, `start` says what is
missing, and every test here fails with that message; none is skipped.

With `pytest -n`, the workers share one control plane: the first starts it, the last one that leaves stops it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from mop.controlplane import ControlPlane, Endpoint
from mop.engines import cluster as engine
from mop.engines.protocols import Cluster
from mop.manifest import ref
from mop.model import Target

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder needs the control plane, and stays in one worker: two would only wait in turns."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.xdist_group("cluster"))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The running control plane of this session. Tests leave it running and clean; see `namespace`."""
    root = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        root = root.parent  # the workers' own folders lie side by side in it
    users = root / "control-plane-users"
    users.mkdir(exist_ok=True)
    lock = FileLock(root / "control-plane-users.lock")
    me = users / str(os.getpid())
    plane = ControlPlane(root / "control-plane", progress=print)
    with lock:
        me.touch()
        plane.start()
    try:
        yield plane
    finally:
        with lock:
            me.unlink()
            if not any(users.iterdir()):
                plane.stop(delete=True)


@pytest.fixture(scope="session")
def endpoint(control_plane: ControlPlane) -> Endpoint:
    """How to reach it."""
    found = control_plane.endpoint()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def cluster(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The engine, connected to it as its administrator."""
    return engine.connect(Target("embedded"), tmp_path_factory.getbasetemp(), endpoint)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a namespace that is this test's alone; it is deleted, without waiting for that."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    created = cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete(ref(created))
