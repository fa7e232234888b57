"""Who may be told what: logins for repositories, from the environment, docker's configuration and netrc.

A login belongs to one origin (scheme, host, port) and goes to no other, whatever a redirect or a challenge says.
None is ever read from a file of the platform, and none is part of a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mop.errors import VendorError

_HELPER_TIMEOUT: Final = 60.0
_PORTS: Final = {"http": 80, "https": 443}
#: Docker Hub is known by three names; what docker keeps of it stands under the first.
_HUB_KEY: Final = "https://index.docker.io/v1/"
_HUB_HOSTS: Final = frozenset(("index.docker.io", "registry-1.docker.io", "docker.io", "auth.docker.io"))


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password, or a token that is sent as it is. `source`: where it was found, for messages."""

    source: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def header(self) -> str:
        """The value of an Authorization header."""
        if self.token:
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Tls:
    """Files that NAME_CA, NAME_CERT and NAME_KEY name; "" = none."""

    ca: str = ""
    certificate: str = ""
    key: str = ""


class Logins:
    """What is known to this user. `root`: the platform's folder, from which nothing is read."""

    def __init__(self, root: Path, environ: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._environ = os.environ if environ is None else environ
        self._found: dict[tuple[str, tuple[str, str, int]], Login | None] = {}
        self._lock = threading.Lock()
        self._home = Path(self._environ.get("HOME") or Path.home())

    def find(self, url: str, named: str = "", owner: str = "") -> Login | None:
        """The login for `url`. `named`: NAME of NAME_USERNAME …, which belongs to the origin of `owner`.

        Asked for once for each origin: a credential helper is a program.
        """
        own = named if named and origin(url) == origin(owner) else ""
        key = (own, origin(url))
        with self._lock:
            if key not in self._found:
                self._found[key] = (
                    (self._named(own) if own else None) or self._docker(url) or self._netrc(url)
                )
            return self._found[key]

    def tls(self, url: str, named: str, owner: str) -> Tls:
        """Certificates for `url`: those of NAME go to its own origin alone."""
        if not named or origin(url) != origin(owner):
            return Tls()
        ca, certificate, key = (self._file(f"{named}_{part}") for part in ("CA", "CERT", "KEY"))
        return Tls(ca, certificate, key)

    def _named(self, name: str) -> Login | None:
        user, password, token = (
            self._environ.get(f"{name}_{part}", "") for part in ("USERNAME", "PASSWORD", "TOKEN")
        )
        if user and password:
            return Login(f"{name}_USERNAME and {name}_PASSWORD", user, password)
        if token:
            return Login(f"{name}_TOKEN", token=token)
        return None

    def _file(self, variable: str) -> str:
        path = self._environ.get(variable, "")
        return str(self._outside(Path(path), variable)) if path else ""

    def _outside(self, path: Path, what: str) -> Path:
        """`path`, which must not lie in the platform's folder: who commits a secret publishes it."""
        if path.resolve().is_relative_to(self._root.resolve()):
            raise VendorError(
                f"{what} names {path}, a file of this repository; credentials are never read from there",
                hint="keep it outside of the repository",
            )
        return path

    # ------------------------------------------------------------ docker's configuration

    def _docker(self, url: str) -> Login | None:
        for path in self._docker_files():
            config = self._config(path)
            for key in _docker_keys(url):
                found = self._of_docker(config, key, path)
                if found is not None:
                    return found
        return None

    def _docker_files(self) -> Iterator[Path]:
        """Docker's, and Helm's of the same form (`helm registry login`)."""
        folder = self._environ.get("DOCKER_CONFIG")
        yield Path(folder) / "config.json" if folder else self._home / ".docker" / "config.json"
        named = self._environ.get("HELM_REGISTRY_CONFIG")
        yield Path(named) if named else self._home / ".config" / "helm" / "registry" / "config.json"

    def _config(self, path: Path) -> dict[str, Any]:
        try:
            text = path.read_text()
        except OSError:
            return {}
        self._outside(path, "the docker configuration")
        try:
            config = json.loads(text)
        except ValueError as error:
            raise VendorError(f"{path} is no JSON: {error}", hint="`docker login` writes it anew") from None
        return config if isinstance(config, dict) else {}

    def _of_docker(self, config: Mapping[str, Any], key: str, path: Path) -> Login | None:
        helpers = config.get("credHelpers") or {}
        auths = config.get("auths") or {}
        helper = helpers.get(key) or (config.get("credsStore") if key in auths or not auths else None)
        if helper:
            return self._helped(str(helper), key)
        entry = auths.get(key)
        if not isinstance(entry, dict):
            return None
        if entry.get("identitytoken"):
            return Login(str(path), user="<token>", password=str(entry["identitytoken"]))
        if entry.get("username") and entry.get("password"):
            return Login(str(path), str(entry["username"]), str(entry["password"]))
        try:
            user, _, password = (
                base64.b64decode(entry.get("auth") or "", validate=True).decode().partition(":")
            )
        except (binascii.Error, UnicodeDecodeError, TypeError):
            raise VendorError(
                f"{path}: `auth` of {key} is no base64", hint="`docker login` writes it anew"
            ) from None
        return Login(str(path), user, password) if user else None

    def _helped(self, helper: str, key: str) -> Login | None:
        """What docker-credential-HELPER says; None if it knows nothing of `key`."""
        program = f"docker-credential-{helper}"
        if not re.fullmatch(r"[A-Za-z0-9._-]+", helper):
            raise VendorError(f"the docker configuration names {helper!r}, no name of a credential helper")
        try:
            done = subprocess.run(
                [program, "get"],
                input=key,
                env=dict(self._environ),
                capture_output=True,
                text=True,
                timeout=_HELPER_TIMEOUT,
                check=False,
            )
        except FileNotFoundError:
            raise VendorError(
                f"the docker configuration names the credential helper {program}, which is not on PATH",
                hint="install it, or remove it from the docker configuration",
            ) from None
        except subprocess.TimeoutExpired:
            raise VendorError(f"{program} gave no answer within {_HELPER_TIMEOUT:.0f} s") from None
        if done.returncode:
            return None  # "credentials not found": whatever it says, it may hold what nobody should see
        try:
            said = json.loads(done.stdout)
            user, secret = str(said["Username"]), str(said["Secret"])
        except (ValueError, KeyError, TypeError):
            raise VendorError(f"{program} answered something else than a username and a secret") from None
        return Login(program, user, secret) if secret else None

    # ------------------------------------------------------------ netrc

    def _netrc(self, url: str) -> Login | None:
        import netrc

        named = self._environ.get("NETRC")
        path = Path(named) if named else self._home / ".netrc"
        if not path.is_file():
            return None
        self._outside(path, "NETRC")
        try:
            found = netrc.netrc(str(path)).authenticators(urlsplit(url).hostname or "")
        except netrc.NetrcParseError as error:
            raise VendorError(f"{path} is no netrc: line {error.lineno}") from None
        return Login(str(path), found[0], found[2]) if found and found[2] else None


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL; `oci://` counts as https, which it means."""
    parts = urlsplit(url)
    scheme = "https" if parts.scheme == "oci" else parts.scheme
    return scheme, parts.hostname or "", parts.port or _PORTS.get(scheme, 0)


def _docker_keys(url: str) -> list[str]:
    """Under what names docker may keep the login of a URL's host."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    keys = [host, f"https://{host}", f"https://{host}/", f"https://{host}/v1/", f"https://{host}/v2/"]
    return [_HUB_KEY, *keys] if parts.hostname in _HUB_HOSTS else keys
