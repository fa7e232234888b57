"""A stream of events without gaps: list, watch from there, and go on from the last version after a break."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2

from mop.engines.cluster.discovery import Resource
from mop.engines.cluster.errors import Asked, failure, unreachable
from mop.engines.cluster.session import Session
from mop.engines.protocols import Event
from mop.manifest import Manifest

_PAGE = "500"
#: Seconds of one connection: load balancers cut longer ones silently.
_CONNECTION = 240.0
#: The server's own end comes first; only a dead connection runs into this.
_MARGIN = 10.0
_GONE = 410
_RETRY = (429, 500, 502, 503, 504)


class ResumingWatch:
    """`protocols.Watch`. Raises Denied at once; Unreachable once the server has been away until `timeout`."""

    def __init__(
        self, session: Session, resource: Resource, namespace: str, labels: str, since: str, timeout: float
    ) -> None:
        self._session = session
        self._asked = Asked("watch", resource.plural, namespace=namespace)
        self._path = resource.path(namespace)
        self._selector = {"labelSelector": labels} if labels else {}
        self._version = since
        self._deadline = time.monotonic() + timeout
        self._known: dict[str, Manifest] = {}
        self._closed = threading.Event()
        self._response: httpx2.Response | None = None
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Event]:
        delay = 0.1
        while not self._over():
            try:
                if not self._version:
                    yield from self._listed()
                for event in self._connected():
                    delay = 0.1
                    yield event
            except _Expired:
                self._version = ""
            except (httpx2.TransportError, httpx2.StreamError, _Passing) as error:
                if self._over():
                    self._complain(error)
                    return
                self._closed.wait(delay * random.uniform(0.8, 1.2))  # noqa: S311 - spreads clients
                delay = min(delay * 2, 5.0)

    def close(self) -> None:
        """End the iteration, from any thread: a blocked read wakes up."""
        self._closed.set()
        with self._lock:
            response = self._response
        if response is None:
            return
        stream = response.extensions.get("network_stream")
        raw = stream.get_extra_info("socket") if stream is not None else None
        if isinstance(raw, socket.socket):
            # Closing the descriptor would not wake a thread that reads from it.
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)

    def _over(self) -> bool:
        return self._closed.is_set() or time.monotonic() >= self._deadline

    def _complain(self, error: Exception) -> None:
        if not self._closed.is_set() and not isinstance(error, _Passing):
            raise unreachable(self._session.connection, error) from error

    def _listed(self) -> Iterator[Event]:
        """What is there, as events: after a gap, with a DELETED for all that went meanwhile."""
        found: dict[str, Manifest] = {}
        token = ""
        while True:
            params = {**self._selector, "limit": _PAGE, **({"continue": token} if token else {})}
            response = self._session.request("GET", self._path, params=params)
            if response.status_code == _GONE and token:
                token = ""
                continue
            self._check(response.status_code, response.content)
            page = json.loads(response.content)
            found.update((_uid(item), item) for item in complete(page))
            token = page["metadata"].get("continue", "")
            if not token:
                break
        gone = [manifest for uid, manifest in self._known.items() if uid not in found]
        self._version = page["metadata"]["resourceVersion"]
        self._known = found
        yield from (Event("DELETED", manifest) for manifest in gone)
        yield from (Event("ADDED", manifest) for manifest in found.values())

    def _connected(self) -> Iterator[Event]:
        left = max(1.0, min(_CONNECTION, self._deadline - time.monotonic()))
        params = {
            **self._selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(int(left)),
        }
        response = self._session.stream(self._path, params, left + _MARGIN)
        with self._lock:
            self._response = response
        try:
            if self._closed.is_set():  # asked for while the connection was made
                return
            if response.status_code != 200:
                self._check(response.status_code, response.read())
            for line in response.iter_lines():
                if self._closed.is_set():
                    return
                event = self._event(json.loads(line))
                if event is not None:
                    yield event
        finally:
            with self._lock:
                self._response = None
            response.close()

    def _event(self, raw: dict[str, Any]) -> Event | None:
        manifest: Manifest = raw["object"]
        if raw["type"] == "ERROR":
            self._check(int(manifest.get("code") or 500), json.dumps(manifest).encode())
            return None
        self._version = manifest["metadata"]["resourceVersion"]
        if raw["type"] == "BOOKMARK":
            return None
        if raw["type"] == "DELETED":
            self._known.pop(_uid(manifest), None)
        else:
            self._known[_uid(manifest)] = manifest
        return Event(raw["type"], manifest)

    def _check(self, code: int, body: bytes) -> None:
        if code == _GONE:
            raise _Expired
        if code in _RETRY:
            raise _Passing(f"HTTP {code}")
        if code != 200:
            raise failure(code, body, self._asked, self._session.connection)


class _Expired(Exception):
    """410: the version is too old; list again."""


class _Passing(Exception):
    """An answer that asks to try again."""


def complete(page: dict[str, Any]) -> list[Manifest]:
    """The items of a list, with the apiVersion and kind that the server leaves out of them."""
    kind = page["kind"].removesuffix("List")
    return [{"apiVersion": page["apiVersion"], "kind": kind, **item} for item in page.get("items") or []]


def _uid(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return str(metadata.get("uid") or f"{metadata.get('namespace', '')}/{metadata['name']}")
