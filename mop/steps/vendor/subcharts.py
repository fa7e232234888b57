"""Dependencies of Chart.yaml that a chart's archive does not bring, as git repositories and folders mostly leave them.

Versions are those of Chart.lock where there is one (as `helm dependency build` has it), else resolved once, into
mop.lock. They lie unpacked in the chart's charts/.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mop.engines.protocols import ChartRepositories, ChartSource, Located
from mop.errors import VendorError
from mop.lockfile import SubchartLock
from mop.model import Platform
from mop.steps.vendor import metadata

_DEEPEST: Final = 10


def complete(
    folder: Path,
    source: ChartSource,
    located: Located,
    platform: Platform,
    repositories: ChartRepositories,
    prefix: str = "",
) -> list[tuple[SubchartLock, int]]:
    """Fetch what is missing below `folder`, and say what it was and how many bytes came by network.

    `source`, `located`: of the chart in `folder`, for dependencies that lie beside it (`file://../common`).
    """
    if prefix.count("charts/") > _DEEPEST:
        raise VendorError(f"the subcharts of {source.url} depend on each other without end: {prefix}")
    found: list[tuple[SubchartLock, int]] = []
    locked = {str(each.get("name")): str(each.get("version")) for each in _locked(folder)}
    for dependency in _dependencies(folder):
        name, wanted = str(dependency.get("name")), str(dependency.get("version") or "")
        if _present(folder, name):
            continue
        origin = _origin(dependency, source, located, platform)
        there = repositories.locate(origin, locked.get(name, wanted))
        path = f"charts/{name}"
        obtained = repositories.unpack(origin, there, folder / path)
        metadata.verify(folder / path, ChartSource("local", origin.url, name), there.version, name)
        url = lockable(there.url)
        entry = SubchartLock(prefix + path, name, origin.url, there.version, url, obtained.archive)
        found.append((entry, obtained.fetched))
        found += complete(folder / path, origin, there, platform, repositories, f"{prefix}{path}/")
    return found


def restore(folder: Path, entry: SubchartLock, platform: Platform, repositories: ChartRepositories) -> int:
    """Fetch a subchart that the lock names to its path below `folder`; the bytes that came by network."""
    origin = _by_url(entry.source, entry.name, platform)
    located = Located(entry.version, entry.url, entry.archive)
    if not entry.url and origin.kind != "local":
        located = replace(repositories.locate(origin, entry.version), archive=entry.archive)
    return repositories.unpack(origin, located, folder / entry.path).fetched


def lockable(url: str) -> str:
    """`url` as the lock may hold it: "", to be looked up again, where it may hold a login or a signature."""
    if url.startswith("git+"):
        return url
    return "" if "?" in url or "@" in url.partition("://")[2].partition("/")[0] else url


def _dependencies(folder: Path) -> Iterator[dict[str, Any]]:
    """Of Chart.yaml, or of requirements.yaml as charts of Helm 2 had it."""
    listed = metadata.read(folder).get("dependencies") or metadata.read(folder, "requirements.yaml").get(
        "dependencies"
    )
    yield from (each for each in listed or [] if isinstance(each, dict) and each.get("name"))


def _locked(folder: Path) -> Iterator[dict[str, Any]]:
    listed = metadata.read(folder, "Chart.lock").get("dependencies")
    yield from (each for each in listed or [] if isinstance(each, dict))


def _present(folder: Path, name: str) -> bool:
    """Whether charts/ has it, as a folder or an archive; Helm goes by the names inside."""
    charts = folder / "charts"
    archive = re.compile(rf"{re.escape(name)}-v?\d.*\.tgz")
    for path in sorted(charts.iterdir()) if charts.is_dir() else []:
        if archive.fullmatch(path.name) or (path.is_dir() and metadata.read(path).get("name") == name):
            return True
    return False


def _origin(
    dependency: dict[str, Any], source: ChartSource, located: Located, platform: Platform
) -> ChartSource:
    name, text = str(dependency["name"]), str(dependency.get("repository") or "")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise VendorError(f"{source.url}: Chart.yaml depends on {name!r}, which is no chart's name")
    alias = text.removeprefix("@") if text.startswith("@") else text.removeprefix("alias:")
    if alias != text:
        if alias not in platform.repositories:
            raise VendorError(
                f"{source.url}: its subchart {name} comes from a repository {alias!r}, which mop.yaml does not declare",
                hint=f"declare {alias} under `repositories` in mop.yaml",
            )
        text = platform.repositories[alias].url
    if text.startswith("file://") and source.kind in ("git", "local"):
        return _beside(source, located, text.removeprefix("file://"), name)
    if "@" in text.partition("://")[2].partition("/")[0]:
        raise VendorError(
            f"{source.url}: the address of its subchart {name} holds a login, which mop.lock would publish",
            hint="ask its authors to remove it",
        )
    if text.startswith(("http://", "https://", "oci://")):
        return _by_url(text.rstrip("/"), name, platform)
    raise VendorError(
        f"{source.url}: its subchart {name} is not in its charts/, and comes from {text or 'nowhere'!r}",
        hint="ask its authors to pack it, or vendor a chart that brings its subcharts",
    )


def _by_url(url: str, name: str, platform: Platform) -> ChartSource:
    if url.startswith("git+"):
        return ChartSource("git", url)
    if url.startswith("./"):
        return ChartSource("local", url)
    credentials = next(
        (r.credentials for r in platform.repositories.values() if r.url.rstrip("/") == url), ""
    )
    return ChartSource("oci" if url.startswith("oci://") else "http", url, name, credentials)


def _beside(source: ChartSource, located: Located, path: str, name: str) -> ChartSource:
    """The chart at `path` relative to the one of `source`: of the same commit, or of this repository too."""
    if source.kind == "local":
        return ChartSource("local", f"./{_joined(source.url, path, name)}")
    address, _, query = located.url.partition("?")
    scheme, _, rest = address.partition("://")
    repository, _, own = rest.partition("//")
    return ChartSource("git", f"{scheme}://{repository}//{_joined(own, path, name)}?{query}")


def _joined(own: str, path: str, name: str) -> str:
    joined = posixpath.normpath(posixpath.join(own, path))
    if posixpath.isabs(path) or joined.startswith("../") or joined in ("..", "."):
        raise VendorError(f"{own}: its subchart {name} at {path} lies outside of its repository")
    return joined
