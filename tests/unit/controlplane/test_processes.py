"""Processes that outlive the command are known again for what they are, or not at all."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mop.controlplane import processes
from mop.controlplane.processes import Process

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def start(command: list[str], folder: Path) -> Process:
    """A started process that has said `up`."""
    process = processes.spawn(command, folder, folder / "log", dict(os.environ))
    while "up" not in (folder / "log").read_text():
        assert processes.running(process)
    return process


def test_a_process_runs_in_a_session_of_its_own_and_writes_a_private_log(tmp_path: Path) -> None:
    process = start(SLEEP, tmp_path)
    try:
        assert process.alive
        assert os.getsid(process.pid) == process.pid
        assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
        assert process.uptime < 60
        assert process.memory > 1_000_000
    finally:
        processes.end(process, 5)


def test_a_process_ends_by_itself_when_asked(tmp_path: Path) -> None:
    process = start(SLEEP, tmp_path)

    assert processes.end(process, 10)
    assert not process.alive
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    process = start(DEAF, tmp_path)

    assert not processes.end(process, 0.05)
    assert not process.alive


def test_ending_what_is_gone_is_fine(tmp_path: Path) -> None:
    process = start(SLEEP, tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    while processes.running(process):
        pass

    assert processes.end(process, 5)


def test_a_recycled_pid_is_never_taken_for_the_process_that_had_it() -> None:
    with subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL) as stranger:
        try:
            recycled = Process(stranger.pid, "another-boot:12345")

            assert not recycled.alive
            assert processes.end(recycled, 0.05)
            assert stranger.poll() is None, "the stranger lives on"
        finally:
            stranger.kill()


def test_a_process_that_never_was_is_not_alive() -> None:
    assert not Process(2**22 + 1, "").alive
    assert processes.born(2**22 + 1) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="MOP runs on Unix")
def test_ps_tells_the_start_where_there_is_no_proc() -> None:
    mine = processes._born_by_ps(os.getpid())

    assert mine
    assert mine == processes._born_by_ps(os.getpid())
    assert processes._born_by_ps(2**22 + 1) == ""


def test_ports_are_free_and_differ() -> None:
    ports = processes.free_ports(20)

    assert len(set(ports)) == 20
    assert all(map(processes.port_is_free, ports))


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not processes.port_is_free(server.getsockname()[1])
