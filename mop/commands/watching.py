"""`--watch`: run again whenever a file of the platform changes, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mop.commands.base import guarded
from mop.errors import Interrupted
from mop.report.terminal import terminal
from mop.runner.watching import changes


def watch(once: Callable[[], int]) -> int:
    """Call `once`, and again after each change. Mistakes are shown and waited out. Ends by KeyboardInterrupt."""
    from mop import config

    root = config.find(Path.cwd()).parent
    out = terminal()
    code = 0
    for names in changes(root):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            out.note(out.paint("dim", f"changed: {names[0]}{more}"))
        code = guarded(once)
        if code == Interrupted.exit_code:
            break
        if not names:
            out.note(f"watching {root}; Ctrl-C ends it")
    return code
