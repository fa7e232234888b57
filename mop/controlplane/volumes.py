"""Storage for every claim, again and again: a provisioner as real clusters have one, but without storage.

A pending claim gets a PersistentVolume made for it, whatever StorageClass it names; Kubernetes' own
controller binds the two. When the claim goes, its volume is deleted; a claim of the same name gets a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from lightkube import ApiError, AsyncClient, KubeConfig
from lightkube.generic_resource import create_global_resource, create_namespaced_resource

from mop.controlplane.following import Object, Say, follow

CLAIMS = create_namespaced_resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUMES = create_global_resource("", "v1", "PersistentVolume", "persistentvolumes")

LABEL = "mop.raibid-labs.dev/simulated"


async def bind_claims(kubeconfig: Path, say: Say) -> None:
    """Watch claims and volumes until cancelled; an API server that is away is waited for."""
    client = AsyncClient(KubeConfig.from_file(kubeconfig), trust_env=False)

    async def provide(claim: Object) -> None:
        if wants_volume(claim):
            await _settled(409, client.create(VOLUMES.from_dict(volume_for(claim))))

    async def remove(volume: Object) -> None:
        if is_released(volume):
            await _settled(404, client.delete(VOLUMES, volume["metadata"]["name"]))

    await asyncio.gather(
        follow("claims", lambda: client.watch(CLAIMS, namespace="*"), provide, say),
        follow("volumes", lambda: client.watch(VOLUMES), remove, say),
    )


def wants_volume(claim: Object) -> bool:
    """Whether the claim waits to be provided for, and is not meant for a volume made by hand."""
    spec = claim["spec"]
    by_hand = spec.get("volumeName") or spec.get("selector") or spec.get("storageClassName") == ""
    gone = "deletionTimestamp" in claim["metadata"]
    return not by_hand and not gone and claim.get("status", {}).get("phase", "Pending") == "Pending"


def volume_for(claim: Object) -> Object:
    """A volume that this very claim, and no other of its name, will be bound to."""
    meta, spec = claim["metadata"], claim["spec"]
    identity = {key: meta[key] for key in ("name", "namespace", "uid")}
    wanted: Object = {
        "accessModes": spec["accessModes"],
        "capacity": spec.get("resources", {}).get("requests", {"storage": "1Gi"}),
        "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **identity},
        "hostPath": {"path": f"/simulated/{meta['namespace']}/{meta['name']}"},
        # Kubernetes cannot delete what no plugin provides (it says Failed): the volume is ours to delete.
        "persistentVolumeReclaimPolicy": "Retain",
    }
    wanted |= {key: spec[key] for key in ("storageClassName", "volumeMode") if key in spec}
    metadata = {"name": f"pvc-{meta['uid']}", "labels": {LABEL: "true"}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": wanted}


def is_released(volume: Object) -> bool:
    """Whether the volume is one of ours and its claim is gone."""
    meta = volume["metadata"]
    ours = meta.get("labels", {}).get(LABEL) == "true" and "deletionTimestamp" not in meta
    return bool(ours and volume.get("status", {}).get("phase") == "Released")


async def _settled(code: int, request: Awaitable[Any]) -> None:
    """Make the request; the answer `code` says that an earlier event did so already."""
    try:
        await request
    except ApiError as error:
        if error.status.code != code:
            raise
