"""jsonnet-bundler's files, as jsonnet-bundler reads and writes them: names of libraries, jsonnetfile.json, its lock.

The rules are those of jsonnet-bundler 0.6 (spec/v1, pkg/packages.go). What it cannot name (http, ports, other users
than `git`) MOP can; `Source.known_to_jb` tells them apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mop.errors import VendorError

NAME: Final = "jsonnetfile.json"
LOCK: Final = "jsonnetfile.lock.json"

#: The remotes that jb understands (spec/v1/deps/git.go: gitSSHExp, gitHTTPSSubgroup, gitHTTPSExp).
_JB_REMOTE = re.compile(
    r"(ssh://git@[^/:@]+/[^@]+/[^/@]+|https://[a-zA-Z0-9][a-zA-Z0-9.-]{1,61}[a-zA-Z0-9]\.[a-zA-Z]{2,}"
    r"/[-_~a-zA-Z0-9/.]+/[-_a-zA-Z0-9.]+)\.git"
)
_SCHEME = re.compile(r"(?:git\+)?(https?|ssh|file)://")
_SCP = re.compile(r"([^\s/@:]+)@([^\s/@:]+):(?!/)(.+)")
_VERSION = re.compile(r"[A-Za-z0-9_][^\s:?*\[\\^~]*")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a library is, and its folder `path` below vendor/.

    `remote`: what git is given, and `subdir` the folder in it. A folder of this repository has `directory` instead,
    relative to the file that names it.
    """

    path: str
    remote: str = ""
    subdir: str = ""
    directory: str = ""

    @property
    def known_to_jb(self) -> bool:
        """Whether jsonnet-bundler can name it too."""
        return bool(self.directory or _JB_REMOTE.fullmatch(self.remote))


@dataclass(frozen=True, slots=True)
class Dependency:
    """One library that is asked for: a branch, tag or commit; in a lock the commit and `sum`.

    `single`: its own dependencies are not followed. `legacy_name`: of the link at vendor/.
    """

    source: Source
    version: str = ""
    sum: str = ""
    single: bool = False
    legacy_name: str = ""

    @property
    def link(self) -> str:
        """The name below vendor/ by which older imports know it (`legacyImports`)."""
        return self.legacy_name or posixpath.basename(self.source.path)


@dataclass(frozen=True, slots=True)
class JsonnetFile:
    """The whole of a jsonnetfile.json or of its lock."""

    dependencies: tuple[Dependency, ...] = ()
    legacy_imports: bool = True


def library(text: str) -> Dependency:
    """What `libraries` of mop.yaml says: `host/owner/repository/folder@version` or `./path`. Raises VendorError."""
    if text.startswith("./"):
        return Dependency(local(text))
    name, _, version = text.rpartition("@")
    return Dependency(git(name), _checked_version(version, text))


def git(text: str, subdir: str = "") -> Source:
    """The source that a URL, `git@host:owner/repository.git` or `host/owner/repository` names, folder included.

    Raises VendorError if it names none.
    """
    found = _SCHEME.match(text)
    scp = None if found else _SCP.fullmatch(text)
    if scp:
        scheme, authority, rest = "ssh", f"{scp[1]}@{scp[2]}", scp[3]
    else:
        scheme = found[1] if found else "https"
        authority, _, rest = text[found.end() if found else 0 :].partition("/")
    if ":" in authority.rpartition("@")[0]:
        raise VendorError(
            f"{_public(text)} holds a password, which belongs in no file of a repository",
            hint="leave it out: git asks its credential helpers and netrc",
        )
    marked = re.fullmatch(r"(.*?[^/])\.git(?:/(.*))?", rest)
    if marked:
        repository, folder = marked[1], marked[2] or ""
    else:
        parts = rest.split("/")
        repository, folder = "/".join(parts[:2]), "/".join(parts[2:])
    folder = "/".join(part for part in (folder.strip("/"), subdir.strip("/")) if part)
    host = authority.rpartition("@")[2].partition(":")[0]
    path = "/".join(part for part in (host, repository.strip("/"), folder) if part)
    if not host or "/" not in repository.strip("/") or not _safe(path):
        raise VendorError(
            f"{_public(text)} names no Jsonnet library",
            hint="expected HOST/OWNER/REPOSITORY or HOST/OWNER/REPOSITORY/FOLDER",
        )
    return Source(path, f"{scheme}://{authority}/{repository.strip('/')}.git", folder)


def local(directory: str) -> Source:
    """The source of a folder of this repository; it is known by the last part of its path."""
    name = posixpath.basename(posixpath.normpath(directory))
    if not _safe(name):
        raise VendorError(f"{directory} names no folder of a library")
    return Source(name, directory=directory)


