"""The Go runtime inside a shared library: how it starts.

Its collector runs whenever the heap has doubled, which for an engine of a short-lived process costs more time than it
saves memory. Go reads GOGC once, when the library is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "GOGC"
_GROWTH = "400"


@contextmanager
def collecting_less() -> Iterator[None]:
    """Load a Go library inside this; a GOGC of the user's own is left as it is. Programs started later see none."""
    if _VARIABLE in os.environ:
        yield
        return
    os.environ[_VARIABLE] = _GROWTH
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
