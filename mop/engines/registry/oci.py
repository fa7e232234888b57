"""Charts in OCI registries: tags, manifests and blobs (OCI distribution spec 1.1; Helm: pkg/registry).

A chart's manifest has one layer of Helm's media type, the .tgz; `+` of a version is `_` in its tag.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

from mop import semver
from mop.engines.registry.answers import Answer, Asker, expect, loopback, shown
from mop.engines.registry.credentials import Login, origin
from mop.engines.registry.http import Http
from mop.errors import VendorError

CHART_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_OLD_LAYER: Final = "application/tar+gzip"  # Helm before 3.7
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_MOST_JSON: Final = 8 << 20
_MOST_PAGES: Final = 200
_CHALLENGE = re.compile(r'([a-z_]+)="([^"]*)"')


class Oci:
    """One repository of a registry: `address` is `oci://host/path/chart`."""

    def __init__(self, http: Http, address: str, asker: Asker) -> None:
        parts = urlsplit(address)
        self.address = address
        self.host = parts.netloc
        self.path = parts.path.strip("/")
        self._http = http
        self._asker = asker
        self._base = f"https://{self.host}"
        self._tried_plain = False
        self._authorization = ""

    def versions(self) -> list[str]:
        """The tags that are versions. Raises VendorError if there is no such repository."""
        path, found = f"/v2/{self.path}/tags/list?n=1000", []
        for _ in range(_MOST_PAGES):
            answer = expect(self._get(path), f"repository {self.path}", self._asker)
            tags = _json(answer, "a list of tags").get("tags") or []
            found += [version for tag in tags if semver.parse(version := str(tag).replace("_", "+"))]
            following = re.match(r"<([^>]+)>", answer.headers.get("link", ""))
            if following is None:
                return found
            target = urljoin(answer.url, following[1])
            if origin(target) != origin(answer.url):
                raise VendorError(f"{shown(answer.url)} lists more tags at another host: {shown(target)}")
            path = target.removeprefix(self._base)
        raise VendorError(f"{self.address} has more than {_MOST_PAGES} pages of tags")

    def layer(self, version: str) -> str | None:
        """The sha256 of the chart archive of `version`; None if there is no such tag."""
        answer = self._get(f"/v2/{self.path}/manifests/{quote(version.replace('+', '_'))}", accept=_MANIFEST)
        if answer.status == 404:
            return None
        manifest = _json(expect(answer, f"manifest of {version}", self._asker), "a manifest")
        layers = [layer for layer in manifest.get("layers") or [] if isinstance(layer, dict)]
        for kind in (CHART_LAYER, _OLD_LAYER):
            for layer in layers:
                match = re.fullmatch(r"sha256:([0-9a-f]{64})", str(layer.get("digest")))
                if layer.get("mediaType") == kind and match:
                    return match[1]
        kinds = ", ".join(str(layer.get("mediaType")) for layer in layers) or "nothing"
        raise VendorError(f"{self.address}:{version} is no Helm chart: it holds {kinds}")

    def blob(self, digest: str) -> bytes:
        """The archive with this sha256, as served (the caller compares)."""
        answer = self._get(f"/v2/{self.path}/blobs/sha256:{digest}", raw=True)
        return expect(answer, f"blob of {self.path}", self._asker).body

    def _get(self, path: str, *, accept: str = "application/json", raw: bool = False) -> Answer:
        """Ask; after a challenge, once more with a token."""
        answer = self._ask(path, accept, raw)
        if answer.status == 401 and "www-authenticate" in answer.headers:
            token = self._token(answer)
            if token:
                self._authorization = token
                answer = self._ask(path, accept, raw)
        return answer

    def _ask(self, path: str, accept: str, raw: bool) -> Answer:
        """On loopback a registry may speak plain HTTP, as for docker."""
        try:
            return self._ask_once(path, accept, raw)
        except VendorError as error:
            spoke_plain = "SSL" in error.message
            if (
                self._tried_plain
                or not loopback(self._base)
                or not spoke_plain
                or "certificate" in error.message
            ):
                raise
            self._tried_plain = True
            self._base = f"http://{self.host}"
            return self._ask_once(path, accept, raw)

    def _ask_once(self, path: str, accept: str, raw: bool) -> Answer:
        most = 512 << 20 if raw else _MOST_JSON
        headers = {"Accept": accept}
        asker = Asker(self._base, self._asker.named)
        return self._http.get(
            self._base + path, asker, headers=headers, authorization=self._authorization, most=most, raw=raw
        )

    def _token(self, answer: Answer) -> str:
        """An Authorization for the challenge; "" if a login was sent already, or there is none to send.

        The token service may stand at another host. It gets a login only if that is this host's own.
        """
        kind, _, rest = answer.headers["www-authenticate"].partition(" ")
        challenge = dict(_CHALLENGE.findall(rest))
        realm = challenge.get("realm", "")
        if kind.lower() != "bearer" or not realm:
            return ""
        if urlsplit(realm).scheme != "https" and not loopback(realm):
            raise VendorError(f"{self.host} asks for a login at {shown(realm)}, which is not https")
        scope = challenge.get("scope") or f"repository:{self.path}:pull"
        query = {"scope": scope, **({"service": challenge["service"]} if "service" in challenge else {})}
        asker = Asker(self._base, self._asker.named)
        asked = self._http.get(
            f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}", asker, most=_MOST_JSON
        )
        if asked.status in (401, 403) and asked.login is None and origin(realm) != origin(self._base):
            raise VendorError(
                f"{self.host} wants a login at {urlsplit(realm).netloc}, and none for that host was found",
                hint=f"add it to netrc or the docker configuration, under {urlsplit(realm).netloc}",
            )
        said = _json(expect(asked, f"token for {self.path}", self._asker), "a token")
        token = said.get("token") or said.get("access_token")
        return Login("the registry", token=str(token)).header if token else ""


def _json(answer: Answer, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise VendorError(f"{shown(answer.url)}: expected {what} as JSON, found something else")
    return found