def parse(data: bytes, what: str) -> JsonnetFile:
    """A jsonnetfile.json or its lock. `what` names it in messages. Raises VendorError for what jb would refuse."""
    if not data.strip():
        return JsonnetFile()  # jsonnetfile.Unmarshal
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise VendorError(f"{what} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise VendorError(f"{what}: expected an object, found {type(document).__name__}")
    version = document.get("version", 0)
    if version not in (0, 1):
        raise VendorError(f"{what}: expected version 0 or 1, found {version!r}")
    listed = document.get("dependencies")
    listed = [] if listed is None else listed
    if not isinstance(listed, list):
        raise VendorError(f"{what}: `dependencies` is no list")
    found = {
        each.source.path: each
        for index, raw in enumerate(listed)
        for each in [_dependency(raw, f"{what}: dependencies[{index}]")]
    }
    legacy = document.get("legacyImports", True) if version == 1 else True
    return JsonnetFile(tuple(found.values()), legacy is not False)


def dump(file: JsonnetFile, comment: str = "") -> str:
    """Its text, as jb would write it: dependencies by name, two spaces, a newline at the end.

    `comment` becomes `_comment`, which jb passes over.
    """
    document: dict[str, Any] = {"_comment": comment} if comment else {}
    document["version"] = 1
    document["dependencies"] = [
        _plain(each) for each in sorted(file.dependencies, key=lambda d: d.source.path)
    ]
    document["legacyImports"] = file.legacy_imports
    text = json.dumps(document, indent=2, ensure_ascii=False)
    for character in "<>&\u2028\u2029":  # encoding/json
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def place(dependency: Dependency, base: str = "") -> str:
    """The library's folder, relative to the platform's root; `base` is that of who asks for it, "" the root."""
    if dependency.source.directory:
        return posixpath.normpath(posixpath.join(base, dependency.source.directory))
    return f"vendor/{dependency.source.path}"


def read(folder: Path) -> tuple[Dependency, ...]:
    """What the jsonnetfile.json in `folder` asks for; nothing if there is none. Raises VendorError."""
    path = os.path.join(folder, NAME)  # noqa: PTH118 - hot
    try:
        with open(path, "rb") as handle:  # noqa: PTH123
            text = handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return parse(text, path).dependencies


def in_order(root: Path, direct: Iterable[Dependency]) -> Iterator[tuple[Dependency, str]]:
    """All that `direct` brings, as far as it is on disk, with its place; in jb's order (pkg/packages.go, ensure).

    What `direct` says of a library wins over what libraries say.
    """
    own = {each.source.path: each for each in direct}
    seen: set[str] = set()

    def visit(asked: Iterable[Dependency], base: str) -> Iterator[tuple[Dependency, str]]:
        new = []
        for each in asked:
            path = each.source.path
            if path not in seen:
                seen.add(path)
                new.append((own.get(path, each), place(own.get(path, each), "" if path in own else base)))
        yield from new
        for dependency, where in new:
            if not dependency.single:
                yield from visit(read(root / where), where)

    yield from visit(own.values(), "")


def sum_of(folder: Path) -> str:
    """jb's `sum` of a vendored folder (pkg/packages.go, hashDir): the files' contents, one after the other.

    In the order of Go's filepath.Walk. Links are read, not followed into folders; the first file that cannot be
    read ends the walk, and jb ignores that it did.
    """
    digest = hashlib.sha256()
    try:
        for path in _walk(os.fsencode(folder)):
            with open(path, "rb") as handle:  # noqa: PTH123 - bytes, as the file system has them
                digest.update(handle.read())
    except OSError:
        pass
    return b64encode(digest.digest()).decode()


def _walk(folder: bytes) -> Iterator[bytes]:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        path = os.path.join(folder, name)  # noqa: PTH118
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
            yield from _walk(path)
        else:
            yield path


def _dependency(raw: Any, what: str) -> Dependency:
    source = raw.get("source") if isinstance(raw, dict) else None
    if not isinstance(source, dict):
        raise VendorError(f"{what}: expected `source` with `git` or `local`")
    texts = {key: raw.get(key) or "" for key in ("version", "sum", "name")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise VendorError(f"{what}: `{key}` is no text")
    if texts["name"] and not _safe(texts["name"]):
        raise VendorError(f"{what}: `name` {texts['name']!r} is no name of a file")
    where = _source(source, what)
    version = "" if where.directory else _checked_version(texts["version"] or "HEAD", what)
    return Dependency(where, version, texts["sum"], raw.get("single") is True, texts["name"])


def _source(source: dict[str, Any], what: str) -> Source:
    kinds = {"git": ("remote", "subdir"), "local": ("directory",)}
    for kind, keys in kinds.items():
        fields = source.get(kind)
        if fields is None:
            continue
        if not isinstance(fields, dict) or not all(isinstance(fields.get(key) or "", str) for key in keys):
            raise VendorError(f"{what}: `{kind}` holds no texts")
        if not fields.get(keys[0]):
            raise VendorError(f"{what}: `{kind}` has no `{keys[0]}`")
        if kind == "local":
            return local(fields["directory"])
        return git(fields["remote"], fields.get("subdir") or "")
    raise VendorError(f"{what}: `source` is neither `git` nor `local`")


def _plain(dependency: Dependency) -> dict[str, Any]:
    source = dependency.source
    where: dict[str, Any] = {"local": {"directory": source.directory}}
    if not source.directory:
        where = {"git": {"remote": source.remote, "subdir": source.subdir}}
    plain: dict[str, Any] = {"source": where, "version": dependency.version}
    if dependency.sum:
        plain["sum"] = dependency.sum
    if dependency.single:
        plain["single"] = True
    if dependency.legacy_name:
        plain["name"] = dependency.legacy_name
    return plain


def _checked_version(version: str, what: str) -> str:
    if not _VERSION.fullmatch(version) or ".." in version:
        raise VendorError(f"{_public(what)}: {version!r} is no name of a branch, a tag or a commit")
    return version


def _safe(path: str) -> bool:
    """Whether it stays below the folder that it is joined to."""
    parts: Iterable[str] = path.split("/")
    plain = all(part not in ("", ".", "..") and part.casefold() != ".git" for part in parts)
    return plain and "\\" not in path and path.isprintable()


def _public(text: str) -> str:
    """Without a user's name and password."""
    return re.sub(r"(?<=://)[^/@]*@", "", text)
