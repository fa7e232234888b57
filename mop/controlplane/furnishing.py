"""The first requests to a started API server: is it ready, and the nodes and the StorageClass for it."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from mop.controlplane.facts import Endpoint
from mop.controlplane.simulation import STORAGE_CLASS, nodes
from mop.errors import ControlPlaneError

#: Seconds that one answer may take.
_TIMEOUT = 5.0


class ApiServer:
    """Plain requests as the administrator. A client library costs more to load than these few requests take."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(endpoint.ca)))
        # No proxies: the environment's are for other hosts than this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)

    def ready(self) -> bool:
        """Whether it says so."""
        return self._answers(f"{self._endpoint.server}/readyz")

    def healthy(self, port: int) -> bool:
        """Whether the member that listens on `port` says so."""
        return self._answers(f"https://127.0.0.1:{port}/healthz")

    def furnish(self) -> None:
        """Create the nodes and the default StorageClass where they are absent; what is there is left as it is.

        Raises ControlPlaneError with the server's words.
        """
        for node in nodes():
            self._create("/api/v1/nodes", node)
        self._create("/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)

    def settled(self) -> bool:
        """Whether controllers and kwok did their first work: an account in `default`, nodes that may be used."""
        try:
            accounts = self._list("/api/v1/namespaces/default/serviceaccounts")
            usable = {node["metadata"]["name"] for node in self._list("/api/v1/nodes") if _usable(node)}
        except OSError:
            return False
        return bool(accounts) and all(node["metadata"]["name"] in usable for node in nodes())

    def _create(self, path: str, item: dict[str, Any]) -> None:
        try:
            self._ask(self._endpoint.server + path, item)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                words = error.read().decode(errors="replace")
                raise ControlPlaneError(
                    f"the API server refuses {item['metadata']['name']}: {words}"
                ) from error
        except OSError as error:
            raise ControlPlaneError(
                f"the API server, ready a moment ago, does not answer: {error}"
            ) from error

    def _list(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self._ask(self._endpoint.server + path))["items"]
        return items

    def _answers(self, url: str) -> bool:
        try:
            self._ask(url)
        except OSError:
            return False
        return True

    def _ask(self, url: str, body: dict[str, Any] | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {self._endpoint.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers)  # noqa: S310 - https, our own
        with self._opener.open(request, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read()
        return content


def _usable(node: dict[str, Any]) -> bool:
    conditions = {one["type"]: one["status"] for one in node.get("status", {}).get("conditions", ())}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")
