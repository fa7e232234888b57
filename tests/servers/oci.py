"""The distribution project's registry: a real process on loopback, with or without passwords, tokens and TLS."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from mop import goyaml
from tests.servers.certificates import Authority
from tests.servers.web import Answer, Site, site
from tests.unit.engines.go_programs import built

CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Registry:
    """One running registry. `user`, `password`: who may read and write, if anybody is asked."""

    def __init__(self, host: str, client: httpx2.Client, scheme: str, tokens: Tokens | None = None) -> None:
        self.host = host
        self.url = f"oci://{host}"
        self.user, self.password = "ada", "lovelace"
        self._client = client
        self._base = f"{scheme}://{host}"
        self._tokens = tokens

    def push(self, repository: str, version: str, archive: bytes, media_type: str = CHART) -> str:
        """What `helm push` does; gives the archive's sha256."""
        layer = self._blob(repository, archive)
        config = b"{}"
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": self._blob(repository, config), "size": len(config)},
            "layers": [{"mediaType": media_type, "digest": layer, "size": len(archive)}],
        }
        tag = version.replace("+", "_")
        self._send(
            "PUT", f"/v2/{repository}/manifests/{tag}", repository, json.dumps(manifest).encode(), _MANIFEST
        )
        return layer.removeprefix("sha256:")

    def _blob(self, repository: str, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = self._send("POST", f"/v2/{repository}/blobs/uploads/", repository)
        place = begun.headers["location"]
        place = place if place.startswith("http") else self._base + place
        target = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        self._send("PUT", target.removeprefix(self._base), repository, data, "application/octet-stream")
        return digest

    def _send(
        self, method: str, path: str, repository: str, body: bytes = b"", kind: str = "application/json"
    ) -> httpx2.Response:
        headers = {"Content-Type": kind}
        if self._tokens:
            headers["Authorization"] = f"Bearer {self._tokens.issue(repository, ['pull', 'push'])}"
        answer = self._client.request(method, self._base + path, content=body, headers=headers)
        answer.raise_for_status()
        return answer


@functools.cache
def program() -> Path:
    """The registry's program, built once; ask first where HOME is still the one with Go's caches."""
    return built("registry")


@contextmanager
def registry(
    folder: Path, *, passwords: bool = False, tokens: Tokens | None = None, tls: Authority | None = None
) -> Iterator[Registry]:
    """A registry that forgets everything at its end. `tokens`: it lets in only who was given one there."""
    binary = program()
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {"inmemory": {}},
        "http": {"addr": "127.0.0.1:0", "secret": "test"},
    }
    trust: ssl.SSLContext | bool = False
    if tls:
        pair = tls.sign("registry")
        config["http"]["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
        trust = ssl.create_default_context(cafile=tls.certificate)
    if passwords:
        line = subprocess.run([binary, "htpasswd", "ada", "lovelace"], capture_output=True, check=True).stdout
        (folder / "htpasswd").write_bytes(line)
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    if tokens:
        config["auth"] = {"token": tokens.settings(folder)}
    (folder / "config.yml").write_text(goyaml.dump(config))
    process = subprocess.Popen(
        [binary, "serve", folder / "config.yml"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        host = f"127.0.0.1:{_port(process)}"
        auth = ("ada", "lovelace") if passwords else None
        with httpx2.Client(verify=trust, auth=auth, trust_env=False, timeout=30) as client:
            yield Registry(host, client, "https" if tls else "http", tokens)
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _port(process: subprocess.Popen[str]) -> int:
    """The port that the registry says it listens on; the rest of its log is read and dropped."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return int(found[1])
    raise AssertionError(f"the registry did not start:\n{''.join(said)}")


class Tokens(Site):
    """A token service: whoever comes with ada's password gets a token for what is asked, others none."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.user, self.password = "ada", "lovelace"

    def settings(self, folder: Path) -> dict[str, str]:
        """The registry's side: whose tokens count."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "kid": "tests", "alg": "ES256", "use": "sig"}
        key |= {"x": _base64(numbers.x.to_bytes(32)), "y": _base64(numbers.y.to_bytes(32))}
        (folder / "jwks.json").write_text(json.dumps({"keys": [key]}))
        return {
            "realm": f"{self.url}/token",
            "service": "tests",
            "issuer": "tests",
            "jwks": str(folder / "jwks.json"),
        }

    def issue(self, repository: str, actions: list[str]) -> str:
        """A token as the registry takes it."""
        now = int(time.time())
        access = [{"type": "repository", "name": repository, "actions": actions}]
        claims = {"iss": "tests", "sub": "ada", "aud": "tests", "jti": "1", "access": access}
        claims |= {"exp": now + 300, "nbf": now - 10, "iat": now}
        head = _base64(json.dumps({"typ": "JWT", "alg": "ES256", "kid": "tests"}).encode())
        signed = f"{head}.{_base64(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64(r.to_bytes(32) + s.to_bytes(32))}"

    def answer(self, path: str, headers: Any) -> Answer:
        """A token for `?scope=repository:NAME:pull`."""
        refused = super().answer(path, headers)
        if refused.status == 401:
            return refused
        scope = parse_qs(urlsplit(path).query).get("scope", [""])[0].split(":")
        return Answer(json.dumps({"token": self.issue(scope[1], ["pull"])}).encode())


@contextmanager
def token_service(host: str = "127.0.0.1") -> Iterator[Tokens]:
    """Tokens at http://HOST/token."""
    with site(host=host, kind=Tokens) as found:
        assert isinstance(found, Tokens)
        yield found


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
