"""The Kubernetes API server, over lightkube's connection: `protocols.Cluster`.

    target.py       what a Target names → a connection: kubeconfig, in-cluster account, embedded endpoint
    credentials.py  exec credential plugins
    session.py      one pool of connections: requests, retries, timeouts
    errors.py       the server's Status → the errors of `mop.errors`
    discovery.py    which kinds the server has, and where
    watch.py        a stream of events that survives what a connection does not
    api.py          the verbs

Only lightkube's configuration, TLS and authentication are used, over the HTTP client that it brings. Its
typed models would drop fields that they do not know, so objects travel as plain JSON. Importing it takes a
tenth of a second, so that the embedded target, which needs none of it, does without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mop.model import Target

if TYPE_CHECKING:
    from mop.engines.cluster.api import LightkubeCluster

__all__ = ["Endpoint", "connect"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the embedded control plane listens: `server` is a URL, `ca` the file of its authority."""

    server: str
    ca: Path
    token: str = field(repr=False)


def connect(target: Target, root: Path, endpoint: Endpoint | None = None) -> LightkubeCluster:
    """The cluster that `target` names; `root` is what a relative kubeconfig path starts from.

    `endpoint` is for a target of kind `embedded`. No request is made yet. Raises ClusterError if the
    kubeconfig has no such context, or the credentials cannot be read.
    """
    from mop.engines.cluster.api import LightkubeCluster
    from mop.engines.cluster.session import Session
    from mop.engines.cluster.target import resolve

    connection = resolve(target, root, endpoint)
    return LightkubeCluster(Session(connection), simulated=target.kind == "embedded")
