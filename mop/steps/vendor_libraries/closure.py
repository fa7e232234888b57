"""Which libraries one of mop.yaml brings, and at which commits: what the lock says, else what is there now."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mop import jsonnetfile, lockfile
from mop.engines.protocols import Toolbox
from mop.errors import VendorError
from mop.files import Digests
from mop.jsonnetfile import Dependency
from mop.lockfile import LibraryLock, Lock
from mop.model import Platform

_AT_ONCE = 8
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Options(Protocol):
    """How to vendor (`mop.steps.vendor.Options`)."""

    @property
    def locked(self) -> bool:
        """Any change to the lock is an error."""

    @property
    def update(self) -> object:
        """None: every entry of the lock may change."""

    @property
    def force(self) -> bool:
        """Over edited folders."""

    def updates(self, name: str) -> bool:
        """Whether the entry of the library `name` of mop.yaml may change."""


@dataclass(frozen=True, slots=True)
class Item:
    """One library of a closure. `commit` is "" for a folder; `entry` the lock's, if it stays.

    `place`: its folder, relative to the platform's root. `asked_by`: the library that asks for it, None = mop.yaml.
    `sum`: what jsonnetfile.lock.json expects, where that gave the commit. `origin`: the git library of a folder.
    """

    dependency: Dependency
    place: str
    commit: str = ""
    asked_by: Item | None = None
    entry: LibraryLock | None = None
    sum: str = ""
    origin: Item | None = None

    @property
    def who_asks(self) -> str:
        """For messages."""
        return self.asked_by.dependency.source.path if self.asked_by else "mop.yaml"

    def read(self, tools: Toolbox, folder: str) -> bytes | None:
        """jsonnetfile.json of `folder` in this git library, from the cache or the network."""
        source, file = self.dependency.source, posixpath.join(folder, jsonnetfile.NAME)
        return tools.libraries().read(
            source.remote, self.commit, source.subdir, file, version=self.dependency.version
        )


@dataclass(frozen=True, slots=True)
class Found:
    """How a library stands on disk. `good`: as locked. `trouble`: how the lock is not what mop.yaml asks for."""

    dependency: Dependency
    good: bool
    trouble: str = ""


def declared(platform: Platform) -> dict[str, tuple[str, Dependency]]:
    """The libraries of mop.yaml by path, each with its name."""
    found = {name: jsonnetfile.library(each.source) for name, each in platform.libraries.items()}
    return {each.source.path: (name, each) for name, each in found.items()}


def lies_in(path: str, other: str) -> bool:
    """Whether the library's folder is below the other's."""
    return path.startswith(f"{other}/")


def disagreement(dependency: Dependency, entry: LibraryLock) -> str:
    """How the lock's entry is not what mop.yaml asks for; "" if it is."""
    if entry.source == dependency.source.remote and entry.version == dependency.version:
        return ""
    return (
        f"the library {entry.path}: mop.yaml asks for {dependency.version} of {dependency.source.remote}, "
        f"{lockfile.NAME} has {entry.version} of {entry.source}"
    )


def on_disk(platform: Platform, name: str, lock: Lock, digests: Digests) -> Iterator[Found]:
    """The library `name` and all that it depends on, as far as what is on disk tells. No network."""
    direct = declared(platform)
    pending = [(jsonnetfile.library(platform.libraries[name].source), "")]
    seen = set()
    while pending:
        asked, base = pending.pop()
        path = asked.source.path
        if path in seen:
            continue
        seen.add(path)
        _, dependency = direct.get(path, ("", asked))
        place = jsonnetfile.place(dependency, "" if path in direct else base)
        good = True
        if dependency.source.directory:
            yield Found(dependency, (platform.root / place).is_dir())
        else:
            entry = lock.libraries.get(path)
            if entry is None:
                yield Found(dependency, False, f"the library {path} is not in {lockfile.NAME}")
                continue
            trouble = disagreement(dependency, entry) if path in direct else ""
            good = not trouble and digests.tree(platform.root / place) == entry.tree
            yield Found(dependency, good, trouble)
        if dependency.single:
            continue
        try:
            pending += [(each, place) for each in jsonnetfile.read(platform.root / place)]
        except VendorError:
            if good:  # otherwise an edit broke it, which was said
                raise


