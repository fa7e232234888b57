"""What Go itself says: the program under tests/go/yamljudge, built once for each state of its sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import platformdirs
import pytest

from mop.files import sha256

SOURCES = Path(__file__).parents[2] / "go" / "yamljudge"


class Refused(Exception):
    """Go answered with an error."""


class Judge:
    """One running judge; ask it from any thread."""

    def __init__(self, binary: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", bufsize=1
        )

    def ask(self, do: str, *args: str) -> str:
        """Go's answer; raises Refused with Go's words."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"do": do, "args": args}) + "\n")
            self._process.stdin.flush()
            reply = json.loads(self._process.stdout.readline())
        if error := reply.get("error"):
            raise Refused(error)
        return str(reply["text"])

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


def built() -> Path:
    """The judge's binary. Without Go the tests are skipped, in CI they fail."""
    digest = sha256("".join(f"{p.name}\0{p.read_text()}" for p in sorted(SOURCES.iterdir())))[:16]
    binary = Path(platformdirs.user_cache_dir("mop")) / "tests" / f"yamljudge-{digest}"
    if binary.exists():
        return binary
    go = shutil.which("go")
    if go is None:
        message = "these tests ask Go's own libraries, and there is no go on the PATH"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    binary.parent.mkdir(parents=True, exist_ok=True)
    building = binary.with_suffix(f".{os.getpid()}")
    subprocess.run(
        [go, "build", "-trimpath", "-o", building, "."], cwd=SOURCES, check=True, env=_environment()
    )
    building.replace(binary)
    return binary


def _environment() -> dict[str, str]:
    return {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
