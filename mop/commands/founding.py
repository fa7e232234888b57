"""`init`: a new platform, or MOP beside an existing Tanka repository."""

from __future__ import annotations

from typing import Any

from mop.commands.base import command


@command()
def init(_context: Any) -> int:
    """
    Write mop.yaml, tasks.py and dodo.py into this folder; Tanka environments here are taken as they are.

    Nothing that exists is changed.

    Example: mop init
    """
    from pathlib import Path

    from mop.report.terminal import terminal
    from mop.scaffold import init as write

    out = terminal()
    done = write(Path.cwd())
    for name in done.written:
        out.result(f"written  {name}")
    for name in done.kept:
        out.result(f"kept     {name}")
    for note in done.notes:
        out.note(f"left to do: {note}")
    return 0
