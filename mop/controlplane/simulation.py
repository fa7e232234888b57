"""What the cluster is furnished with: nodes in three zones, and a default StorageClass."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from mop.controlplane.layout import KUBELET_PORT, NODES, Layout
from mop.files import PRIVATE_FILE, write_atomic

ZONES = ("a", "b", "c")

#: Room for any stack: the scheduler counts, but nothing runs.
CAPACITY = {"cpu": "1k", "memory": "4Ti", "ephemeral-storage": "100Ti", "pods": "10k"}

STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "simulated",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "kubernetes.io/no-provisioner",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
    "allowVolumeExpansion": False,
}

_LOG = (
    "1970-01-01T00:00:00Z stdout F This container is simulated: nothing runs in it, and so it says nothing.\n"
)


def nodes() -> list[dict[str, Any]]:
    """One node a zone, as they are created, and with the status that they keep."""
    return [_node(zone, number) for number, zone in enumerate(ZONES, 1)]


def _node(zone: str, number: int) -> dict[str, Any]:
    name = f"simulated-{zone}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(
                    platform.machine(), "amd64"
                ),
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": "simulated",
                "topology.kubernetes.io/zone": zone,
            },
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": NODES.replace(".0.0/16", f".255.{number}")},
                {"type": "Hostname", "address": name},
            ],
            "allocatable": CAPACITY,
            "capacity": CAPACITY,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        },
    }


def write_kwok_configuration(layout: Layout) -> None:
    """Our stages, and one log for every container."""
    log = layout.folder / "simulated.log"
    write_atomic(log, _LOG, mode=PRIVATE_FILE)
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "simulated"},
        "spec": {"logs": [{"logsFile": str(log), "previousLogsFile": str(log)}]},
    }
    stages = (Path(__file__).parent / "stages.yaml").read_text()
    write_atomic(layout.kwok, f"{stages}---\n{json.dumps(logs)}\n", mode=PRIVATE_FILE)
