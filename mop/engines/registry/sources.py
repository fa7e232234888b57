"""Charts that no repository packs: a folder of a git repository, a folder or archive of this one."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from mop import archives, goyaml
from mop.engines import git_remote
from mop.engines.protocols import ChartSource, Located
from mop.errors import VendorError
from mop.files import sha256

#: A cache: gives what is under a key, or what a function makes, and whether it was there.
Kept = Callable[[str, Callable[[], bytes]], tuple[bytes, bool]]


def locate_git(source: ChartSource, tar_of: Callable[[str], bytes]) -> Located:
    """The commit that `?ref=` means now, as a URL that names it, and the version in its Chart.yaml."""
    repository, path, reference = parts(source.url)
    url = pinned(repository, path, git_remote.resolve(repository, reference or "HEAD"), reference)
    return Located(_version(_file(tar_of(url), "x/Chart.yaml"), source.url), url)


def git_tar(url: str, kept: Kept) -> tuple[bytes, int]:
    """The chart's folder as a tar, from the cache if it is there, and how many bytes were fetched."""
    repository, path, commit = parts(url)
    reference = parse_qs(urlsplit(url).fragment).get("of", [""])[0]
    key = f"{git_remote.public(repository)}\0{commit}\0{path}"
    data, hit = kept(key, lambda: git_remote.folder_tar(repository, commit, path, reference=reference))
    return data, 0 if hit else len(data)


def parts(url: str) -> tuple[str, str, str]:
    """Repository, path and ref of `git+https://host/owner/repo.git//path?ref=main`. Raises VendorError."""
    split = urlsplit(url.removeprefix("git+"))
    if split.password is not None:
        raise VendorError(
            f"{git_remote.public(url)}: a password in an address would be written into mop.lock",
            hint="remove it; git finds it by a credential helper or in netrc",
        )
    repository, separator, path = split.path.partition("//")
    normal = posixpath.normpath(path) if path else ""
    if normal == ".":
        normal = ""
    if normal.startswith(("..", "/")) or (separator and not path):
        raise VendorError(f"{git_remote.public(url)}: the path after // leads out of the repository")
    reference = parse_qs(split.query).get("ref", [""])[0]
    if not re.fullmatch(r"(?:[A-Za-z0-9_][^\s:?*\[\\^~]*)?", reference) or ".." in reference:
        raise VendorError(
            f"{git_remote.public(url)}: {reference!r} is no name of a branch, a tag or a commit"
        )
    return urlunsplit((split.scheme, split.netloc, repository, "", "")), normal, reference


def pinned(repository: str, path: str, commit: str, reference: str) -> str:
    """The same with the commit instead of the ref, which is kept behind: some servers give commits only by name."""
    of = f"#of={reference}" if reference and reference != commit else ""
    return f"git+{repository}//{path}?ref={commit}{of}"


def locate_local(source: ChartSource, root: Path) -> Located:
    """The version in the Chart.yaml of a folder or .tgz of this repository."""
    path = _inside(source, root)
    if path.is_dir():
        chart = path / "Chart.yaml"
        if not chart.is_file():
            raise VendorError(f"{source.url} is no chart: it has no Chart.yaml")
        return Located(_version(chart.read_bytes(), source.url), "")
    with tempfile.TemporaryDirectory(prefix="mop-") as temporary:
        target = Path(temporary) / "chart"
        copy_local(source, root, target)
        return Located(_version((target / "Chart.yaml").read_bytes(), source.url), "")


def copy_local(source: ChartSource, root: Path, target: Path) -> str:
    """Write the chart's files below `target`; the archive's sha256, "" for a folder.

    A folder goes through the same rules as an archive does.
    """
    path = _inside(source, root)
    target.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        data = path.read_bytes()
        archives.unpack(data, target, source.url)
        return sha256(data)
    archives.unpack(_packed(path), target, source.url, packed=False)
    return ""


def _packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, "x", filter=lambda member: None if member.name.endswith("/.git") else member)
    return buffer.getvalue()


def _inside(source: ChartSource, root: Path) -> Path:
    path = (root / source.url).resolve()
    if not path.is_relative_to(root.resolve()):
        raise VendorError(f"{source.url} leads out of this repository")
    if not path.exists():
        raise VendorError(
            f"{source.url}: there is no such folder or archive", hint="look at `chart` in mop.yaml"
        )
    return path


def _file(tar: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        try:
            found = archive.extractfile(name)
        except KeyError:
            found = None
        return found.read() if found else b""


def _version(text: bytes, what: str) -> str:
    try:
        documents: list[Any] = goyaml.load_all_v2(text)
    except goyaml.YamlError as error:
        raise VendorError(f"{git_remote.public(what)}: Chart.yaml is no YAML: {error}") from None
    version = documents[0].get("version") if documents and isinstance(documents[0], dict) else None
    if not isinstance(version, str) or not version:
        raise VendorError(f"{git_remote.public(what)} is no chart: no Chart.yaml with a version")
    return version
