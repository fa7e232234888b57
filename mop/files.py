"""Files: written whole or not at all, and known by content.

`Digests` answers "what are the bytes of this path?" with as few reads as is safe; all incrementality rests on it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

#: A file whose mtime is this close to the moment it was hashed may change again without a new mtime
#: (coarse clocks of file systems); its digest is not trusted from its stat. In nanoseconds; git's "racy" rule.
RACY_NS = 2_000_000_000


def sha256(data: bytes | str) -> str:
    """Lower-case hex digest of `data` (text as UTF-8)."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def write_atomic(path: Path, data: bytes | str, *, mode: int = 0o644) -> bool:
    """Make `path` hold `data`, by one rename; parents are made. Gives False, and touches nothing, if it does already.

    A reader, or a crash, sees the old content or the new, never a part. `mode` also tightens an existing file.
    """
    content = data.encode() if isinstance(data, str) else data
    if _holds(path, content, mode):
        return False
    prefix = f".{path.name[:200]}."
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        os.chmod(temporary, mode)  # noqa: PTH101 - mkstemp gives a name
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    return True


def _holds(path: Path, content: bytes, mode: int) -> bool:
    """Whether `path` holds `content` already; then it has `mode` too."""
    try:
        with open(path, "rb") as there:  # noqa: PTH123 - hot
            state = os.fstat(there.fileno())
            if state.st_size != len(content) or there.read() != content:
                return False
        if stat.S_IMODE(state.st_mode) != mode:
            path.chmod(mode)
    except OSError:
        return False
    return True