def wanted(
    platform: Platform, name: str, lock: Lock, digests: Digests, tools: Toolbox, options: Options
) -> dict[str, Item]:
    """The library `name` and all that it depends on, by path, nearest first. Raises VendorError."""
    closure = _Closure(platform, lock, digests, tools, options)
    closure.follow([(jsonnetfile.library(platform.libraries[name].source), None)])
    closure.add_outer()
    return closure.items


class _Closure:
    def __init__(
        self, platform: Platform, lock: Lock, digests: Digests, tools: Toolbox, options: Options
    ) -> None:
        self._platform = platform
        self._lock = lock
        self._digests = digests
        self._tools = tools
        self._options = options
        self._direct = declared(platform)
        self.items: dict[str, Item] = {}

    def follow(self, asked: Iterable[tuple[Dependency, Item | None]]) -> None:
        """Level by level, each level at once; what was found first stays."""
        from concurrent.futures import ThreadPoolExecutor  # what needs no fetching starts without it

        level = list(asked)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while level:
                new: dict[str, tuple[Dependency, Item | None]] = {}
                for dependency, asker in level:
                    if dependency.source.path not in self.items:
                        new.setdefault(dependency.source.path, (dependency, asker))
                found = list(pool.map(self._item, *zip(*new.values(), strict=True))) if new else []
                self.items.update(zip(new, found, strict=True))
                for dependency, asker in level:
                    self._compare(self.items[dependency.source.path], dependency, asker)
                nested = list(pool.map(self._nested, found))
                level = [
                    (each, item) for item, each_of in zip(found, nested, strict=True) for each in each_of
                ]

    def add_outer(self) -> None:
        """Libraries of the lock that hold one of these: they change together."""
        for path in list(self.items):
            for other, entry in self._lock.libraries.items():
                if lies_in(path, other) and other not in self.items and self.items[path].commit:
                    subdir = other.removeprefix(jsonnetfile.git(entry.source).path).strip("/")
                    outer = Dependency(jsonnetfile.Source(other, entry.source, subdir), entry.version)
                    self.items[other] = Item(outer, f"vendor/{other}", entry.commit, entry=entry)

    def _item(self, dependency: Dependency, asker: Item | None) -> Item:
        path = dependency.source.path
        name, chosen = self._direct.get(path, ("", dependency))
        if chosen.source.directory:
            return self._folder(chosen, None if name else asker)
        entry = self._lock.libraries.get(path)
        place = jsonnetfile.place(chosen, "")
        updating = self._options.update is None or bool(name and self._options.updates(name))
        if entry is None or updating:
            return self._resolved(chosen, place, asker, entry, updating)
        if not disagreement(chosen, entry) or (not name and asker is not None and asker.entry):
            return Item(chosen, place, entry.commit, asker, entry)
        if name:
            raise VendorError(
                disagreement(chosen, entry), hint=f"`inv vendor --update {name}` takes what mop.yaml says now"
            )
        commit = self._resolve(chosen)
        if commit == entry.commit:
            return Item(chosen, place, commit, asker, entry)
        for other in self._askers(path, asker):
            raise _conflict(path, other, entry.version, entry.commit, asker, chosen.version, commit)
        return Item(chosen, place, commit, asker)

    def _resolved(
        self,
        dependency: Dependency,
        place: str,
        asker: Item | None,
        entry: LibraryLock | None,
        updating: bool,
    ) -> Item:
        """A new look at what a name means; jb's lock speaks where ours does not yet."""
        pin = None if updating else _pins(self._platform.root).get(dependency.source.path)
        if pin:
            return Item(dependency, place, pin.version, asker, sum=pin.sum)
        commit = self._resolve(dependency)
        kept = entry if entry and entry.commit == commit and not disagreement(dependency, entry) else None
        return Item(dependency, place, commit, asker, kept)

    def _resolve(self, dependency: Dependency) -> str:
        return self._tools.libraries().resolve(dependency.source.remote, dependency.version)

    def _folder(self, dependency: Dependency, asker: Item | None) -> Item:
        """A folder of this repository, or of the library that asks for it."""
        place = jsonnetfile.place(dependency, asker.place if asker else "")
        if place.startswith("../") or place == "..":
            raise VendorError(f"{dependency.source.directory} leads out of this repository")
        origin = (asker.origin or (asker if asker.commit else None)) if asker else None
        if origin is None and not (self._platform.root / place).is_dir():
            raise VendorError(
                f"there is no folder {place}, which {asker.who_asks if asker else 'mop.yaml'} names as a library"
            )
        return Item(dependency, place, asked_by=asker, origin=origin)

    def _compare(self, item: Item, dependency: Dependency, asker: Item | None) -> None:
        """Raises VendorError if `asker` wants another version than the one that was found first."""
        path = dependency.source.path
        if path in self._direct or item.asked_by is asker or (asker is not None and asker.entry):
            return
        if bool(item.commit) != (not dependency.source.directory):
            raise VendorError(f"two libraries are called {path}", hint=f"one is asked for by {item.who_asks}")
        if not item.commit:
            if item.place != jsonnetfile.place(dependency, asker.place if asker else ""):
                raise VendorError(f"two folders are called {path}: {item.place} and another one")
            return
        if item.dependency.version == dependency.version and item.dependency.source == dependency.source:
            return
        commit = self._resolve(dependency)
        if commit != item.commit:
            version = item.dependency.version
            raise _conflict(path, item.who_asks, version, item.commit, asker, dependency.version, commit)

    def _askers(self, path: str, besides: Item | None) -> Iterator[str]:
        """Vendored libraries that ask for `path`."""
        own = besides.dependency.source.path if besides else ""
        for other in self._lock.libraries:
            found = jsonnetfile.read(self._platform.root / "vendor" / other)
            if other not in (path, own) and any(each.source.path == path for each in found):
                yield other

    def _nested(self, item: Item) -> tuple[Dependency, ...]:
        if item.dependency.single:
            return ()
        folder = self._platform.root / item.place
        origin = item if item.commit else item.origin
        if origin is None or self._is_there(origin):
            return jsonnetfile.read(folder)
        inner = posixpath.relpath(item.place, origin.place)
        text = origin.read(self._tools, "" if inner == "." else inner)
        return jsonnetfile.parse(text or b"", f"{item.place}/{jsonnetfile.NAME}").dependencies

    def _is_there(self, item: Item) -> bool:
        return (
            item.entry is not None and self._digests.tree(self._platform.root / item.place) == item.entry.tree
        )


def _pins(root: Path) -> dict[str, Dependency]:
    """What jsonnet-bundler locked, by commit and sum, before mop.lock does."""
    try:
        text = (root / jsonnetfile.LOCK).read_bytes()
    except OSError:
        return {}
    found = jsonnetfile.parse(text, jsonnetfile.LOCK).dependencies
    return {each.source.path: each for each in found if each.sum and _COMMIT.fullmatch(each.version)}


def _conflict(
    path: str, one: str, version: str, commit: str, other: Item | None, wanted: str, found: str
) -> VendorError:
    second = other.dependency.source.path if other else "mop.yaml"
    asked = sorted([f"{one} asks for {version} ({commit[:12]})", f"{second} for {wanted} ({found[:12]})"])
    return VendorError(
        f"two libraries want different versions of {path}: {', '.join(asked)}",
        hint=f"say in mop.yaml which one is right: libraries: {{{posixpath.basename(path)}: {path}@{version}}}",
    )
