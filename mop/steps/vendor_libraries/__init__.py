"""Make vendor/ what mop.lock says: libraries, what they depend on, and the links that older imports use.

The layout and the rules are jsonnet-bundler's (pkg/packages.go): a version in mop.yaml wins over what libraries ask
for, a locked one over both. It differs where jb would guess: two libraries that ask for different versions of a third
one are an error that names both. One library task works at a time, on what was fetched before its turn.

closure.py     which libraries, and at which commits
installing.py  from there into vendor/
edits.py       was a folder changed by hand?
links.py       vendor/NAME → vendor/host/owner/repository/NAME
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import replace

from mop import jsonnetfile, lockfile, trees
from mop.engines.protocols import Toolbox
from mop.errors import VendorError
from mop.files import PRIVATE_FILE, Digests, private_folder
from mop.model import Platform
from mop.outputs import Outputs
from mop.problem import Problem
from mop.steps.vendor_libraries import closure, edits, links
from mop.steps.vendor_libraries.closure import Item, Options
from mop.steps.vendor_libraries.installing import Job, Outcome, remove_empty

__all__ = ["Outcome", "check", "current", "forget", "vendor"]


def current(platform: Platform, name: str, outputs: Outputs) -> bool:
    """Whether the library, and all that it depends on, is what the lock says, and the lock what mop.yaml asks for."""
    lock = lockfile.load(platform.root / lockfile.NAME)
    return all(
        found.good and links.there(platform.root, found.dependency)
        for found in closure.on_disk(platform, name, lock, outputs.digests)
    )


def vendor(platform: Platform, name: str, outputs: Outputs, tools: Toolbox, options: Options) -> Outcome:
    """Make vendor/ right for the library `name` of mop.yaml. Raises VendorError; then all is what it was."""
    path, digests = platform.root / lockfile.NAME, outputs.digests
    # What takes time happens before the turn; the second look finds it in the cache.
    before = lockfile.load(path)
    for item in closure.wanted(platform, name, before, digests, tools, options).values():
        if item.commit and not _is_there(platform, item, digests):
            item.read(tools, "")
    with _alone(outputs), _writing():
        digests.fresh(platform.root / "vendor")
        before = lockfile.load(path)
        items = closure.wanted(platform, name, before, digests, tools, options)
        job = Job(platform, name, before, digests, options)
        fetched = job.stage(items, tools)
        job.install()
        links.make(platform, lockfile.load(path))
    return job.outcome(fetched)


def check(platform: Platform, names: Collection[str]) -> list[Problem]:
    """What is not as the lock says, from the bytes alone: no network, no trust in dates."""
    lock, digests = lockfile.load(platform.root / lockfile.NAME), Digests(platform.root)
    problems: dict[Problem, None] = {}
    for name in names:
        for found in closure.on_disk(platform, name, lock, digests):
            where = f"vendor/{found.dependency.source.path}"
            if found.trouble:
                problems[Problem(found.trouble, file=lockfile.NAME)] = None
            elif not found.good:
                for problem in edits.problems(platform.root, found.dependency.source.path, where):
                    problems[problem] = None
    return list(problems)


def forget(platform: Platform, options: Options) -> list[str]:
    """Drop libraries from the lock that nothing asks for; unedited folders go too. Gives their paths.

    All that mop.yaml declares must have been vendored: what is not there says not what it depends on.
    """
    path, digests = platform.root / lockfile.NAME, Digests(platform.root)
    lock = lockfile.load(path)
    direct = [dependency for _, dependency in closure.declared(platform).values()]
    kept = {each.source.path for each, _ in jsonnetfile.in_order(platform.root, direct)}
    gone = {each: entry for each, entry in lock.libraries.items() if each not in kept}
    if gone and options.locked:
        raise VendorError(
            f"{lockfile.NAME} has {', '.join(gone)}, which nothing asks for, and may not change (--locked)",
            hint=f"run `inv vendor`, and commit {lockfile.NAME}",
        )
    if gone:
        lockfile.edit(
            path,
            lambda now: replace(now, libraries={k: v for k, v in now.libraries.items() if k not in gone}),
        )
    for each, entry in gone.items():
        target = platform.root / "vendor" / each
        inside = any(closure.lies_in(each, other) or closure.lies_in(other, each) for other in kept)
        if digests.tree(target) == entry.tree and not inside:
            trees.discard(target)
            remove_empty(target.parent, platform.root / "vendor")
        edits.forget(platform.root, each)
    links.sweep(platform.root / "vendor")
    return sorted(gone)


def _is_there(platform: Platform, item: Item, digests: Digests) -> bool:
    target = platform.root / "vendor" / item.dependency.source.path
    return item.entry is not None and digests.tree(target) == item.entry.tree


@contextlib.contextmanager
def _alone(outputs: Outputs) -> Iterator[None]:
    """One at a time, among threads and processes: libraries share what they depend on."""
    import filelock

    outputs.private()
    locks = private_folder(outputs.folder / "locks")
    with filelock.FileLock(locks / "libraries", mode=PRIVATE_FILE, thread_local=False):
        yield


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """A full disk or a folder of somebody else's becomes a message."""
    try:
        yield
    except OSError as error:
        raise VendorError(
            f"vendor/ cannot be written: {error.strerror or error} ({error.filename})",
            hint="what was there before is still there",
        ) from error
