"""The first requests to a started API server: is it ready, and the nodes and the StorageClass for it."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from mop.controlplane.facts import Endpoint
from mop.controlplane.simulation import STORAGE_CLASS, nodes

if TYPE_CHECKING:
    from lightkube import Client


def ready(endpoint: Endpoint) -> bool:
    """Whether the API server says that it is ready."""
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    request = urllib.request.Request(f"{endpoint.server}/readyz", headers=headers)  # noqa: S310 - https, and our own
    tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(endpoint.ca)))
    # No proxies: the environment's are for other hosts than this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
    try:
        with opener.open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def connect(endpoint: Endpoint) -> Client:
    """A client of the administrator."""
    from lightkube import Client, KubeConfig

    return Client(KubeConfig.from_file(endpoint.kubeconfig), trust_env=False)


def furnish(client: Client) -> None:
    """Create the nodes and the default StorageClass where they are absent; what is there is left as it is."""
    from lightkube import ApiError
    from lightkube.generic_resource import create_global_resource

    node = create_global_resource("", "v1", "Node", "nodes")
    storage_class = create_global_resource("storage.k8s.io", "v1", "StorageClass", "storageclasses")
    for item in (*map(node.from_dict, nodes()), storage_class.from_dict(STORAGE_CLASS)):
        try:
            client.create(item)
        except ApiError as error:
            if error.status.code != 409:
                raise


def settled(client: Client) -> bool:
    """Whether controllers and kwok did their first work: an account in `default`, nodes that may be used."""
    from lightkube import ApiError
    from lightkube.generic_resource import create_global_resource, create_namespaced_resource

    account = create_namespaced_resource("", "v1", "ServiceAccount", "serviceaccounts")
    try:
        client.get(account, "default", namespace="default")
    except ApiError as error:
        if error.status.code == 404:
            return False
        raise
    ours = {node["metadata"]["name"] for node in nodes()}
    kind: Any = create_global_resource("", "v1", "Node", "nodes")
    live = [item.to_dict() for item in client.list(kind)]
    return ours <= {node["metadata"]["name"] for node in live if _usable(node)}


def _usable(node: dict[str, Any]) -> bool:
    conditions = {one["type"]: one["status"] for one in node.get("status", {}).get("conditions", ())}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")
