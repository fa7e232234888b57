"""Bringing the members up: files, ports, processes, and waiting until the cluster takes work."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mop import __version__
from mop.controlplane import credentials, egress, simulation
from mop.controlplane.binaries import Binary
from mop.controlplane.facts import Endpoint
from mop.controlplane.furnishing import ApiServer
from mop.controlplane.layout import ADMIN, Layout
from mop.controlplane.members import (
    ACCOUNT_OF,
    APISERVER,
    COMPANION,
    CONTROLLERS,
    ETCD,
    KWOK,
    LISTENERS,
    MEMBERS,
    PORTS_OF,
    SCHEDULER,
    command,
    environment,
)
from mop.controlplane.processes import free_ports, port_is_free, spawn
from mop.controlplane.record import Record, end_all
from mop.errors import ControlPlaneError
from mop.files import PRIVATE_FILE, private_folder, write_atomic

#: Seconds that the members have to become ready, on a machine that is busy with other things.
PATIENCE = 120.0

#: Seconds that the system may take to free the ports of a killed process.
_RELEASE = 2.0

_PACE = 0.05
_TAKEN = "address already in use"
_TAIL = 12


class PortTaken(ControlPlaneError):
    """Another program took a port between its choice and its use."""


@dataclass
class Starter:
    """One attempt to complete what `record` says. `started`: member → where its log ended before."""

    layout: Layout
    record: Record
    binaries: Mapping[str, Binary]
    started: dict[str, int] = field(default_factory=dict)

    def bring_up(self) -> Endpoint:
        """Start what does not run, wait, give the endpoint; after a failure nothing of it is left."""
        try:
            endpoint = self._prepare()
            server = ApiServer(endpoint)
            for member in (ETCD, APISERVER, COMPANION):
                self._spawn(member)
            self._wait(APISERVER, server.ready)
            for member in (CONTROLLERS, SCHEDULER, KWOK):
                self._spawn(member)
            server.furnish()
            for member in (CONTROLLERS, SCHEDULER, KWOK):
                self._wait(member, partial(server.healthy, self.record.ports[member]))
            self._wait(CONTROLLERS, server.settled)
        except BaseException:
            end_all(self.record, self.started)
            raise
        return endpoint

    def _prepare(self) -> Endpoint:
        layout, record = self.layout, self.record
        for folder in (layout.folder, layout.logs, layout.etcd):
            private_folder(folder)
        if not any(record.alive(member) for member in MEMBERS):
            credentials.ensure_certificates(layout.pki)
        self._choose_ports()
        tokens = credentials.ensure_tokens(layout)
        server, ca = f"https://127.0.0.1:{record.ports[APISERVER]}", layout.pki / "ca.crt"
        credentials.write_kubeconfig(layout.kubeconfig, server, ca, tokens[ADMIN])
        for member, account in ACCOUNT_OF.items():
            credentials.write_kubeconfig(layout.kubeconfig_of(member), server, ca, tokens[account])
        write_atomic(layout.egress, egress.configuration(), mode=PRIVATE_FILE)
        simulation.write_kwok_configuration(layout)
        return Endpoint(server, ca, layout.kubeconfig, tokens[ADMIN])

    def _choose_ports(self) -> None:
        """The last start's ports, so that copies of the kubeconfig stay right; others where one is taken."""
        record = self.record
        missing = [member for member in MEMBERS if not record.alive(member)]
        needed = [record.ports.get(port, 0) for member in missing for port in PORTS_OF.get(member, (member,))]
        if all(needed) and _free_soon(needed):
            return
        # Those that run know the old ports from their command lines.
        end_all(record)
        record.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
        record.save()

    def _spawn(self, member: str) -> None:
        if self.record.alive(member):
            return
        binary = self.binaries.get(member) or Binary(Path(sys.executable), f"v{__version__}")
        log = self.layout.log(member)
        self.started[member] = log.stat().st_size if log.exists() else 0
        try:
            process = spawn(
                command(member, binary.path, self.layout, self.record.ports),
                self.layout.folder,
                log,
                environment(),
            )
        except OSError as error:
            raise ControlPlaneError(f"{member} cannot be started: {binary.path}: {error.strerror}") from error
        self.record.processes[member] = process
        self.record.versions[member] = binary.version
        self.record.save()

    def _wait(self, member: str, condition: Callable[[], bool]) -> None:
        """Until `condition`; raises ControlPlaneError if a member ends meanwhile, or it takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            gone = next((name for name in self.started if not self.record.alive(name)), None)
            if gone is not None:
                raise self._failure(gone, f"{gone} ended while the control plane started")
            if time.monotonic() > deadline:
                raise self._failure(member, f"{member} was not ready within {PATIENCE:.0f} s")
            time.sleep(_PACE)

    def _failure(self, member: str, message: str) -> ControlPlaneError:
        log = self.layout.log(member)
        tail = last_lines(log, self.started.get(member, 0))
        kind = PortTaken if _TAKEN in tail else ControlPlaneError
        return kind(f"{message}; its last words:\n{tail}", hint=f"the whole log is {log}")


def _free_soon(ports: list[int]) -> bool:
    """Whether all are free; a process that was killed a moment ago may hold its own for some milliseconds."""
    deadline = time.monotonic() + _RELEASE
    while not all(map(port_is_free, ports)):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PACE)
    return True


def last_lines(log: Path, offset: int) -> str:
    """The last lines of what was written to `log` since `offset`; from its start if it was begun anew."""
    try:
        with log.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(max(offset if offset <= size else 0, size - 16384))
            lines = handle.read().decode(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(lines[-_TAIL:]) or "(it said nothing)"
