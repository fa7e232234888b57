"""One apply at a time in an environment: a Lease, renewed while it is held (cluster.md, Lock).

Clocks of two machines are never compared: who comes second watches the Lease for as long as it says it lasts.
If it is renewed meanwhile its holder lives; if not, it is taken over.
"""

from __future__ import annotations

import getpass
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from mop.engines.protocols import Cluster
from mop.errors import ClusterError, Locked, Rejected, Stale
from mop.manifest import Manifest, ObjectRef

_API = "coordination.k8s.io/v1"
#: Seconds that a Lease lasts without renewal, and the part of it after which the holder trusts it no more.
DURATION = 30.0
_TRUSTED = 0.7
_RENEWED = 0.3


def holder_identity() -> str:
    """`alice@laptop, process 4711, 1a2b3c4d`: for people, and unlike any other."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{platform.node()}, process {os.getpid()}, {uuid.uuid4().hex[:8]}"


class Lock:
    """A context manager. Entering raises Locked if somebody else holds the environment; `check` if it was lost."""

    def __init__(
        self,
        cluster: Cluster,
        environment: str,
        namespace: str,
        *,
        holder: str = "",
        duration: float = DURATION,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ref = ObjectRef(_API, "Lease", namespace, f"mop-{environment}")
        self.holder = holder or holder_identity()
        self._cluster = cluster
        self._environment = environment
        self._duration = duration
        self._clock = clock
        self._acquired = ""
        self._version = ""
        self._renewed = 0.0
        self._lost = ""
        self._released = threading.Event()
        self._renewer = threading.Thread(target=self._renew, daemon=True, name="mop-lock")

    def __enter__(self) -> Lock:
        self._acquire()
        self._renewer.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._renewer.join()
        if not self._lost:
            try:
                self._write(holder="")
            except ClusterError:
                return  # it ends by itself; what the apply has to say matters more

    def check(self) -> None:
        """Before each write: raises Locked if the Lease may be somebody else's by now."""
        if self._lost:
            raise Locked(self._lost, hint="see what the other apply did, then repeat this one")
        silent = self._clock() - self._renewed
        if silent > self._duration * _TRUSTED:
            raise Locked(
                f"the lock of {self._environment} could not be renewed for {silent:.0f} s, so nothing more is written",
                hint="repeat the apply when the API server answers; it goes on where this one stopped",
            )

    def _acquire(self) -> None:
        for _ in range(3):
            live = self._cluster.get(self.ref)
            if live is None:
                if self._create():
                    return
            elif self._free(live):
                self._version = live["metadata"]["resourceVersion"]
                try:
                    self._write(holder=self.holder)
                except Stale:
                    continue  # somebody was faster: look again
                return
        raise Locked(
            f"environment {self._environment} is wanted by others at the same moment", hint="try again"
        )

    def _create(self) -> bool:
        """Whether the Lease is ours; False if somebody else made it first."""
        sent = self._clock()
        try:
            self._accept(self._cluster.create(self._lease("")), sent)
        except Rejected:
            if self._cluster.get(self.ref) is None:
                raise
            return False
        return True

    def _free(self, live: Manifest) -> bool:
        """Whether nobody holds it. Watches a holder for as long as its Lease lasts; raises Locked if it lives."""
        spec = live.get("spec") or {}
        if not spec.get("holderIdentity"):
            return True
        lasts = float(spec.get("leaseDurationSeconds") or DURATION)
        watch = self._cluster.watch(_API, "Lease", self.ref.namespace, timeout=lasts)
        for event in watch:
            if event.manifest["metadata"]["name"] != self.ref.name:
                continue
            now: dict[str, Any] = event.manifest.get("spec") or {}
            if event.type == "DELETED" or not now.get("holderIdentity"):
                watch.close()
                return True
            live["metadata"]["resourceVersion"] = event.manifest["metadata"]["resourceVersion"]
            if now.get("renewTime") != spec.get("renewTime"):
                watch.close()
                self._refuse(now)
        return True

    def _refuse(self, spec: dict[str, Any]) -> None:
        raise Locked(
            f"environment {self._environment} is being changed by {spec.get('holderIdentity')}"
            f" since {spec.get('acquireTime')}",
            hint="wait until that apply has ended; if it died, its lock ends by itself",
        )

    def _renew(self) -> None:
        while not self._released.wait(self._duration * _RENEWED):
            try:
                self._write(holder=self.holder)
            except Stale:
                self._lost = f"the lock of {self._environment} was taken over by somebody else"
                return
            except ClusterError:
                continue  # `check` counts the time

    def _write(self, *, holder: str) -> None:
        sent = self._clock()
        self._accept(self._cluster.apply(self._lease(self._version, holder), force=True).manifest, sent)

    def _accept(self, lease: Manifest, sent: float) -> None:
        """Others count from when the server wrote it, which is no earlier than when it was sent."""
        self._version = lease["metadata"]["resourceVersion"]
        self._renewed = sent

    def _lease(self, version: str, holder: str | None = None) -> Manifest:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._acquired = self._acquired or now
        metadata = {"name": self.ref.name, "namespace": self.ref.namespace}
        return {
            "apiVersion": _API,
            "kind": "Lease",
            "metadata": {**metadata, **({"resourceVersion": version} if version else {})},
            "spec": {
                "holderIdentity": self.holder if holder is None else holder,
                "leaseDurationSeconds": max(1, round(self._duration)),
                "acquireTime": self._acquired,
                "renewTime": now,
            },
        }
