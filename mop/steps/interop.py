"""The files of jsonnet-bundler and Tanka, from mop.yaml and mop.lock, so that `jb` and `tk` fetch the same trees.

jsonnetfile.json, jsonnetfile.lock.json and chartfile.yaml hold what those tools can name; a comment names the rest.
A file that somebody else wrote is left alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mop import goyaml, jsonnetfile, lockfile, trees
from mop.errors import VendorError
from mop.files import write_atomic
from mop.jsonnetfile import Dependency, JsonnetFile
from mop.lockfile import ChartLock, Lock
from mop.model import Chart, Platform

CHARTFILE: Final = "chartfile.yaml"
_MARK: Final = "Written by `inv vendor` from mop.yaml and mop.lock; do not edit it."


def write(platform: Platform) -> list[str]:
    """Write the files, or remove them where there is nothing to say; notes on those that are not MOP's."""
    lock = lockfile.load(platform.root / lockfile.NAME)
    return [*_jsonnetfiles(platform, lock), *_chartfile(platform, lock)]


# ---------------------------------------------------------------- jsonnet-bundler


def _jsonnetfiles(platform: Platform, lock: Lock) -> Iterator[str]:
    own = [jsonnetfile.library(library.source) for library in platform.libraries.values()]
    path, lock_path = (platform.root / name for name in (jsonnetfile.NAME, jsonnetfile.LOCK))
    wanted = JsonnetFile(tuple(each for each in own if each.source.known_to_jb))
    if not _ours(path, wanted):
        yield f"{path.name} is not MOP's, and stays as it is: `inv libs.import` takes it into mop.yaml"
        return
    if not wanted.dependencies:
        trees.discard(path)
        trees.discard(lock_path)
        return
    others = [each.source.path for each in own if not each.source.known_to_jb]
    comment = _MARK + (f" Not in it, for jb cannot name where it is: {', '.join(others)}." if others else "")
    write_atomic(path, jsonnetfile.dump(wanted, comment))
    locked = JsonnetFile(tuple(_locked(platform.root, own, lock)), legacy_imports=False)
    write_atomic(lock_path, jsonnetfile.dump(locked))


def _locked(root: Path, own: list[Dependency], lock: Lock) -> Iterator[Dependency]:
    """As jb would lock it: what is asked for, with commit and sum."""
    for each, place in jsonnetfile.in_order(root, own):
        entry = lock.libraries.get(each.source.path)
        # Older jsonnetfiles give every library its name; jb forgets one that says nothing.
        name = each.legacy_name if each.legacy_name != each.source.path.rpartition("/")[2] else ""
        if each.source.directory and place == each.source.directory.removeprefix("./").rstrip("/"):
            yield Dependency(each.source, single=each.single)
        elif entry and each.source.known_to_jb:
            yield Dependency(each.source, entry.commit, entry.sum, each.single, name)


def _ours(path: Path, wanted: JsonnetFile) -> bool:
    """Whether MOP wrote the file, or there is none, or it says the same."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return True
    if _MARK.encode() in text:
        return True
    with contextlib.suppress(VendorError):
        found = jsonnetfile.parse(text, path.name)
        asked = {(each.source.path, each.version) for each in found.dependencies}
        return asked == {(each.source.path, each.version) for each in wanted.dependencies}
    return False


# ---------------------------------------------------------------- Tanka


def _chartfile(platform: Platform, lock: Lock) -> Iterator[str]:
    path = platform.root / CHARTFILE
    document, others = _requirements(platform, lock)
    if not _same_charts(path, document):
        yield f"{CHARTFILE} is not MOP's, and stays as it is: `inv charts.import` takes it into mop.yaml"
        return
    if not document["requires"] and not others:
        trees.discard(path)
        return
    lines = [f"# {_MARK}", *(f"# Not in it: {name}, {reason}" for name, reason in others.items())]
    write_atomic(path, "\n".join(lines) + "\n" + goyaml.dump(document))


def _requirements(platform: Platform, lock: Lock) -> tuple[dict[str, Any], dict[str, str]]:
    """The chartfile, and the charts that it cannot express with the reason."""
    repositories: dict[str, str] = {}
    requires = []
    others = {}
    for name, chart in platform.charts.items():
        entry = lock.charts.get(name)
        reason = _inexpressible(chart, entry)
        if entry is None or reason:
            others[name] = reason
            continue
        alias, named = _repository(platform, chart)
        repositories[alias] = entry.source
        requires.append({"chart": f"{alias}/{named}", "version": entry.version, "directory": name})
    document = {
        "version": 1,
        "directory": "charts",
        "repositories": [{"name": name, "url": url} for name, url in repositories.items()],
        "requires": requires,
    }
    return document, others


def _inexpressible(chart: Chart, entry: ChartLock | None) -> str:
    if entry is None:
        return "which is not in mop.lock yet"
    if chart.chart.startswith(("git+", "./")):
        return f"for Tanka takes charts from repositories alone, and it is at {entry.source}"
    if entry.subcharts:
        return "for its archive lacks subcharts, which Tanka does not fetch"
    return ""


def _repository(platform: Platform, chart: Chart) -> tuple[str, str]:
    """Alias and chart's name; a chart straight from a registry gets an alias of its own."""
    if chart.chart.startswith("oci://"):
        alias = f"{chart.name}-registry"
        while alias in platform.repositories:
            alias += "-oci"
        return alias, chart.chart.rstrip("/").rpartition("/")[2]
    alias, _, named = chart.chart.partition("/")
    return alias, named


def _same_charts(path: Path, document: dict[str, Any]) -> bool:
    """Whether MOP wrote the file, or there is none, or it says the same."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return True
    if _MARK.encode() in text:
        return True
    with contextlib.suppress(goyaml.YamlError, AttributeError, TypeError, KeyError):
        found = goyaml.load_all(text)[0]
        return _folders(found) == _folders(document)
    return False


def _folders(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    directory = document.get("directory") or "charts"
    return {
        (
            each["chart"],
            each["version"],
            f"{directory}/{each.get('directory') or each['chart'].rpartition('/')[2]}",
        )
        for each in document.get("requires") or []
    }
