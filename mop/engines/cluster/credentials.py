"""Credentials: exec plugins (client.authentication.k8s.io, v1 and v1beta1), and when a credential ends.

lightkube's own support of plugins knows neither v1, client certificates, expiry, nor KUBERNETES_EXEC_INFO.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from mop.errors import ToolError

if TYPE_CHECKING:
    from lightkube.config.models import User

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
#: A plugin may ask a server, or a person in a browser.
_TIMEOUT = 120.0
_EARLY = timedelta(seconds=30)


def expiry(user: User, abs_file: Callable[[str], Any]) -> datetime | None:
    """When a kubeconfig user's token (if it is a JWT) or client certificate ends, as it says itself."""
    token = user.token or (Path(user.token_file).read_text() if user.token_file else "")
    if token.count(".") == 2:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            claims = token.split(".")[1]
            padded = claims + "=" * (-len(claims) % 4)
            return datetime.fromtimestamp(json.loads(base64.urlsafe_b64decode(padded))["exp"], UTC)
    if user.client_cert_data or user.client_cert:
        from cryptography.x509 import load_pem_x509_certificate

        with contextlib.suppress(ValueError, OSError):
            pem = (
                base64.b64decode(user.client_cert_data or "")
                or Path(abs_file(user.client_cert or "")).read_bytes()
            )
            return load_pem_x509_certificate(pem).not_valid_after_utc
    return None


class ExecCredentials(httpx2.Auth):
    """Runs the plugin when its credentials are wanted, expired, or answered with 401; once for all threads.

    Raises ToolError, with the plugin's own words, if it fails.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        folder: Path,
        cluster: Mapping[str, Any],
        tls: ssl.SSLContext,
        context: str,
    ) -> None:
        """`folder`: of the kubeconfig, for a relative command; `tls` receives a client certificate."""
        self._spec = spec
        self._folder = folder
        self._cluster = cluster
        self._tls = tls
        self._context = context
        self._lock = threading.Lock()
        self._token: str | None = None
        self._expires: datetime | None = None

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """One try with what is known, one more with fresh credentials after a 401."""
        token = self._current(None)
        self._sign(request, token)
        response = yield request
        if response.status_code == 401:
            self._sign(request, self._current(token))
            yield request

    @staticmethod
    def _sign(request: httpx2.Request, token: str) -> None:
        if token:
            request.headers["Authorization"] = f"Bearer {token}"

    def _current(self, refused: str | None) -> str:
        """The token; a new one if there is none, it expires soon, or it is the one that was refused."""
        with self._lock:
            expired = self._expires is not None and datetime.now(UTC) > self._expires - _EARLY
            if self._token is None or expired or self._token == refused:
                self._accept(self._run())
            return self._token or ""

    def _accept(self, status: Mapping[str, Any]) -> None:
        self._token = str(status.get("token") or "")
        stamp = status.get("expirationTimestamp")
        self._expires = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        if certificate and key:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # mode 0600, gone at once
                file.write(f"{certificate}\n{key}\n")
                file.flush()
                self._tls.load_cert_chain(file.name)

    def _run(self) -> Mapping[str, Any]:
        version = self._spec.get("apiVersion", "")
        if version not in _VERSIONS:
            raise ToolError(
                f"the credential plugin of context {self._context} speaks {version or 'no version'}",
                hint=f"expected apiVersion {' or '.join(_VERSIONS)} in the kubeconfig's exec section",
            )
        command = self._command()
        try:
            done = subprocess.run(  # the kubeconfig names the program
                command,
                env=self._environment(version),
                capture_output=True,
                text=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except FileNotFoundError as error:
            hint = str(self._spec.get("installHint") or "install it, or correct the kubeconfig")
            raise ToolError(f"the credential plugin {command[0]} is not installed", hint=hint) from error
        except subprocess.TimeoutExpired as error:
            raise ToolError(
                f"the credential plugin {command[0]} gave no answer in {_TIMEOUT:.0f} s"
            ) from error
        if done.returncode != 0:
            raise ToolError(
                f"the credential plugin {command[0]} failed: {done.stderr.strip() or done.returncode}"
            )
        return self._status(done.stdout, command[0])

    def _status(self, output: str, command: str) -> Mapping[str, Any]:
        """The `status` of the ExecCredential; its text never shows in a message, since it holds the token."""
        try:
            status = json.loads(output)["status"]
        except (ValueError, KeyError, TypeError):
            status = None
        if not isinstance(status, dict) or not (status.get("token") or status.get("clientCertificateData")):
            raise ToolError(
                f"the credential plugin {command} printed no ExecCredential with a token or certificate"
            )
        return status

    def _command(self) -> list[str]:
        """A command with a slash is relative to the kubeconfig (client-go: tools/clientcmd/loader.go)."""
        command = str(self._spec.get("command", ""))
        if os.sep in command and not os.path.isabs(command):  # noqa: PTH117
            command = str(self._folder / command)
        return [command, *map(str, self._spec.get("args") or [])]

    def _environment(self, version: str) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": False}
        if self._spec.get("provideClusterInfo"):
            spec["cluster"] = self._cluster
        info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
        extra = {str(item["name"]): str(item["value"]) for item in self._spec.get("env") or []}
        return {**os.environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(info)}
