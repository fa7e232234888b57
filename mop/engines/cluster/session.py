"""One pool of connections to one API server: requests that survive a hiccup, and say so when they do not."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx2

from mop import __version__
from mop.engines.cluster.errors import certificate_problem, unreachable
from mop.engines.cluster.target import Connection

#: Seconds. An admission webhook may take 30 before the server answers.
_ANSWER, _CONNECT, _POOL = 35.0, 5.0, 60.0
#: How long a request is tried again: a server that never answered is told of soon,
#: one that was there before may be restarting.
_PATIENCE_NEW = 1.0
_PATIENCE_KNOWN = 30.0
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0
_OVERLOADED = 429
_PASSING = (500, 502, 503, 504)
#: A 500 with these words is an answer, not a hiccup; any other is asked again a few times, for nobody knows.
_FINAL_500 = (
    b"failed to create typed patch object",
    b"field not declared in schema",
    b"failed calling webhook",
    b"unable to convert",
)
_TRIES_500 = 5


class Session:
    """Thread-safe. Gives responses as they are; only "no answer" is an error here (Unreachable)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._answered = threading.Event()
        self._client = httpx2.Client(
            verify=connection.tls,
            auth=connection.auth,
            proxy=connection.proxy,
            trust_env=not connection.loopback,
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=32, keepalive_expiry=60),
        )
        self._base = connection.server.rstrip("/")
        self._headers = {
            "User-Agent": f"mop/{__version__}",
            "Accept": "application/json",
            **connection.headers,
        }
        timeout = httpx2.Timeout(_ANSWER, connect=_CONNECT, pool=_POOL)
        self._extensions: dict[str, Any] = {"timeout": timeout.as_dict()}
        if connection.sni:
            self._extensions["sni_hostname"] = connection.sni

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "",
        idempotent: bool = True,
    ) -> httpx2.Response:
        """The answer, whatever its code. Raises Unreachable.

        429 is waited out as its Retry-After says. After 5xx, resets and refusals an `idempotent` request is
        sent again, with growing pauses, for one second, or for thirty once the server has answered before.
        """
        started = time.monotonic()
        delay = _FIRST_DELAY
        for tried in count():
            request = self._request(method, path, params, body, content_type, accept)
            left = started + self._patience() - time.monotonic()
            try:
                response = self._client.send(request)
            except httpx2.TransportError as error:
                repeatable = idempotent or isinstance(error, httpx2.ConnectError)
                if not repeatable or left < delay or certificate_problem(error):
                    raise unreachable(self.connection, error) from error
                pause = delay
            else:
                self._answered.set()
                asked = _pause(response, delay, tried, idempotent=idempotent)
                if asked is None or left < asked:
                    return response
                pause = asked
            time.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads clients, hides nothing
            delay = min(delay * 2, _LONGEST_DELAY)
        raise AssertionError("counting has no end")

    def stream(self, path: str, params: Mapping[str, str], read_timeout: float) -> httpx2.Response:
        """A response whose lines are still to come; the caller closes it. Raises httpx2.TransportError."""
        request = self._request("GET", path, params)
        timeout = httpx2.Timeout(_ANSWER, connect=_CONNECT, pool=_POOL, read=read_timeout)
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        response = self._client.send(request, stream=True)
        self._answered.set()
        return response

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "",
    ) -> httpx2.Request:
        """A request with one parse of its URL: merging it into the client's would take three."""
        query = f"?{urlencode(params)}" if params else ""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = content_type
        if accept:
            headers["Accept"] = accept
        url = f"{self._base}{path}{query}"
        return httpx2.Request(method, url, headers=headers, content=body, extensions=dict(self._extensions))

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()

    def _patience(self) -> float:
        return _PATIENCE_KNOWN if self._answered.is_set() else _PATIENCE_NEW


def _pause(response: httpx2.Response, delay: float, tried: int, *, idempotent: bool) -> float | None:
    """Seconds until the request is worth repeating; None: this is the answer."""
    if response.status_code == _OVERLOADED:
        return _retry_after(response) or delay
    if response.status_code in _PASSING and idempotent:
        final = tried >= _TRIES_500 or any(words in response.content for words in _FINAL_500)
        if response.status_code == 500 and final:
            return None
        return _retry_after(response) or delay
    return None


def _retry_after(response: httpx2.Response) -> float:
    value: Any = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0
