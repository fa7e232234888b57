"""mop.lock: what charts/ and vendor/ hold, by content. Read whole or refused with its line; written sorted.

It is YAML, so that a review sees one fact a line and two branches merge. Nothing in it was typed by a person: an
entry is written once its bytes were fetched and hashed (docs/adr/0011-lock-by-content.md).
"""

from __future__ import annotations

import dataclasses
import functools
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mop.errors import VendorError
from mop.files import PRIVATE_FILE, private_folder, write_atomic
from mop.problem import Problem

NAME = "mop.lock"
VERSION = 1
HEADER = "# Written by `inv vendor`: what charts/ and vendor/ hold, by content. Commit it; do not edit it.\n"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GUARD = threading.Lock()


@dataclass(frozen=True, slots=True)
class SubchartLock:
    """A dependency of Chart.yaml that the chart's own archive did not bring. `path`: its folder in the chart.

    `source`, `url`, `version`, `archive`: as of a chart.
    """

    path: str
    name: str
    source: str
    version: str
    url: str = ""
    archive: str = ""


@dataclass(frozen=True, slots=True)
class ChartLock:
    """One chart at charts/`name`. `chart` is what mop.yaml asked for, `source` the repository that answered.

    `url`: where the bytes were served, with the commit for git; "" for a folder of this repository.
    `archive`: sha256 of the archive as served, "" where there was none. `tree`: digest of the vendored folder
    (`mop.files.Digests.tree`), subcharts included.
    """

    name: str
    chart: str
    source: str
    version: str
    tree: str
    url: str = ""
    archive: str = ""
    subcharts: tuple[SubchartLock, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryLock:
    """One Jsonnet library at vendor/`path`. `version` is what was asked for, `commit` what it was; "" if local.

    `tree`: digest of the vendored folder. `sum`: what jsonnet-bundler calls so, base64.
    """

    path: str
    source: str
    version: str
    commit: str
    tree: str
    sum: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole of mop.lock: charts by their folder's name, libraries by their path below vendor/."""

    charts: Mapping[str, ChartLock] = field(default_factory=dict)
    libraries: Mapping[str, LibraryLock] = field(default_factory=dict)


def load(path: Path) -> Lock:
    """What the file says; an empty Lock if there is none. Raises VendorError with the line of each mistake."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise VendorError(f"{path.name} cannot be read: {error.strerror}") from error
    return parse(text, path.name)


@functools.lru_cache(maxsize=8)
def parse(text: bytes | str, name: str = NAME) -> Lock:
    """The same for its text; remembered, for every task asks."""
    from mop import goyaml  # with PyYAML: longer to import than all that a run without charts needs

    try:
        goyaml.load_all(text)  # refuses what is no YAML, and a key that stands twice
        return _Reader(name).lock(_compose(text))
    except goyaml.YamlError as error:
        raise _refused([Problem(error.problem, file=name, line=error.line, column=error.column)]) from None


def dump(lock: Lock) -> str:
    """The file's text: entries by name, fields by name, empty ones left out; equal for equal locks."""
    from mop import goyaml

    document: dict[str, Any] = {"version": VERSION}
    if lock.charts:
        document["charts"] = {name: _plain(chart, "name") for name, chart in lock.charts.items()}
    if lock.libraries:
        document["libraries"] = {path: _plain(each, "path") for path, each in lock.libraries.items()}
    return HEADER + goyaml.dump(document)


def edit(path: Path, change: Callable[[Lock], Lock]) -> Lock:
    """Read, change and write the file as one step among threads and processes; gives what it now says.

    An empty Lock makes no file.
    """
    import filelock

    locks = private_folder(private_folder(path.parent / ".mop") / "locks")
    with _GUARD, filelock.FileLock(locks / "mop-lock", mode=PRIVATE_FILE):
        before = load(path)
        after = change(before)
        if after != before or (path.exists() and after != Lock()):
            write_atomic(path, dump(after))
        return after


def with_chart(lock: Lock, chart: ChartLock) -> Lock:
    """`lock` with this chart's entry added or replaced."""
    return dataclasses.replace(lock, charts={**lock.charts, chart.name: chart})


def with_library(lock: Lock, library: LibraryLock) -> Lock:
    """`lock` with this library's entry added or replaced."""
    return dataclasses.replace(lock, libraries={**lock.libraries, library.path: library})


def _plain(entry: ChartLock | LibraryLock | SubchartLock, key: str) -> dict[str, Any]:
    found = {f.name: getattr(entry, f.name) for f in dataclasses.fields(entry) if f.name != key}
    subcharts = found.pop("subcharts", ())
    kept = {name: value for name, value in found.items() if value}
    if subcharts:
        kept["subcharts"] = {
            each.path: _plain(each, "path") for each in sorted(subcharts, key=lambda s: s.path)
        }
    return kept


def _compose(text: bytes | str) -> Any:
    """The text as nodes, which know their lines."""
    import yaml

    from mop import goyaml

    loader = yaml.CSafeLoader(text)
    try:
        return loader.get_single_node()
    except yaml.YAMLError as error:
        raise goyaml.YamlError(str(error)) from None
    finally:
        loader.dispose()


def _refused(problems: list[Problem]) -> VendorError:
    return VendorError(
        f"{NAME} is not what `inv vendor` wrote",
        problems=problems,
        hint=f"take {NAME} from version control again; after a merge conflict, keep both sides' entries",
    )


T = TypeVar("T")
_REQUIRED: Mapping[type, tuple[str, ...]] = {
    ChartLock: ("chart", "source", "version", "tree"),
    SubchartLock: ("name", "source", "version"),
    LibraryLock: ("source", "tree"),
}


class _Reader:
    """Nodes → Lock, with every mistake."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[Problem] = []

    def lock(self, root: Any) -> Lock:
        sections = {key: (line, node) for key, line, node in self._pairs(root, "the file")}
        line, node = sections.pop("version", (1, None))
        if node is None or node.value != str(VERSION):
            found = node.value if node is not None else "nothing"
            self._report(line, f"expected `version: {VERSION}`, found {found}: another MOP wrote this file")
        charts, libraries = sections.pop("charts", None), sections.pop("libraries", None)
        for key, (line, _) in sections.items():
            self._report(line, f"unknown key {key}")
        lock = Lock(
            {
                name: chart
                for name, line, node in self._section(charts)
                if (chart := self._chart(name, line, node))
            },
            {
                path: library
                for path, line, node in self._section(libraries)
                if (library := self._entry(LibraryLock, "path", path, line, node))
            },
        )
        if self._problems:
            raise _refused(self._problems)
        return lock

    def _section(self, found: tuple[int, Any] | None) -> Iterator[tuple[str, int, Any]]:
        return self._pairs(found[1], "a section") if found else iter(())

    def _chart(self, name: str, line: int, node: Any) -> ChartLock | None:
        nested = [(k, v) for k, v in getattr(node, "value", ()) if getattr(k, "value", "") == "subcharts"]
        subcharts = [
            subchart
            for _, value in nested
            for path, at, fields in self._pairs(value, "subcharts")
            if (subchart := self._entry(SubchartLock, "path", path, at, fields))
        ]
        return self._entry(ChartLock, "name", name, line, node, subcharts=tuple(subcharts))

    def _entry(self, kind: type[T], key: str, name: str, line: int, node: Any, **given: Any) -> T | None:
        declared = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
        found: dict[str, Any] = {key: name, **given}
        good = self._safe(line, name)
        for field_name, at, value in self._pairs(node, name):
            if field_name in given and value.id == "mapping":
                continue
            if field_name not in declared or field_name == key or value.id != "scalar":
                self._report(at, f"{name}: {field_name} is no field of an entry")
                good = False
            else:
                found[field_name] = value.value
                good = self._formed(at, name, field_name, value.value) and good
        missing = [each for each in _REQUIRED[kind] if each not in found]
        if missing:
            self._report(line, f"{name}: {', '.join(missing)} is missing")
        found = {**dict.fromkeys(declared.keys() - {"subcharts"}, ""), **found}
        return kind(**found) if good and not missing else None

    def _formed(self, line: int, name: str, field_name: str, value: str) -> bool:
        pattern = {"archive": _SHA256, "tree": _SHA256, "commit": _COMMIT}.get(field_name)
        if pattern is None or pattern.fullmatch(value):
            return True
        self._report(line, f"{name}: {field_name} is no digest: {value}")
        return False

    def _safe(self, line: int, name: str) -> bool:
        """An entry's name becomes a path: it may not lead anywhere else."""
        if (
            all(part not in ("", ".", "..") for part in name.split("/"))
            and "\\" not in name
            and "\0" not in name
        ):
            return True
        self._report(line, f"{name!r} is no name of a folder")
        return False

    def _pairs(self, node: Any, what: str) -> Iterator[tuple[str, int, Any]]:
        if getattr(node, "id", "") != "mapping":
            line = node.start_mark.line + 1 if node is not None else 1
            self._report(line, f"{what}: expected a mapping")
            return
        for key, value in node.value:
            yield str(key.value), key.start_mark.line + 1, value

    def _report(self, line: int, message: str) -> None:
        self._problems.append(Problem(message, file=self._name, line=line))
