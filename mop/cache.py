"""Results kept by the digest of what they were made from, for many threads and processes at once.

An entry is one file, written whole under its key and checked when it is read: a damaged one is a miss.
Folders are 0700 and files 0600. The least recently used entries go when the size passes its bound. `once`
lets one worker make what others would make at the same moment. A cache that cannot be written costs time,
never a result.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from mop.errors import UsageError
from mop.files import PRIVATE_FILE, private_folder, sha256, write_atomic

GIB = 1 << 30
_SIZE = r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?"

_MAGIC = b"mop-cache 1 "
_LOCKS = "locks"
_STRIPES = 256
#: What is left after a trim, and what may be written until the next one, as parts of the bound.
_KEPT, _SLACK = 0.9, 1 / 32


def cache_root() -> Path:
    """Where caches that environments, branches and machines may share live: MOP_CACHE_DIR, else the user's
    own.
    """
    named = os.environ.get("MOP_CACHE_DIR")
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("mop")


def cache_limit() -> int:
    """The bound of each cache in bytes: MOP_CACHE_SIZE (`500M`, `2GiB`), else 1 GiB. Raises UsageError."""
    named = os.environ.get("MOP_CACHE_SIZE")
    if not named:
        return GIB
    size = re.fullmatch(_SIZE, named.strip(), re.IGNORECASE)
    if not size:
        raise UsageError(f"MOP_CACHE_SIZE is {named!r}", hint="a size such as 500M or 2GiB was expected")
    return int(float(size[1]) * 1024 ** " KMGT".index(size[2].upper() or " "))


class Cache:
    """Entries below `folder`, together about `limit` bytes at most. Thread-safe."""

    def __init__(self, folder: Path, limit: int = GIB) -> None:
        self.folder = folder
        self.limit = limit
        self.trouble = ""  # why the last entry could not be kept; for people
        self._guard = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._room = 0  # bytes that may be written before the folder is measured again

    def get(self, key: str) -> bytes | None:
        """The entry under `key`, or None: not there, or not what was written."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        head, _, body = data.partition(b"\n")
        if head != _MAGIC + sha256(body).encode():
            return None
        with contextlib.suppress(
            OSError
        ):  # a file system that keeps no times only makes the order of leaving worse
            os.utime(path)
        return body

    def put(self, key: str, body: bytes) -> None:
        """Keep `body` under `key`, replacing what was there. `trouble` says so if it could not be kept."""
        data = _MAGIC + sha256(body).encode() + b"\n" + body
        path = self._path(key)
        try:
            private_folder(self.folder)
            private_folder(path.parent)
            write_atomic(path, data, mode=PRIVATE_FILE)
            self._make_room(len(data))
        except OSError as error:
            self.trouble = f"{self.folder}: {error.strerror or error}"

    def drop(self, key: str) -> None:
        """Forget the entry under `key`, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            self._path(key).unlink()

    @contextlib.contextmanager
    def once(self, key: str) -> Iterator[None]:
        """Hold `key`: whoever else wants to make it waits, here and in other processes, and then looks again.

        A thread may hold one key at a time. Where files cannot be locked only this process is kept from doing
        a thing twice.
        """
        with self._guard:
            flight = self._flights.setdefault(key, _Flight())
            flight.wanted += 1
        try:
            with flight.lock, self._across_processes(key):
                yield
        finally:
            with self._guard:
                flight.wanted -= 1
                if not flight.wanted:
                    del self._flights[key]

    def made_once(self, key: str, make: Callable[[], bytes]) -> tuple[bytes, bool]:
        """The entry under `key` and whether it was there; else what `make` gives, kept."""
        found = self.get(key)
        if found is not None:
            return found, True
        with self.once(key):
            found = self.get(key)
            if found is not None:
                return found, True
            made = make()
            self.put(key, made)
            return made, False

    def size(self) -> int:
        """Bytes of all entries."""
        return sum(size for _, size, _ in self._entries())

    def clear(self) -> int:
        """Forget everything; gives the bytes that were freed. Safe while others use it."""
        import shutil

        freed = self.size()
        for _, _, path in self._entries():
            path.unlink(missing_ok=True)
        for folder in self._folders():
            shutil.rmtree(folder, ignore_errors=True)
        return freed

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def _folders(self) -> Iterator[Path]:
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as found:
            yield from (Path(entry.path) for entry in found if len(entry.name) == 2 and entry.is_dir())

    def _entries(self) -> list[tuple[float, int, Path]]:
        """When each entry was last used, its bytes and its path, the longest unused first."""
        entries = []
        for folder in self._folders():
            with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
                for entry in found:
                    with contextlib.suppress(FileNotFoundError):  # another process trims too
                        state = entry.stat()
                        entries.append((state.st_mtime, state.st_size, Path(entry.path)))
        return sorted(entries)

    def _make_room(self, written: int) -> None:
        with self._guard:
            self._room -= written
            if self._room > 0:
                return
            self._room = int(self.limit * _SLACK)
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        if total <= self.limit:
            return
        for _, size, path in entries:
            path.unlink(missing_ok=True)
            total -= size
            if total <= self.limit * _KEPT:
                return

    @contextlib.contextmanager
    def _across_processes(self, key: str) -> Iterator[None]:
        stripe = int(sha256(key)[:8], 16) % _STRIPES
        path = self.folder / _LOCKS / f"{stripe:02x}"
        try:
            private_folder(self.folder)
            private_folder(path.parent)
            handle = _locked(path)
        except (OSError, ImportError) as error:
            self.trouble = f"{path}: {error}"
            yield
            return
        try:
            yield
        finally:
            os.close(handle)


def _locked(path: Path) -> int:
    """A handle on `path`; the lock on it ends when it is closed, as filelock's does, which imports asyncio (40 ms)."""
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except BaseException:
        os.close(handle)
        raise
    return handle


class _Flight:
    """Threads of this process that want one key."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted = 0
