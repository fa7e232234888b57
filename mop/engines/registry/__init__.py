"""Charts from Helm repositories, OCI registries, git and folders, through a download cache by content.

credentials.py  who may be told what
http.py         GET with patience
answers.py      what a request gave, and what its code means for people
index.py        index.yaml of a Helm repository
oci.py          tags, manifests and blobs of a registry
sources.py      charts of git and of this repository
"""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from mop import archives, semver
from mop.cache import Cache, cache_limit, cache_root
from mop.engines.protocols import ChartSource, Located, Obtained
from mop.engines.registry import index, sources
from mop.engines.registry.answers import Asker, expect, shown
from mop.engines.registry.credentials import Logins
from mop.engines.registry.http import Http, Patience
from mop.engines.registry.oci import Oci
from mop.errors import VendorError
from mop.files import sha256

#: The folder of cached downloads below the cache's root.
DOWNLOADS: Final = "downloads"
_MOST_ARCHIVE: Final = archives.MOST_BYTES
_MOST_INDEX: Final = 256 << 20


class ChartRegistry:
    """Implements `protocols.ChartRepositories` for one platform at `root`."""

    def __init__(
        self,
        root: Path,
        *,
        cache: Cache | None = None,
        patience: Patience | None = None,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._root = root
        self._cache = cache or Cache(cache_root() / DOWNLOADS, cache_limit())
        self._http = Http(Logins(root), patience, progress)
        self._indexes: dict[str, bytes] = {}
        self._reading: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    @property
    def requests(self) -> int:
        """How many HTTP requests were made."""
        return self._http.requests

    def stop(self) -> None:
        """Try nothing again that fails from now on: the run was interrupted."""
        self._http.stopped.set()

    def versions(self, source: ChartSource) -> tuple[str, ...]:
        """See the protocol."""
        if source.kind == "oci":
            return tuple(self._oci(source).versions())
        if source.kind == "http":
            return tuple(entry.version for entry in self._entries(source))
        return (self.locate(source, "").version,)

    def locate(self, source: ChartSource, wanted: str) -> Located:
        """See the protocol."""
        match source.kind:
            case "http":
                return self._locate_http(source, wanted)
            case "oci":
                return self._locate_oci(source, wanted)
            case "git":
                return _fitting(sources.locate_git(source, self._git), source, wanted)
            case _:
                return _fitting(sources.locate_local(source, self._root), source, wanted)

    def unpack(self, source: ChartSource, located: Located, target: Path) -> Obtained:
        """See the protocol."""
        if source.kind == "git":
            tar, fetched = sources.git_tar(located.url, self._cached_git)
            archives.unpack(tar, target, located.url, packed=False)
            return Obtained("", fetched)
        if source.kind == "local":
            return Obtained(sources.copy_local(source, self._root, target))
        data, fetched = self._archive(source, located)
        archives.unpack(data, target, shown(located.url))
        return Obtained(sha256(data), fetched)

    # ------------------------------------------------------------ Helm repositories

    def _locate_http(self, source: ChartSource, wanted: str) -> Located:
        entries = {entry.version: entry for entry in self._entries(source)}
        entry = entries[_chosen(source, wanted, list(entries))]
        if not entry.urls:
            raise VendorError(f"{shown(source.url)} names no address for {source.name} {entry.version}")
        address = urljoin(source.url.rstrip("/") + "/", entry.urls[0])
        if urlsplit(address).scheme == "oci" and ":" not in address.rpartition("/")[2]:
            address = f"{address}:{entry.version}"
        if urlsplit(address).scheme not in ("http", "https", "oci"):
            raise VendorError(
                f"{shown(source.url)}: the address of {source.name} is no web address: {address}"
            )
        return Located(entry.version, address, entry.digest)

    def _entries(self, source: ChartSource) -> list[index.Entry]:
        where = f"{source.url.rstrip('/')}/index.yaml"
        text = self._index(where, source)
        found = index.entries(text, source.name, where)
        if not found:
            near = difflib.get_close_matches(source.name, names := index.charts(text, where), n=3)
            listed = ", ".join(near or names[:5])
            raise VendorError(
                f"{shown(source.url)} has no chart {source.name!r}", hint=f"it has {listed}" if listed else ""
            )
        return found

    def _index(self, where: str, source: ChartSource) -> bytes:
        """index.yaml, read once a run, and by network only if its ETag says that it changed."""
        with self._guard:
            reading = self._reading.setdefault(where, threading.Lock())
        with reading:
            if where not in self._indexes:
                self._indexes[where] = self._fresh_index(where, Asker(source.url, source.credentials))
            return self._indexes[where]

    def _fresh_index(self, where: str, asker: Asker) -> bytes:
        key = sha256(f"index\0{where}")
        kept, marks = self._cache.get(key), {}
        if kept is not None:
            head, _, body = kept.partition(b"\n")
            marks = json.loads(head)
        answer = self._http.get(where, asker, headers=marks, most=_MOST_INDEX)
        if answer.status == 304 and kept is not None:
            return body
        expect(answer, "index.yaml", asker)
        known = {
            "If-None-Match": answer.headers.get("etag"),
            "If-Modified-Since": answer.headers.get("last-modified"),
        }
        marks = {name: value for name, value in known.items() if value}
        if marks:
            self._cache.put(key, json.dumps(marks).encode() + b"\n" + answer.body)
        return answer.body

    def _archive(self, source: ChartSource, located: Located) -> tuple[bytes, int]:
        """The archive's bytes, and how many of them came by network; verified."""
        if not located.archive:
            data = self._download(source, located)
            self._cache.put(sha256(data), data)
            return data, len(data)

        def make() -> bytes:
            data = self._download(source, located)
            found = sha256(data)
            if found != located.archive:
                raise VendorError(
                    f"{shown(located.url)} is not what was promised: expected sha256 {located.archive}, found {found}",
                    hint="somebody replaced it: ask its publisher, and `inv vendor --update` only if you trust it",
                )
            return data

        data, hit = self._cache.made_once(located.archive, make)
        return data, 0 if hit else len(data)

    def _download(self, source: ChartSource, located: Located) -> bytes:
        if urlsplit(located.url).scheme == "oci":
            address, _, _ = located.url.rpartition(":")
            registry = Oci(self._http, address, Asker(source.url, source.credentials))
            version = located.url.rpartition(":")[2]
            return registry.blob(located.archive or registry.layer(version) or _gone(located))
        asker = Asker(source.url, source.credentials)
        answer = self._http.get(located.url, asker, most=_MOST_ARCHIVE, raw=True)
        if answer.status in (404, 410) and source.kind == "http":
            # Archives move; whether it is the same one, its digest says.
            now = self._locate_http(source, located.version)
            if now.url != located.url:
                return self._download(source, replace(now, archive=located.archive))
        return expect(answer, "archive", asker).body

    # ------------------------------------------------------------ registries

    def _oci(self, source: ChartSource) -> Oci:
        asker = Asker(source.url, source.credentials)
        return Oci(self._http, f"{source.url.rstrip('/')}/{source.name}", asker)

    def _locate_oci(self, source: ChartSource, wanted: str) -> Located:
        registry = self._oci(source)
        version = wanted if semver.exact(wanted) else _chosen(source, wanted, registry.versions())
        layer = registry.layer(version)
        if layer is None:
            _chosen(source, wanted, registry.versions())  # names the nearest ones
            raise VendorError(f"{registry.address} has no version {version}")
        return Located(version, f"{registry.address}:{version}", layer)

    # ------------------------------------------------------------ git

    def _git(self, url: str) -> bytes:
        return sources.git_tar(url, self._cached_git)[0]

    def _cached_git(self, key: str, make: Callable[[], bytes]) -> tuple[bytes, bool]:
        return self._cache.made_once(sha256(f"git\0{key}"), make)


def _chosen(source: ChartSource, wanted: str, versions: list[str]) -> str:
    """The version that `wanted` means; raises VendorError with the nearest ones."""
    if wanted in versions:
        return wanted
    try:
        best = semver.Range(wanted or "*").best(versions)
    except ValueError as error:
        raise VendorError(
            f"{source.name}: {error}", hint="a version such as 18.11.0, or a range such as ^18"
        ) from None
    if best is None:
        near = ", ".join(semver.nearest(wanted, versions))
        raise VendorError(
            f"{shown(source.url)} has no version {wanted} of {source.name}",
            hint=f"the nearest are {near}" if near else "it has no version at all",
        )
    return best


def _fitting(located: Located, source: ChartSource, wanted: str) -> Located:
    """`located`, if its version is wanted."""
    if wanted and located.version != wanted:
        version = semver.parse(located.version)
        if version is None or not semver.Range(wanted).matches(version):
            raise VendorError(
                f"{source.url} is version {located.version}, and {wanted} is wanted",
                hint="change `version` in mop.yaml, or the source's `ref`",
            )
    return located


def _gone(located: Located) -> str:
    raise VendorError(
        f"{located.url} is no longer there", hint="`inv vendor --update` looks for another version"
    )
