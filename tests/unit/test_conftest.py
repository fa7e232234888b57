"""The rules of tests/conftest.py, seen from a run of pytest over small suites of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import BeyondLoopback

Suite = Callable[..., subprocess.CompletedProcess[str]]
CONFTEST = Path(__file__).parents[1] / "conftest.py"
MARKERS = "[pytest]\nmarkers =\n    peers: present or not\n    nightly: long\n"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run pytest over `text` with this repository's conftest.py, and with or without CI set."""

    def run(text: str, *arguments: str, ci: bool) -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_bytes(CONFTEST.read_bytes())
        (tmp_path / "pytest.ini").write_text(MARKERS)
        (tmp_path / "test_it.py").write_text(f"import pytest\n{text}")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        environment = {"PATH": "", "HOME": str(tmp_path), **({"CI": "true"} if ci else {})}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_a_skip_fails_in_ci_and_nowhere_else(suite: Suite) -> None:
    skips = "def test_tool():\n    pytest.skip('no such tool')\n"
    assert suite(skips, ci=False).returncode == 0
    failed = suite(skips, ci=True)
    assert failed.returncode == 1
    assert "skipped, which CI does not allow: Skipped: no such tool" in failed.stdout


def test_a_module_that_skips_itself_fails_in_ci(suite: Suite) -> None:
    failed = suite("pytest.skip('nothing here', allow_module_level=True)\n", ci=True)
    assert failed.returncode != 0
    assert "test_it.py skipped as a whole, which CI does not allow" in failed.stdout


def test_comparisons_with_other_programs_may_be_skipped_in_ci(suite: Suite) -> None:
    text = "@pytest.mark.peers\ndef test_tk():\n    pytest.skip('no tk')\n\ndef test_other():\n    pass\n"
    passed = suite(text, ci=True)
    assert passed.returncode == 0, passed.stdout
    assert "1 passed, 1 skipped" in passed.stdout


def test_an_expected_failure_is_no_skip(suite: Suite) -> None:
    assert suite("@pytest.mark.xfail\ndef test_known():\n    assert False\n", ci=True).returncode == 0


def test_nightly_tests_run_when_asked_for(suite: Suite) -> None:
    text = "@pytest.mark.nightly\ndef test_long():\n    pass\n\ndef test_short():\n    pass\n"
    assert "1 passed, 1 deselected" in suite(text, ci=True).stdout
    assert "2 passed" in suite(text, "--nightly", ci=True).stdout


def test_other_machines_are_out_of_reach() -> None:
    # TEST-NET-1 (RFC 5737) belongs to nobody; the attempt is stopped before a packet is sent.
    with socket.socket() as client, pytest.raises(BeyondLoopback):
        client.connect(("192.0.2.1", 80))


def test_this_machine_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
