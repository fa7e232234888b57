"""Which files of a platform change, as they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def changes(root: Path) -> Iterator[list[str]]:
    """Names relative to `root` of files that changed together (edits within 50 ms count as one), again and again.

    First an empty list, as soon as nothing can be missed any more. What MOP itself writes, version control and caches
    do not count. KeyboardInterrupt ends it.
    """
    from watchfiles import DefaultFilter, watch

    folders = (*DefaultFilter.ignore_dirs, ".mop", ".venv")
    batches = watch(
        root,
        watch_filter=DefaultFilter(ignore_dirs=folders),
        step=50,
        debounce=400,
        rust_timeout=200,
        yield_on_timeout=True,
    )
    next(batches)
    yield []
    for batch in batches:
        names = sorted({Path(path).relative_to(root).as_posix() for _change, path in batch})
        if names:
            yield names
