"""The libraries of one turn on their way into vendor/: fetched, verified, locked, and each put there by one rename."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mop import jsonnetfile, lockfile, trees
from mop.engines.protocols import Libraries, Toolbox
from mop.errors import VendorError
from mop.files import Digests
from mop.lockfile import LibraryLock, Lock
from mop.model import Platform
from mop.steps.vendor_libraries import closure, edits
from mop.steps.vendor_libraries.closure import Item, Options


@dataclass(frozen=True, slots=True)
class Outcome:
    """One library of mop.yaml. `version` is as asked for, with its commit; "" for a folder of this repository.

    `change`: what became of the lock or, for restored, of folders. `also`: libraries that came along, by their paths.
    `fetched`: bytes that came by network.
    """

    name: str
    version: str
    change: Literal["added", "updated", "restored", "kept"]
    before: str = ""
    fetched: int = 0
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class _Staged:
    """A folder that is whole and verified, on its way to `target`."""

    target: Path
    new: Path
    entry: LibraryLock


@dataclass(slots=True)
class Job:
    """The libraries of one turn on their way into vendor/."""

    platform: Platform
    name: str
    before: Lock
    digests: Digests
    options: Options
    entries: dict[str, LibraryLock] = field(default_factory=dict)
    staged: dict[str, _Staged] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def stage(self, items: Mapping[str, Item], tools: Toolbox) -> int:
        """Fetch and verify what is not there, beside where it will be; gives the bytes that came by network."""
        with contextlib.ExitStack() as stack:
            fetched = 0
            # Outer folders first: what lies in another library comes with it.
            for path, item in sorted(items.items()):
                if not item.commit:
                    continue
                outer = next((items[o] for o in items if items[o].commit and closure.lies_in(path, o)), None)
                fetched += self._inner(item, outer) if outer else self._one(item, tools, stack)
            self._refuse_locked()
            self._stack = stack.pop_all()
        return fetched

    def install(self) -> None:
        """The lock first: after a kill between the two, the next run brings the folders along."""
        with self._stack:
            changed = {p: e for p, e in self.entries.items() if e != self.before.libraries.get(p)}
            if changed:
                lockfile.edit(
                    self.platform.root / lockfile.NAME,
                    lambda lock: replace(lock, libraries={**lock.libraries, **changed}),
                )
            for path, each in self.staged.items():
                files = trees.files(each.new)
                trees.replace(each.new, each.target)
                edits.remember(self.platform.root, path, each.entry.tree, files)
                self.digests.fresh(each.target)

    def outcome(self, fetched: int) -> Outcome:
        """What became of the library that mop.yaml names."""
        dependency = jsonnetfile.library(self.platform.libraries[self.name].source)
        path = dependency.source.path
        entry, old = self.entries.get(path), self.before.libraries.get(path)
        also = tuple(
            p for p, each in self.entries.items() if p != path and self.before.libraries.get(p) != each
        )
        if entry is None:
            change: Literal["added", "updated", "restored", "kept"] = "added" if also else "kept"
            return Outcome(self.name, "", change, fetched=fetched, also=also)
        change = "restored" if self.staged else "kept"
        if entry != old or also:
            change = "updated" if old else "added"
        return Outcome(self.name, _shown(entry), change, _shown(old) if old else "", fetched, also)

    def _one(self, item: Item, tools: Toolbox, stack: contextlib.ExitStack) -> int:
        path = item.dependency.source.path
        target = self.platform.root / "vendor" / path
        trees.recover(target)
        trees.tidy(target, leftovers=True)
        there = self.digests.tree(target)
        if item.entry and there == item.entry.tree:
            self.entries[path] = item.entry
            return 0
        new = stack.enter_context(_folder(target, self.platform.root))
        fetched = _unpack(item, tools.libraries(), new)
        entry = self._entry(item, new)
        old = self.before.libraries.get(path)
        if not self.options.force and there not in (entry.tree, old.tree if old else None):
            edits.refuse(self.platform.root, path, target, there, trees.files(new))
        self.entries[path] = entry
        if there != entry.tree:
            self.staged[path] = _Staged(target, new, entry)
        return fetched

    def _inner(self, item: Item, outer: Item) -> int:
        """A library that lies in another one: there, once that is there."""
        path, above = item.dependency.source.path, outer.dependency.source.path
        if item.commit != outer.commit:
            raise VendorError(
                f"vendor/{path} lies in vendor/{above}, and they are at different commits: "
                f"{item.commit[:12]} and {outer.commit[:12]}",
                hint=f"let both have one version in mop.yaml; {above} alone brings {path} as well",
            )
        staged = self.staged.get(above)
        base = staged.new if staged else self.platform.root / "vendor" / above
        self.entries[path] = self._entry(item, base / path.removeprefix(f"{above}/"))
        return 0

    def _entry(self, item: Item, folder: Path) -> LibraryLock:
        """The lock's entry of what is in `folder`, which must be what was promised."""
        source, tree = item.dependency.source, Digests(folder).tree(folder) or ""
        if item.entry:
            if tree != item.entry.tree:
                raise VendorError(
                    f"the library {source.path} is not what {lockfile.NAME} says: "
                    f"expected {item.entry.tree}, found {tree}",
                    hint="its source changed: `inv vendor --update` if that is meant",
                )
            return item.entry
        found = jsonnetfile.sum_of(folder)
        if item.sum and item.sum != found:
            raise VendorError(
                f"the library {source.path} is not what {jsonnetfile.LOCK} says: expected {item.sum}, found {found}",
                hint=f"somebody changed it; remove its entry from {jsonnetfile.LOCK} only if that is meant",
            )
        return LibraryLock(source.path, source.remote, item.dependency.version, item.commit, tree, found)

    def _refuse_locked(self) -> None:
        changed = [path for path, entry in self.entries.items() if entry != self.before.libraries.get(path)]
        if changed and self.options.locked:
            raise VendorError(
                f"{lockfile.NAME} has no entry for {', '.join(changed)}, and may not change (--locked, or CI is set)",
                hint=f"run `inv vendor`, and commit {lockfile.NAME}",
            )


def remove_empty(folder: Path, stop: Path) -> None:
    """Remove `folder` if nothing is in it, and then those above it, up to `stop`."""
    while folder != stop and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _unpack(item: Item, libraries: Libraries, new: Path) -> int:
    source = item.dependency.source
    return libraries.unpack(source.remote, item.commit, source.subdir, new, version=item.dependency.version)


def _shown(entry: LibraryLock) -> str:
    version = entry.version
    return version[:12] if version == entry.commit else f"{version} ({entry.commit[:12]})"


@contextlib.contextmanager
def _folder(target: Path, root: Path) -> Iterator[Path]:
    """A folder beside `target` to make it in; afterwards no empty folder is left."""
    new = trees.staged(target)
    try:
        yield new
    finally:
        trees.discard(new)
        trees.tidy(target)
        remove_empty(target.parent, root)