def write_folder(folder: Path, files: Sequence[tuple[str, str, int]]) -> bool:
    """Make `folder` of `files` (name, text, mode) by one rename, which spares one for each file.

    Gives False, with nothing done, if something is there, or gets in the way meanwhile.
    """
    if os.path.lexists(folder):
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:200]}.")
    try:
        for name, text, mode in files:
            handle = os.open(f"{temporary}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as out:
                os.fchmod(handle, mode)
                out.write(text.encode())
        os.chmod(temporary, 0o755)  # noqa: PTH101, S103 - as mkdir makes one
        os.rename(temporary, folder)  # noqa: PTH104
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            return False
        raise
    return True


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only its owner can enter, and give it back."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FOLDER:
        path.chmod(PRIVATE_FOLDER)
    return path


@dataclass(frozen=True, slots=True, order=True)
class Input:
    """Something an action depended on: a file's or a tree's digest, what a folder lists, or that nothing was there.

    `path` is as text, relative to the platform's root where it lies inside it. `digest` is "" for `absent`. The path
    of `names` is a pattern for `listing`; its digest is that of the names alone, whatever the files hold.
    """

    path: str
    kind: Literal["file", "tree", "absent", "names"]
    digest: str = ""

    @classmethod
    def names(cls, pattern: str, names: Iterable[str]) -> Input:
        """That `listing(pattern)` gives `names`."""
        return cls(pattern, "names", sha256("\0".join(names).encode(errors="surrogateescape")))

    def lists(self, path: str) -> bool:
        """Whether a file at `path` is, or would be, one of the names."""
        folder, _, suffix = self.path.rpartition("/*")
        return self.kind == "names" and path.rpartition("/")[0] == folder and path.endswith(suffix)


def listing(pattern: Path | str) -> tuple[str, ...]:
    """Names of the files that `pattern` (`folder/*.json`) matches, sorted; hidden ones and folders are none."""
    folder, _, suffix = str(pattern).rpartition("/*")
    try:
        with os.scandir(folder) as entries:
            return tuple(
                sorted(
                    it.name
                    for it in entries
                    if it.name.endswith(suffix) and not it.name.startswith(".") and it.is_file()
                )
            )
    except (FileNotFoundError, NotADirectoryError):
        return ()


class Digests:
    """Digests of files and trees, remembered between runs in one JSON file.

    A remembered digest is believed without reading the file only if size, mtime, ctime and inode are equal
    and the mtime was not racy when it was hashed. Within one `Digests`, `fresh()` forgets what was seen.
    A store that is missing or damaged costs time, never correctness. Thread-safe.
    """

    VERSION = 1

    def __init__(self, root: Path, store: Path | None = None) -> None:
        self.root = root
        self._top = str(root)
        self._store = store
        self._lock = threading.RLock()
        self._known: dict[str, list[int | str]] = {}
        self._seen: dict[str, str | None] = {}
        self._trees: dict[str, str | None] = {}
        #: Folder → what was seen in it, so that to forget a folder is not to look at every name; filled when needed.
        self._below: dict[str, set[str]] = {}
        self._unplaced: list[str] = []
        self._used: set[str] = set()
        self._changed = False
        if store is not None:
            self._known = self._load(store)

    def file(self, path: Path | str) -> str | None:
        """The sha256 of the file at `path`, or None if no file is there (a folder counts as no file)."""
        name = self._name(path)
        seen = self._seen.get(name, "")
        if seen != "":
            return seen
        with self._lock:
            if name in self._seen:
                return self._seen[name]
            digest = self._seen[name] = self._digest(name)
            self._unplaced.append(name)
            return digest

    def tree(self, path: Path | str) -> str | None:
        """One digest for a folder: every file's relative path, executable bit and content; links are followed.

        A file instead of a folder (a chart archive) gives that file's digest. None if nothing is there.
        """
        name = self._name(path)
        with self._lock:
            if name in self._trees:
                return self._trees[name]
            if os.path.isdir(name):  # noqa: PTH112
                summary = hashlib.sha256()
                for relative, full in _walk(name):
                    summary.update(
                        f"{relative}\0{self.file(full) or 'gone'}\n".encode(errors="surrogateescape")
                    )
                digest: str | None = summary.hexdigest()
            else:
                digest = self.file(name)
            self._trees[name] = digest
            return digest

    def unchanged(self, item: Input) -> bool:
        """Whether `item` still holds."""
        if item.kind == "tree":
            return self.tree(item.path) == item.digest
        if item.kind == "file":
            return self.file(item.path) == item.digest
        if item.kind == "names":
            return Input.names(item.path, listing(os.path.join(self.root, item.path))) == item  # noqa: PTH118
        return self.file(item.path) is None

    def fresh(self, path: Path | str | None = None) -> None:
        """Look at `path` again, or at everything, when next asked (something may have changed meanwhile)."""
        with self._lock:
            if path is None:
                self._trees.clear()
                self._seen.clear()
                self._below.clear()
                self._unplaced.clear()
                return
            name = self._name(path)
            self._forget(name)
            for tree in [t for t in self._trees if _within(name, t) or _within(t, name)]:
                del self._trees[tree]

    def _name(self, path: Path | str) -> str:
        """`path` below the root, as text."""
        text = path if isinstance(path, str) else str(path)
        return text if text.startswith("/") else os.path.join(self._top, text)  # noqa: PTH118 - hot

    def _place(self, name: str) -> None:
        """Enter `name` in the folders above it, up to one that is known already."""
        folder = name.rpartition(os.sep)[0]
        while folder and name not in (siblings := self._below.setdefault(folder, set())):
            siblings.add(name)
            name, folder = folder, folder.rpartition(os.sep)[0]

    def _forget(self, name: str) -> None:
        for seen in self._unplaced:
            self._place(seen)
        self._unplaced.clear()
        pending = [name]
        while pending:
            name = pending.pop()
            self._seen.pop(name, None)
            pending += self._below.pop(name, ())

    def save(self) -> None:
        """Write what is known for the next run; entries of paths that are gone are dropped."""
        with self._lock:
            if self._store is None or not self._changed:
                return
            entries = {k: v for k, v in self._known.items() if k in self._used or os.path.lexists(k)}
            body = json.dumps(entries, separators=(",", ":"))
            document = f'{{"version":{self.VERSION},"sum":"{sha256(body)}","files":{body}}}'
            write_atomic(self._store, document, mode=PRIVATE_FILE)
            self._changed = False

    def _load(self, store: Path) -> dict[str, list[int | str]]:
        try:
            document = store.read_text()
            parsed = json.loads(document)
            body = document[document.index('"files":') + len('"files":') : -1]
            if parsed["version"] == self.VERSION and parsed["sum"] == sha256(body):
                files: dict[str, list[int | str]] = parsed["files"]
                return files
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return {}

    def _digest(self, name: str) -> str | None:
        try:
            state = os.stat(name)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES):
                return None
            raise
        if not stat.S_ISREG(state.st_mode):
            return None
        self._used.add(name)
        marks: list[int | str] = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
        known = self._known.get(name)
        if known is not None and known[:4] == marks:
            return str(known[4])
        now = time.time_ns()
        with open(name, "rb") as handle:  # noqa: PTH123
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            after = os.fstat(handle.fileno())
        same = [after.st_size, after.st_mtime_ns, after.st_ctime_ns, after.st_ino] == marks
        if same and max(state.st_mtime_ns, state.st_ctime_ns) < now - RACY_NS:
            self._known[name] = [*marks, digest]
            self._changed = True
        elif self._known.pop(name, None) is not None:
            self._changed = True
        return digest


def _within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(folder + os.sep)


def _walk(folder: str) -> Iterator[tuple[str, str]]:
    """Files below `folder` in one fixed order: relative name (with `*` if executable) and path.

    Links are followed, as Helm does (sympath.Walk); a folder that is its own ancestor is not entered twice.
    """
    pending: list[tuple[str, str, tuple[str, ...]]] = [("", folder, (os.path.realpath(folder),))]
    while pending:
        prefix, current, above = pending.pop()
        with os.scandir(current) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                relative = f"{prefix}{entry.name}"
                if entry.is_dir():
                    real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    if real not in above:
                        pending.append((f"{relative}/", entry.path, (*above, real)))
                elif entry.is_file():
                    executable = "*" if entry.stat().st_mode & stat.S_IXUSR else ""
                    yield relative + executable, entry.path
                else:
                    yield relative, entry.path
