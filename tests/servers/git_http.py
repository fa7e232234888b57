"""Git repositories over HTTP: `git http-backend` behind Python's server, and repositories made of plain texts."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Fixed, so that equal files have equal commits in every run.
_WHO = {
    "GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.com", "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


class Repositories:
    """Bare repositories below `folder`, served at `url`/OWNER/NAME.git. `requests`: the paths that were asked."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.requests: list[str] = []

    def commit(
        self,
        name: str,
        files: Mapping[str, str | bytes],
        *,
        branch: str = "main",
        tag: str = "",
        keep: bool = True,
    ) -> str:
        """Commit `files` to the repository `name` (made if new) on `branch`; gives the commit.

        `keep`: what earlier commits hold stays beside them. A text `-> target` makes a link.
        """
        bare = self.folder / f"{name}.git"
        work = self.folder / ".work" / name
        if not bare.exists():
            _git(self.folder, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(bare))
            # As public hosts have it: a commit can be fetched by its digest.
            _git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
            work.parent.mkdir(parents=True, exist_ok=True)
            _git(self.folder, "clone", "--quiet", str(bare), str(work))
        exists = _git(work, "branch", "--list", branch) != ""
        _git(work, "checkout", "--quiet", *([] if exists else ["-B"]), branch)
        if not keep:
            _git(work, "rm", "-r", "--quiet", "--ignore-unmatch", ".")
        for path, content in files.items():
            _write(work / path, content)
        _git(work, "add", "--all", "--force")
        _git(work, "commit", "--quiet", "--allow-empty", "-m", "Change")
        if tag:
            _git(work, "tag", tag)
        _git(work, "push", "--quiet", "--tags", "--force", "origin", branch)
        return _git(work, "rev-parse", "HEAD").strip()

    def delete(self, name: str, reference: str) -> None:
        """Remove a branch or tag of the served repository."""
        kind = "tags" if _git(self.folder / f"{name}.git", "tag", "--list", reference) else "heads"
        _git(self.folder / f"{name}.git", "update-ref", "-d", f"refs/{kind}/{reference}")


@contextmanager
def git_server(folder: Path, host: str = "127.0.0.1") -> Iterator[Repositories]:
    """Serve the repositories below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    found = Repositories(folder, f"http://{host}:{server.server_port}")
    server.repositories = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One request, one http-backend, as CGI has it."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._serve(body)

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _serve(self, body: bytes) -> None:
        known: Repositories = self.server.repositories  # type: ignore[attr-defined]
        path, _, query = self.path.partition("?")
        known.requests.append(self.path)
        environment = {
            **os.environ, "GIT_PROJECT_ROOT": str(known.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: `Repositories.requests` tells."""


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str) and content.startswith("-> "):
        path.unlink(missing_ok=True)
        path.symlink_to(content.removeprefix("-> "))
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **_WHO}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
    return done.stdout
