"""Files over HTTP(S), and all the ways in which a server misbehaves."""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What a path gives. `cut`: bytes of the body after which the connection breaks. `hang`: no answer at all."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: bool = False


@dataclass(frozen=True)
class Request:
    """What was asked: `headers` by lower-case name."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int


class Site:
    """Paths and their answers. A list is given one by one, the last one again and again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, bytes | Answer | list[Answer]] = {}
        self.requests: list[Request] = []
        self.user = self.password = self.token = ""
        self.over = threading.Event()
        self._lock = threading.Lock()

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """What this request gets; it is noted by the handler."""
        if not self._let_in(headers.get("authorization", "")):
            return Answer(b"who are you?", 401, {"WWW-Authenticate": 'Basic realm="site"'})
        with self._lock:
            found = self.answers.get(path)
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            return Answer(b"no such file", 404)
        given = Answer(found) if isinstance(found, bytes) else found
        if given.status == 200 and not given.hang:
            etag = f'"{hashlib.sha256(given.body).hexdigest()[:16]}"'
            if headers.get("if-none-match") == etag:
                return Answer(b"", 304, {"ETag": etag})
            return Answer(given.body, 200, {"ETag": etag, **given.headers}, given.cut)
        return given

    def asked(self, path: str = "") -> list[Request]:
        """The requests of `path`, or all."""
        return [request for request in self.requests if not path or request.path == path]

    def _let_in(self, authorization: str) -> bool:
        if self.token:
            return authorization == f"Bearer {self.token}"
        if not self.user:
            return True
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return authorization == f"Basic {basic}"


@contextmanager
def site(
    tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", kind: type[Site] = Site
) -> Iterator[Site]:
    """A server on a free port, gone at the end. `host` may be `localhost`: another host than 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found = kind(f"{'https' if tls else 'http'}://{host}:{server.server_port}")
    server.site = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _serve(self) -> None:
        known: Site = self.server.site  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        given = known.answer(self.path, headers)
        known.requests.append(Request(self.command, self.path, headers, given.status))
        if given.hang:
            known.over.wait(60)
            self.close_connection = True
            return
        self.send_response(given.status)
        for name, value in given.headers.items():
            self.send_header(name, value)
        if given.status != 304:
            self.send_header("Content-Length", str(len(given.body)))
        self.end_headers()
        if self.command != "HEAD" and given.status != 304:
            self.wfile.write(given.body if given.cut is None else given.body[: given.cut])
        if given.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: `Site.requests` tells."""
