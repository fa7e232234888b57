"""Unpacking what others packed, into one folder and nowhere else, within bounds.

The rules are Helm's for chart archives (pkg/chart/loader/archive), made strict: what Helm would ignore or rename is
refused, so that what is reviewed is what is rendered. Files come out 0644 and folders 0755, as from `helm pull`.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mop.errors import VendorError

#: Helm's own bounds of a chart and of a file (MaxDecompressedChartSize, MaxDecompressedFileSize). The largest charts
#: have 1,000 files.
MOST_BYTES: Final = 100 << 20
MOST_FILE_BYTES: Final = 5 << 20
MOST_ENTRIES: Final = 20_000
_LONGEST_PATH: Final = 1024
_LONGEST_NAME: Final = 255

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_DRIVE = re.compile(r"[A-Za-z]:")
_KINDS = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device file",
    tarfile.BLKTYPE: "a device file",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CONTTYPE: "a contiguous file",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may come out of an archive: bytes in all, bytes of one file, entries."""

    total: int = MOST_BYTES
    file: int = MOST_FILE_BYTES
    entries: int = MOST_ENTRIES


def unpack(
    archive: bytes, target: Path, what: str, bounds: Bounds = Bounds(), *, packed: bool = True
) -> None:
    """Write the files of a .tgz below the empty folder `target`, without the one folder that holds them all.

    `what` names the archive in messages. `packed=False`: a plain tar. Raises VendorError for an archive that is
    damaged, passes its bounds, or would write anything but plain files below `target`.
    """
    if packed and not archive.startswith(_GZIP):
        start = archive[:60].decode("ascii", "replace").strip().replace("\n", " ")
        raise VendorError(
            f"{what} is no chart archive: expected gzip, found {start!r}",
            hint="a server may answer with a page instead of the file: look at the address",
        )
    stream: io.BufferedIOBase = io.BytesIO(archive)
    if packed:
        stream = gzip.GzipFile(fileobj=stream)
    bounded = _Bounded(stream, bounds.total, what)
    try:
        with tarfile.open(fileobj=bounded, mode="r|", encoding="utf-8", errors="surrogateescape") as tar:
            for path, member in _checked(tar, what, bounds):
                source = tar.extractfile(member)
                if source is None:  # what is no file was refused
                    raise VendorError(f"{what}: {path} cannot be read")
                _write(target / path, source.read())
        while bounded.read(1 << 20):  # gzip checks its sum at the end
            pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise VendorError(
            f"{what} is damaged: {error}", hint="fetch it again; the server may be wrong"
        ) from None


def _checked(tar: tarfile.TarFile, what: str, bounds: Bounds) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Each file and its path below the top folder. Raises VendorError for what may not be there."""
    paths = _Paths(what)
    top = ""
    for count, member in enumerate(tar, 1):
        if count > bounds.entries:
            raise VendorError(f"{what} holds more than {bounds.entries} entries; no chart does")
        if member.isdir():
            if member.name.strip("./"):
                paths.check(member.name)
            continue
        if not member.isreg() or member.sparse is not None:
            kind = _KINDS.get(member.type, "no plain file")
            raise VendorError(
                f"{what}: {_shown(member.name)} is {kind}; a chart holds plain files",
                hint="ask the chart's authors to pack the file itself",
            )
        if member.size > bounds.file:
            raise VendorError(
                f"{what}: {_shown(member.name)} says it has {member.size} bytes; {bounds.file} are the most"
            )
        folder, _, path = paths.check(member.name).partition("/")
        if not path:
            raise VendorError(f"{what}: {_shown(member.name)} lies outside the chart's folder")
        top = top or folder
        if folder != top:
            raise VendorError(f"{what} holds two charts: {_shown(top)} and {_shown(folder)}")
        paths.add(f"{folder}/{path}")
        yield path, member
    if not top:
        raise VendorError(f"{what} is empty")


class _Paths:
    """The names in one archive: each safe by itself, and no two that some file system takes for one."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def check(self, name: str) -> str:
        """`name` as a relative path with `/`; VendorError if it is none that may be written."""
        if "\\" in name:  # packed on Windows; Helm reads it so
            name = name.replace("/", "\\").replace("\\", "/")
        path = name.removeprefix("./").rstrip("/")
        parts = path.split("/")
        reason = ""
        if path.startswith("/") or _DRIVE.match(path) or any(_DRIVE.match(part) for part in parts):
            reason = "is an absolute path"
        elif ".." in parts:
            reason = "leads out of the archive"
        elif "" in parts or "." in parts:
            reason = "is not in its plain form"
        elif not path.isprintable():
            reason = "holds characters that nobody can see, or is no UTF-8"
        elif len(path) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
            reason = "is too long"
        elif any(part.casefold() == ".git" for part in parts):
            reason = "is part of a git repository"
        if reason:
            raise VendorError(f"{self._what}: the path {_shown(name)} {reason}")
        return path

    def add(self, path: str) -> None:
        """Note the file; VendorError if it would lie where another file or folder is."""
        parts = path.split("/")
        for end in range(1, len(parts)):
            self._claim(self._folders, "/".join(parts[:end]), self._files)
        self._claim(self._files, path, self._folders, alone=True)

    def _claim(self, own: dict[str, str], path: str, others: dict[str, str], *, alone: bool = False) -> None:
        key = unicodedata.normalize("NFC", path).casefold()
        other = others.get(key) or own.get(key)
        if other is not None and (alone or key in others or other != path):
            raise VendorError(
                f"{self._what}: {_shown(other)} and {_shown(path)} would be one file on some file systems"
                if other != path
                else f"{self._what}: {_shown(path)} is there twice"
            )
        own[key] = path


class _Bounded(io.RawIOBase):
    """A stream that ends with an error where it gives more than was agreed."""

    def __init__(self, stream: io.BufferedIOBase, most: int, what: str) -> None:
        self._stream = stream
        self._left = most
        self._most = most
        self._what = what

    def readable(self) -> bool:
        """For tarfile."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self._stream.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(data)
        if self._left < 0:
            raise VendorError(f"{self._what} unpacks to more than {self._most >> 20} MiB; no chart does")
        return data


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:  # never over, or through, what is there
        out.write(data.removeprefix(_BOM))  # as Helm does
    path.chmod(0o644)


def _shown(name: str) -> str:
    return repr(name if len(name) < 120 else f"{name[:120]}…")
