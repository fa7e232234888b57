"""Jsonnet libraries from git: one shallow fetch a commit, one cached tar a folder, nothing else on disk.

What is in the cache was verified when it was written and is again when it is read (`mop.cache`).
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

from mop.cache import Cache, cache_limit, cache_root
from mop.engines import git_remote
from mop.errors import VendorError
from mop.files import sha256

#: The folder of cached libraries below the cache's root.
LIBRARIES: Final = "libraries"
_MOST_FILES: Final = 50_000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

T = TypeVar("T")


class GitLibraries:
    """Implements `protocols.Libraries`."""

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache or Cache(cache_root() / LIBRARIES, cache_limit())
        self._commits = _Once[str]()
        self._fetched = _Once["tempfile.TemporaryDirectory[str]"]()
        self._came: dict[str, int] = {}

    def resolve(self, remote: str, version: str) -> str:
        """See the protocol."""
        if _COMMIT.fullmatch(version):
            return version
        return self._commits.get(f"{remote}\0{version}", lambda: git_remote.resolve(remote, version))

    def default_branch(self, remote: str) -> str:
        """See the protocol."""
        return git_remote.default_branch(remote)

    def read(self, remote: str, commit: str, subdir: str, file: str, *, version: str = "") -> bytes | None:
        """See the protocol."""
        tar = self._tar(remote, commit, subdir, version)
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            try:
                found = archive.extractfile(f"x/{file}")
            except KeyError:
                return None
            return found.read() if found else None

    def unpack(self, remote: str, commit: str, subdir: str, target: Path, *, version: str = "") -> int:
        """See the protocol."""
        tar = self._tar(remote, commit, subdir, version)
        _unpack(tar, target, f"{git_remote.public(remote)} at {commit[:12]}")
        return self._came.pop(_key(remote, commit, subdir), 0)  # fetched in this run, maybe for `read`

    def _tar(self, remote: str, commit: str, subdir: str, version: str) -> bytes:

        def make() -> bytes:
            folder = Path(
                self._fetched.get(f"{remote}\0{commit}", lambda: _fetch(remote, commit, version)).name
            )
            return git_remote.tar(folder, remote, commit, subdir)

        key = _key(remote, commit, subdir)
        tar, hit = self._cache.made_once(key, make)
        if not hit:
            self._came[key] = len(tar)
        return tar


def _key(remote: str, commit: str, subdir: str) -> str:
    return sha256(f"library\0{git_remote.public(remote)}\0{commit}\0{subdir}")


class _Once(Generic[T]):
    """What is asked for again in one run, and made once; who asks meanwhile waits. A failure is not kept."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._made: dict[str, T] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


def _fetch(remote: str, commit: str, version: str) -> tempfile.TemporaryDirectory[str]:
    """A bare repository that has the commit; it goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="mop-git-")
    # jb takes GitHub's own archive, which heeds export-ignore, and a checkout from everywhere else.
    attributes = urlsplit(remote).hostname == "github.com"
    git_remote.fetch(Path(folder.name), remote, commit, version, attributes=attributes)
    return folder


def _unpack(data: bytes, target: Path, what: str) -> None:
    """Write files and the links among them. Raises VendorError for what would lead out of `target`.

    Submodules come as empty folders, and stay out.
    """
    links = []
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for count, member in enumerate(tar, 1):
            name = member.name.partition("/")[2]
            if count > _MOST_FILES:
                raise VendorError(f"{what} holds more than {_MOST_FILES} files; no library does")
            if member.issym():
                links.append((name, member.linkname))
            elif member.isreg():
                _write(tar, member, target, name, what)
    for name, destination in links:
        _link(target, name, destination, what)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, name: str, what: str) -> None:
    path = target / name
    if not name.isprintable() or any(part in ("", ".", "..", ".git") for part in name.split("/")):
        raise VendorError(f"{what}: the path {name!r} may not be written")
    source = tar.extractfile(member)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as out:
            out.write(source.read() if source else b"")
    except FileExistsError:
        raise VendorError(f"{what}: {name} is another file's name too, on this file system") from None
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _link(target: Path, name: str, destination: str, what: str) -> None:
    """Links are made last, so that no file is written through one."""
    path = target / name
    inside = os.path.normpath(os.path.join(os.path.dirname(name), destination))  # noqa: PTH118, PTH120
    if os.path.isabs(destination) or inside.split("/")[0] == "..":  # noqa: PTH117
        raise VendorError(
            f"{what}: the link {name} leads out of the library, to {destination}",
            hint="vendor the folder above, which holds both, or ask its authors for the file itself",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(destination)
    if not path.resolve().is_relative_to(target.resolve()):  # through another link
        raise VendorError(f"{what}: the link {name} leads out of the library, to {destination}")
