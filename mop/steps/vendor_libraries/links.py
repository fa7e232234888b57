"""Links in vendor/ by which older imports know libraries: vendor/ksonnet-util → github.com/…/ksonnet-util.

jsonnet-bundler makes them unless `legacyImports` is off (pkg/packages.go, linkLegacy): the first library of a name has
it, in the order in which they are found.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import tempfile
from pathlib import Path

from mop import jsonnetfile
from mop.jsonnetfile import Dependency
from mop.lockfile import Lock
from mop.model import Platform
from mop.steps.vendor_libraries import closure


def there(root: Path, dependency: Dependency) -> bool:
    """Whether something bears the library's short name."""
    return "/" in dependency.link or os.path.lexists(root / "vendor" / dependency.link)


def make(platform: Platform, lock: Lock) -> None:
    """Make the links of all that is vendored; what is no link in vendor/ is left alone."""
    vendor = platform.root / "vendor"
    targets = order(platform, lock)
    for name, target in targets.items():
        path = vendor / name
        if os.path.lexists(path) and not path.is_symlink():
            continue
        if not path.is_symlink() or str(path.readlink()) != target:
            vendor.mkdir(exist_ok=True)
            _replace(path, target)


def order(platform: Platform, lock: Lock) -> dict[str, str]:
    """Name → what the link says, in jb's order: all of mop.yaml, then what each of them asks for."""
    found: dict[str, str] = {}
    direct = [dependency for _, dependency in closure.declared(platform).values()]
    for dependency, place in jsonnetfile.in_order(platform.root, direct):
        if dependency.source.directory:
            target = posixpath.relpath(place, "vendor")
        elif dependency.source.path in lock.libraries:
            target = dependency.source.path
        else:
            continue
        if "/" not in dependency.link:
            found.setdefault(dependency.link, target)
    return found


def sweep(vendor: Path) -> None:
    """Remove links that lead nowhere: their libraries went."""
    for path in vendor.iterdir() if vendor.is_dir() else ():
        if path.is_symlink() and not path.exists():
            path.unlink()
    with contextlib.suppress(OSError):
        vendor.rmdir()


def _replace(path: Path, target: str) -> None:
    """A new link by one rename."""
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=".mop-link-"))
    try:
        (folder / "link").symlink_to(target)
        (folder / "link").replace(path)
    finally:
        (folder / "link").unlink(missing_ok=True)
        folder.rmdir()
