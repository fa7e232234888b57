"""An HTTP server on loopback that answers by script: what a test of the engine needs of an API server."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mop.engines.cluster.api import LightkubeCluster
from mop.engines.cluster.session import Session
from mop.engines.cluster.target import Connection

TLS = ssl.create_default_context()
RESOURCES: dict[str, list[tuple[str, str, bool]]] = {
    "/api/v1": [
        ("ConfigMap", "configmaps", True),
        ("Secret", "secrets", True),
        ("Pod", "pods", True),
        ("Namespace", "namespaces", False),
    ],
    "/apis/apps/v1": [("Deployment", "deployments", True)],
}


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """What is sent back. `drop`: close the connection instead. `lines` are streamed, each in a chunk of its own."""

    code: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    lines: Iterable[Any] | None = None


Script = Callable[[Seen], Answer]


class Server:
    """`script` answers everything but discovery; `seen` is what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: list[Answer] = []
        self.script: Script = self._next
        self.discovered: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer.answer(self)

            do_GET = do_PATCH = do_POST = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def cluster(self, **connection: Any) -> LightkubeCluster:
        """An engine whose target this is; `connection` replaces parts of its Connection."""
        usual: dict[str, Any] = {"name": "test", "server": self.url, "user": "alice", "tls": TLS}
        return LightkubeCluster(Session(Connection(**{**usual, **connection})))

    def _next(self, _seen: Seen) -> Answer:
        return self.answers.pop(0)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        if handler.command == "GET" and url.path in RESOURCES:
            self.discovered.append(url.path)
            _send(handler, Answer(body={"resources": [
                {"kind": kind, "name": plural, "namespaced": namespaced}
                for kind, plural, namespaced in RESOURCES[url.path]
            ]}))  # fmt: skip
            return
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        seen = Seen(handler.command, url.path, query, dict(handler.headers), json.loads(raw) if raw else None)
        self.seen.append(seen)
        _send(handler, self.script(seen))


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    if answer.drop:
        handler.close_connection = True
        handler.connection.close()
        return
    handler.send_response(answer.code)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.lines is not None:
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for line in answer.lines:
            data = (json.dumps(line) + "\n").encode()
            handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")
        return
    data = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


@contextmanager
def serving() -> Iterator[Server]:
    """A server for one test."""
    server = Server()
    try:
        yield server
    finally:
        server.close()


def status(message: str, reason: str = "", **details: Any) -> dict[str, Any]:
    """A Kubernetes Status that tells of a failure."""
    return {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "details": details}
