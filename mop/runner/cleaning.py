"""Removing what MOP made: results below .mop/, and the caches that platforms share."""

from __future__ import annotations

import shutil
from pathlib import Path

from mop.cache import Cache, cache_root

#: The caches that are cheap to fill again. The control plane's programs take minutes to build, and stay.
CACHES = ("renders", "schemas", "downloads", "libraries")
#: What was vendored, file by file: without it, charts/ and vendor/ would look edited when mop.lock moves on.
_MEMORY = "vendored"


def remove_outputs(root: Path) -> list[str]:
    """Remove results: all of `.mop/` but the embedded cluster, which may run, and what is known of vendored folders.

    Gives what went, sorted.
    """
    removed = []
    folder = root / ".mop"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        # cluster/, and cluster.lock beside it; .gitignore keeps the folder out of every commit.
        if path.name.startswith("cluster") or path.name in (".gitignore", _MEMORY):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        removed.append(path.name)
    return removed


def empty_caches() -> int:
    """Empty the shared caches, also while others use them; gives the bytes that were freed."""
    return sum(Cache(cache_root() / name).clear() for name in CACHES)
