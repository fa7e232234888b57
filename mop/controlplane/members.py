"""The members of the control plane: their order, and the command line of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mop.controlplane.layout import NODES, PODS, SERVICES, Layout

COMPANION, ETCD, APISERVER = "companion", "etcd", "kube-apiserver"
CONTROLLERS, SCHEDULER, KWOK = "kube-controller-manager", "kube-scheduler", "kwok"
#: In the order of starting; stopped in the reverse order: the API server waits for those that watch it.
MEMBERS = (ETCD, APISERVER, COMPANION, CONTROLLERS, SCHEDULER, KWOK)

#: Who listens on a port of its own; `etcd-peer` is etcd's second one.
LISTENERS = (ETCD, "etcd-peer", APISERVER, CONTROLLERS, SCHEDULER, KWOK)
PORTS_OF = {ETCD: (ETCD, "etcd-peer"), COMPANION: ()}

#: Kubernetes' own identity, and its account in the list of tokens, where they differ from the member's name.
ACCOUNT_OF = {
    CONTROLLERS: f"system:{CONTROLLERS}",
    SCHEDULER: f"system:{SCHEDULER}",
    KWOK: KWOK,
    COMPANION: COMPANION,
}


def command(member: str, program: Path, layout: Layout, ports: Mapping[str, int]) -> list[str]:
    """The command that runs `member`; it is started in `layout.folder`."""
    arguments = {
        COMPANION: lambda: _companion(layout, ports),
        ETCD: lambda: _etcd(layout, ports),
        APISERVER: lambda: _apiserver(layout, ports),
        CONTROLLERS: lambda: _controllers(layout, ports),
        SCHEDULER: lambda: _scheduler(layout, ports),
        KWOK: lambda: _kwok(layout, ports),
    }[member]()
    return [str(program), *arguments]


def environment() -> dict[str, str]:
    """What members see of the user's environment: no proxies, no kubeconfig, no Go settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG", "TZ") if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}


def _companion(layout: Layout, ports: Mapping[str, int]) -> list[str]:
    # -P: the folder it runs in is no place to import from.
    return ["-P", "-m", "mop.controlplane.companion", str(layout.folder), str(ports[KWOK])]


def _etcd(layout: Layout, ports: Mapping[str, int]) -> list[str]:
    client, peer = f"https://127.0.0.1:{ports[ETCD]}", f"https://127.0.0.1:{ports['etcd-peer']}"
    ca, certificate, key = (str(layout.pki / name) for name in ("ca.crt", "server.crt", "server.key"))
    return [
        "--name=mop",
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=mop={peer}",
        "--client-cert-auth",
        f"--trusted-ca-file={ca}",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={ca}",
        f"--peer-cert-file={certificate}",
        f"--peer-key-file={key}",
        # The data of a simulated cluster need not survive a power cut, and syncing costs most of the start.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(layout: Layout, ports: Mapping[str, int]) -> list[str]:
    pki = layout.pki
    return [
        *_listening(layout, ports[APISERVER]),
        # Not told, it looks for an address of the machine's network, and fails where there is none.
        "--advertise-address=127.0.0.1",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--token-auth-file={layout.tokens}",
        "--anonymous-auth=false",
        "--authorization-mode=RBAC",
        f"--etcd-servers=https://127.0.0.1:{ports[ETCD]}",
        f"--etcd-cafile={pki / 'ca.crt'}",
        f"--etcd-certfile={pki / 'client.crt'}",
        f"--etcd-keyfile={pki / 'client.key'}",
        f"--service-cluster-ip-range={SERVICES}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        f"--egress-selector-config-file={layout.egress}",
        "--kubelet-preferred-address-types=InternalIP",
        # The Service `kubernetes` gets no endpoint: loopback is none, and no pod will ask.
        "--endpoint-reconciler-type=none",
        "--allow-privileged",
        "--profiling=false",
    ]


def _listening(layout: Layout, port: int) -> list[str]:
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={layout.pki / 'server.crt'}",
        f"--tls-private-key-file={layout.pki / 'server.key'}",
    ]


def _controllers(layout: Layout, ports: Mapping[str, int]) -> list[str]:
    pki = layout.pki
    return [
        f"--kubeconfig={layout.kubeconfig_of(CONTROLLERS)}",
        *_listening(layout, ports[CONTROLLERS]),
        "--leader-elect=false",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        "--use-service-account-credentials=false",
        # Simulated nodes do not fail: a laptop that slept, or kwok starting anew, must not evict their pods.
        "--node-monitor-grace-period=8760h",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--profiling=false",
    ]


def _scheduler(layout: Layout, ports: Mapping[str, int]) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig_of(SCHEDULER)}",
        *_listening(layout, ports[SCHEDULER]),
        "--leader-elect=false",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--profiling=false",
    ]


def _kwok(layout: Layout, ports: Mapping[str, int]) -> list[str]:
    first = NODES.removesuffix("0.0/16") + "255.254"
    return [
        f"--kubeconfig={layout.kubeconfig_of(KWOK)}",
        f"--config={layout.kwok}",
        f"--server-address=127.0.0.1:{ports[KWOK]}",
        f"--tls-cert-file={layout.pki / 'server.crt'}",
        f"--tls-private-key-file={layout.pki / 'server.key'}",
        f"--cidr={PODS.replace('.0.0/', '.0.1/')}",
        f"--node-ip={first}",
        "--manage-all-nodes=true",
        # With leases, a kwok that starts anew waits for the old one's to end before it looks after a node.
        "--node-lease-duration-seconds=0",
    ]
