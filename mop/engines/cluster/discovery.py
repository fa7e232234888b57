"""Which kinds a server has, and where: asked once for each group and version that a run uses.

One path for every server version, and less to read than the aggregated document of a cluster with many CRDs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx2

from mop.engines.cluster.errors import Asked, failure
from mop.engines.cluster.session import Session


@dataclass(frozen=True, slots=True)
class Resource:
    """Where objects of a kind live: `prefix` is `/apis/apps/v1`, `plural` `deployments`."""

    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object, or its subresource; "" = all namespaces."""
        parts = [self.prefix]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace)]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=":"))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


class Discovery:
    """Thread-safe: two threads that ask for one version make one request."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Mapping[str, Resource]] = {}

    def find(self, api_version: str, kind: str) -> Resource | None:
        """None if the server has no such kind. Raises Denied, Unreachable."""
        with self._guard:
            known = self._known.get(api_version)
            lock = self._locks.setdefault(api_version, threading.Lock())
        if known is None:
            with lock:
                known = self._known.get(api_version)
                if known is None:
                    known = self._known[api_version] = self._ask(api_version)
        return known.get(kind)

    def served(self, group: str, kind: str) -> str | None:
        """The apiVersion that serves `kind`: the group's preferred one if it does, else its next."""
        return next((version for version in self._versions(group) if self.find(version, kind)), None)

    def _versions(self, group: str) -> list[str]:
        if not group:
            return ["v1"]
        response = self._session.request("GET", f"/apis/{group}")
        if response.status_code == 404:
            return []
        self._check(response, group)
        document = json.loads(response.content)
        preferred: str = document["preferredVersion"]["groupVersion"]
        others = [version["groupVersion"] for version in document["versions"]]
        return [preferred, *(version for version in others if version != preferred)]

    def refresh(self) -> None:
        """Ask again when next wanted."""
        with self._guard:
            self._known.clear()

    def _ask(self, api_version: str) -> Mapping[str, Resource]:
        prefix = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        response = self._session.request("GET", prefix)
        if response.status_code == 404:
            return {}
        self._check(response, api_version)
        return {
            entry["kind"]: Resource(prefix, entry["name"], bool(entry["namespaced"]))
            for entry in json.loads(response.content)["resources"]
            if "/" not in entry["name"]
        }

    def _check(self, response: httpx2.Response, what: str) -> None:
        if response.status_code != 200:
            raise failure(
                response.status_code, response.content, Asked("discover", what), self._session.connection
            )
