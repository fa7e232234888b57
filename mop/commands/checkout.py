"""MOP's own checkout and the tools of its development: what `lint`, `fmt`, `test` and `lock` run there."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from mop.errors import ToolError, UsageError

#: The checkout that this MOP runs from; no checkout if MOP was installed as a wheel.
ROOT = Path(__file__).parents[2]

LINTERS = {
    "code": ("ruff", "check", "."),
    "layout": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "layers": ("lint-imports", "--no-logo"),
}
FORMATTERS = {
    "code": ("ruff", "check", "--fix-only", "."),
    "layout": ("ruff", "format", "."),
}
LOCK = ("uv", "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--quiet")
LOCKS = {
    "requirements.lock": ("--python-version", "3.11", "pyproject.toml"),
    "requirements-dev.lock": ("--python-version", "3.11", "--group", "dev", "-c", "requirements.lock"),
}


def is_here(root: Path) -> bool:
    """Whether the platform at `root` is this checkout, so that MOP's own code is worked on too."""
    return root == ROOT and (ROOT / "pyproject.toml").is_file()


def require() -> None:
    """Raises UsageError where there is no checkout."""
    if not (ROOT / "pyproject.toml").is_file():
        raise UsageError(
            "this is an installed MOP, without its tests and tools",
            hint="run it in a checkout of MOP: ./inv test",
        )


def run(context: Any, *command: str) -> int:
    """Run a tool of this environment in the checkout; its exit code. Raises ToolError if it is not installed."""
    beside = Path(sys.executable).with_name(command[0])
    program = str(beside) if beside.exists() else shutil.which(command[0])
    if program is None:
        raise ToolError(
            f"{command[0]} is not installed",
            hint="`./inv test` and `./inv lint` install it; in an environment of your own: pip install --group dev",
        )
    with context.cd(shlex.quote(str(ROOT))):
        # A shell's quoting is invoke's way of running; nothing here comes from outside but what follows `--`.
        result = context.run(
            shlex.join([program, *command[1:]]), warn=True, in_stream=False, pty=_is_terminal()
        )
    return int(result.exited)


def _is_terminal() -> bool:
    return sys.stdout.isatty()
