"""One `go build`, with progress. Its result is put in place by one rename: a killed build leaves no half."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from mop.controlplane.facts import Progress
from mop.controlplane.toolchain import environment
from mop.errors import ToolError

#: Seconds between two lines about one build.
PACE = 15.0

_HINTS = {
    "no space left on device": "the build needs 6 GB: free some, or move GOCACHE, GOMODCACHE, MOP_CACHE_DIR",
    "dial tcp": "Go modules come from GOPROXY; what was downloaded and compiled is kept, so run it again",
    "signal: killed": "the compiler was killed, mostly for want of memory: run it again when 3 GB are free",
    "SECURITY ERROR": "the module proxy serves something else than what go.sum pins: nothing was built",
}


def build(
    go: str, folder: Path, package: str, stamps: Mapping[str, str], destination: Path, progress: Progress
) -> None:
    """Build `package`, as `folder`/go.mod pins it, into the file `destination`; ToolError has go's words.

    What was compiled stays in Go's own build cache, so that a build that was interrupted goes on.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{destination.name}.{os.getpid()}")
    linker = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in stamps.items())])
    command = [go, "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", linker]
    began = time.monotonic()
    try:
        _run([*command, "-o", str(temporary), package], folder, destination.name, progress)
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)
    progress(f"built {destination.name} in {time.monotonic() - began:.0f} s")


def _run(command: list[str], folder: Path, name: str, progress: Progress) -> None:
    began = said = time.monotonic()
    compiled = downloaded = 0
    last: deque[str] = deque(maxlen=30)
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            if line.startswith("go: downloading"):
                downloaded += 1
            elif " " not in line.strip():
                compiled += 1
            else:
                last.append(line.rstrip())
            if time.monotonic() - said >= PACE:
                said = time.monotonic()
                progress(f"  {name}: {downloaded} modules, {compiled} packages, {said - began:.0f} s")
        if process.wait():
            raise _failed(name, "\n".join(last))


def _failed(name: str, words: str) -> ToolError:
    hint = next((hint for sign, hint in _HINTS.items() if sign in words), "")
    return ToolError(f"go could not build {name}:\n{words}", hint=hint)
