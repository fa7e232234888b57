"""Processes that outlive the command: how they are started, known again, and ended.

A process is known by its pid *and* the moment it started, so that a recycled pid is never taken for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was started. `born`: when, as the system tells it; "" if it was gone already."""

    pid: int
    born: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return bool(self.born) and born(self.pid) == self.born

    @property
    def uptime(self) -> float:
        """Seconds since `start`, 0.0 where the system does not tell."""
        try:
            return max(
                0.0,
                float(Path("/proc/uptime").read_text().split()[0]) - int(self.born.split(":")[1]) / _TICKS,
            )
        except (OSError, ValueError, IndexError):
            return 0.0

    @property
    def memory(self) -> int:
        """Resident bytes, 0 where the system does not tell."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return 0


def born(pid: int) -> str:
    """When the process `pid` started: on Linux `BOOT-ID:TICKS`, elsewhere as `ps` says; "" if none runs."""
    if sys.platform != "linux":
        return _born_by_ps(pid)
    try:
        # The name in parentheses may hold spaces and parentheses; fields count from behind it (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _born_by_ps(pid: int) -> str:
    asked = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True)  # noqa: S607
    state, _, started = asked.stdout.strip().partition(" ")
    return "" if not state or state.startswith("Z") else started.strip()


def spawn(command: Sequence[str | Path], folder: Path, log: Path, environment: dict[str, str]) -> Process:
    """Start `command` in a session of its own, so that neither Ctrl-C nor the end of a terminal reaches it.

    What it writes is appended to `log` (0600). Raises OSError if it cannot be started.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    _children[process.pid] = process
    return Process(process.pid, born(process.pid))


#: Children of this very process: they must be waited for, or they stay zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


def end(process: Process, patience: float) -> bool:
    """SIGTERM, then SIGKILL after `patience` seconds. Gives whether it went by itself."""
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        if not process.alive:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        deadline = time.monotonic() + seconds
        while running(process) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not running(process):
            return number is signal.SIGTERM
    return True


def running(process: Process) -> bool:
    """Like `process.alive`; also takes the exit status of a child."""
    child = _children.get(process.pid)
    if child is not None and child.poll() is not None:
        del _children[process.pid]
    return process.alive


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listened on a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Go's net.Listen does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
