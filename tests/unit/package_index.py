"""A package index on loopback, with wheels made in memory: what pip needs to be tested without a network."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROGRAM = """import json, os, sys
def main():
    called = {"version": VERSION, "arguments": sys.argv[1:], "folder": os.getcwd(), "python": sys.executable}
    print(json.dumps(called))
"""


def wheel(version: str) -> bytes:
    """A wheel `invoke-<version>` whose function `standin.main` prints how the process was called, as JSON."""
    info = f"invoke-{version}.dist-info"
    files = {
        "standin.py": f"VERSION = {version!r}\n{PROGRAM}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: invoke\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in [*files.items(), (f"{info}/RECORD", f"{record}{info}/RECORD,,\n")]:
            # A fixed date: the lock files of one test hold hashes of wheels that another call makes.
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


def lock(version: str) -> str:
    """The lock file that names that wheel and its hash."""
    return f"invoke=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel(version)).hexdigest()}\n"


class Index:
    """What was asked of the index, and a gate that holds a download until a test lets it go."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.downloads: list[str] = []
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()


@contextmanager
def package_index(versions: tuple[str, ...]) -> Iterator[Index]:
    """Serve `invoke` in these versions."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    index = Index(f"http://127.0.0.1:{server.server_port}/simple")
    server.index, server.wheels = index, {f"invoke-{v}-py3-none-any.whl": wheel(v) for v in versions}  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if self.path == "/simple/invoke/":
            links = "".join(f'<a href="/files/{name}">{name}</a>' for name in self.server.wheels)
            self._answer(links.encode(), "text/html")
        elif name in self.server.wheels:
            self.server.index.downloads.append(name)
            self.server.index.asked.set()
            self.server.index.gate.wait()
            self._answer(self.server.wheels[name], "application/octet-stream")
        else:
            self.send_error(404)

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence: the test reads what pip says."""


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
