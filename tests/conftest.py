"""Rules for every test: bounded and repeatable properties, nothing beyond loopback, and no skip in CI."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

#: Tests that may be skipped in CI too: they need programs or days that CI does not have.
MAY_SKIP = {"peers", "nightly"}
CI = bool(os.environ.get("CI"))

# Machines differ in speed, so nothing is judged by its time. In CI the examples are the same at every run.
settings.register_profile("default", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", deadline=None, max_examples=2000)


class BeyondLoopback(BaseException):
    """A test tried to reach another machine. No `except Exception` of the code under test swallows it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--nightly`, which `inv test --nightly` passes on."""
    parser.addoption("--nightly", action="store_true", help="run the tests marked nightly as well")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how properties are explored, and watch the network."""
    nightly = config.getoption("--nightly")
    settings.load_profile("nightly" if nightly else "ci" if CI else "default")
    sys.addaudithook(_watch)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave nightly tests out unless they are asked for: deselected, not skipped."""
    if config.getoption("--nightly"):
        return
    later = [item for item in items if item.get_closest_marker("nightly")]
    if later:
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skipped test is a failed one: what nobody runs protects nothing."""
    outcome: Any = yield
    report = outcome.get_result()
    allowed = MAY_SKIP.intersection(mark.name for mark in item.iter_markers())
    if CI and report.skipped and not hasattr(report, "wasxfail") and not allowed:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr[2]}"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The same for a module that skips itself while it is imported."""
    outcome: Any = yield
    report = outcome.get_result()
    if CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = (
            f"{collector.nodeid} skipped as a whole, which CI does not allow: {report.longrepr[2]}"
        )


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and not _is_loopback(arguments[1]):
        raise BeyondLoopback(f"a test may reach loopback alone; it tried {arguments[1]}")


def _is_loopback(address: Any) -> bool:
    """Whether a socket address stays on this machine: a Unix socket's path, or 127.0.0.0/8 and ::1."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0]).partition("%")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
