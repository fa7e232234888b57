"""Start, stop and look at the embedded control plane: a real Kubernetes API, with simulated pods."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mop.controlplane.facts import Endpoint, Member, Progress, Status, silent
from mop.controlplane.layout import ADMIN, Layout
from mop.controlplane.members import APISERVER, MEMBERS
from mop.controlplane.record import Record, end_all
from mop.errors import ControlPlaneError
from mop.files import PRIVATE_FILE, write_atomic

#: Starts, should other programs take the chosen ports each time.
_ATTEMPTS = 3


class ControlPlane:
    """The control plane of the platform at `root`; its state is the folder `.mop/cluster` there.

    `cache`: where built programs are kept; default MOP_CACHE_DIR, else the user's cache folder.
    Any number of these, in any number of processes, may stand for one control plane.
    """

    def __init__(self, root: Path, progress: Progress = silent, cache: Path | None = None) -> None:
        self._layout = Layout(root.absolute() / ".mop" / "cluster")
        self._progress = progress
        self._cache = cache

    def start(self) -> Endpoint:
        """Run every member that does not run yet, and wait until the cluster takes work.

        The first start of a version builds its programs, which takes minutes. What `stop` kept is continued;
        a member that died is started anew on its old port. Raises ToolError if nothing can be built, and
        ControlPlaneError if a member does not come up; then what this call started is stopped again.
        """
        from mop.cache import cache_root
        from mop.controlplane.binaries import obtain
        from mop.controlplane.furnishing import ApiServer
        from mop.controlplane.starting import PortTaken, Starter

        with self._locked():
            record = Record.load(self._layout.record)
            endpoint = self._endpoint(record)
            if endpoint is not None and ApiServer(endpoint).ready():
                return endpoint
            binaries = obtain(self._cache or cache_root() / "controlplane", self._progress)
            self._progress("starting the embedded control plane")
            for _attempt in range(_ATTEMPTS - 1):
                with contextlib.suppress(PortTaken):
                    return Starter(self._layout, record, binaries).bring_up()
                self._progress("another program took a port meanwhile: once more, with other ports")
            return Starter(self._layout, record, binaries).bring_up()

    def stop(self, *, delete: bool = False) -> bool:
        """End every member, in the reverse order of starting. Gives whether any was running.

        What the cluster holds is kept for the next start; with `delete` the whole folder goes.
        """
        if not self._layout.folder.exists():
            return False
        with self._locked():
            stopped = end_all(Record.load(self._layout.record))
            if delete:
                shutil.rmtree(self._layout.folder)
        return stopped

    def status(self) -> Status:
        """Which members run. Asks the system, not the API server."""
        record = Record.load(self._layout.record)
        members = tuple(_member(name, record) for name in MEMBERS)
        alive = sum(member.running for member in members)
        state: Literal["running", "stopped", "partly"] = "partly"
        if alive in (0, len(MEMBERS)):
            state = "running" if alive else "stopped"
        return Status(state, members, self._layout.folder, self._endpoint(record))

    def endpoint(self) -> Endpoint | None:
        """How to reach the API server; None if it, or any other member, does not run."""
        return self._endpoint(Record.load(self._layout.record))

    def stand_in(self, address: str, server: str | None) -> None:
        """Let `server` (`127.0.0.1:41234`) answer for the pod or Service at `address` (`198.18.0.5:80`).

        For tests of what asks pods through the API server. None takes it back.
        """
        with self._locked():
            routes = json.loads(self._layout.routes.read_text()) if self._layout.routes.exists() else {}
            if server is None:
                routes.pop(address, None)
            else:
                routes[address] = server
            write_atomic(self._layout.routes, json.dumps(routes, indent=2) + "\n", mode=PRIVATE_FILE)

    # ------------------------------------------------------------ inside

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self._layout.lock, mode=PRIVATE_FILE)
        try:
            self._layout.lock.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self._progress("another process starts or stops the control plane: waiting for it")
                lock.acquire()
            yield
        except OSError as error:
            hint = (
                f"the control plane keeps its files in {self._layout.folder}; is it writable, and not full?"
            )
            raise ControlPlaneError(f"the control plane's files: {error}", hint=hint) from error
        finally:
            lock.release()

    def _endpoint(self, record: Record) -> Endpoint | None:
        from mop.controlplane.credentials import read_tokens

        if not all(record.alive(member) for member in MEMBERS):
            return None
        token = read_tokens(self._layout).get(ADMIN, "")
        server = f"https://127.0.0.1:{record.ports[APISERVER]}"
        return Endpoint(server, self._layout.pki / "ca.crt", self._layout.kubeconfig, token)


def _member(name: str, record: Record) -> Member:
    process = record.alive(name)
    version = record.versions.get(name, "")
    if process is None:
        return Member(name, version, running=False)
    port = record.ports.get(name, 0)
    return Member(name, version, True, process.pid, port, process.uptime, process.memory)
