"""Where the control plane keeps what is its own: one folder, 0700, under the platform's `.mop/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Addresses that no host on a real network has (RFC 2544 sets 198.18.0.0/15 aside for benchmarks).
PODS = "198.18.0.0/16"
NODES = "198.19.0.0/16"
SERVICES = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"

#: The kubelet port that simulated nodes report; the egress proxy leads it to kwok.
KUBELET_PORT = 10250

#: Group of the administrator's token: may do everything.
ADMIN = "mop"


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one control plane. `folder` is `<platform>/.mop/cluster`."""

    folder: Path

    @property
    def lock(self) -> Path:
        """Beside the folder: it outlives a deletion."""
        return self.folder.with_name("cluster.lock")

    @property
    def record(self) -> Path:
        """Which processes were started, and the ports they were given."""
        return self.folder / "processes.json"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    @property
    def tokens(self) -> Path:
        """The API server's list of bearer tokens."""
        return self.folder / "tokens.csv"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kubeconfig"

    def kubeconfig_of(self, member: str) -> Path:
        """A member's own."""
        return self.folder / "kubeconfigs" / member

    @property
    def etcd(self) -> Path:
        """What the cluster holds; kept by `stop`."""
        return self.folder / "etcd"

    @property
    def logs(self) -> Path:
        """One file for each member."""
        return self.folder / "logs"

    @property
    def routes(self) -> Path:
        """Pod addresses that a server on loopback stands in for: {"198.18.0.5:3100": "127.0.0.1:41234"}."""
        return self.folder / "routes.json"

    @property
    def egress(self) -> Path:
        """The API server's EgressSelectorConfiguration."""
        return self.folder / "egress.yaml"

    @property
    def kwok(self) -> Path:
        """kwok's configuration: how nodes and pods behave."""
        return self.folder / "kwok.yaml"

    def log(self, member: str) -> Path:
        """What a member says."""
        return self.logs / f"{member}.log"
