"""Others who use the same API server: another field manager, an account that may do little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mop.controlplane import Endpoint
from mop.engines.cluster import Endpoint as Address
from mop.engines.cluster import connect
from mop.engines.cluster.discovery import Discovery
from mop.engines.cluster.session import Session
from mop.engines.cluster.target import resolve
from mop.engines.protocols import Cluster
from mop.manifest import Manifest, ref
from mop.model import Target
from tests.cluster.objects import obj

RBAC = "rbac.authorization.k8s.io"


def session(endpoint: Endpoint) -> Session:
    """Bare requests as administrator."""
    address = Address(endpoint.server, endpoint.ca, endpoint.token)
    return Session(resolve(Target("embedded"), Path(), address))


def apply_as(manager: str, manifest: Manifest, endpoint: Endpoint, *, force: bool = False) -> None:
    """Server-side apply as another manager; `force` takes fields from whoever owns them."""
    it, bare = ref(manifest), session(endpoint)
    resource = Discovery(bare).find(it.api_version, it.kind)
    assert resource is not None
    response = bare.request(
        "PATCH",
        resource.path(it.namespace, it.name),
        params={"fieldManager": manager, "force": str(force).lower()},
        body=json.dumps(manifest).encode(),
        content_type="application/apply-patch+yaml",
    )
    assert response.is_success, response.text


def limited(cluster: Cluster, endpoint: Endpoint, namespace: str, rules: list[dict[str, Any]]) -> Cluster:
    """The cluster as a service account sees it that may do what `rules` say, in `namespace` alone."""
    subject = {"kind": "ServiceAccount", "name": "limited", "namespace": namespace}
    cluster.apply(obj("v1", "ServiceAccount", namespace, "limited"))
    cluster.apply(obj(f"{RBAC}/v1", "Role", namespace, "limited", rules=rules))
    role = {"apiGroup": RBAC, "kind": "Role", "name": "limited"}
    cluster.apply(obj(f"{RBAC}/v1", "RoleBinding", namespace, "limited", roleRef=role, subjects=[subject]))
    response = session(endpoint).request(
        "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/limited/token", body=b"{}"
    )
    token = response.json()["status"]["token"]
    return connect(Target("embedded"), Path(), Address(endpoint.server, endpoint.ca, token))
