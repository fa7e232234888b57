"""The small Go programs under tests/go, each built once for each state of its sources."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import platformdirs
import pytest

from mop.files import sha256

SOURCES = Path(__file__).parents[2] / "go"


def built(name: str) -> Path:
    """The program's path. Without Go the test is skipped, in CI it fails."""
    source = SOURCES / name
    digest = sha256("".join(f"{path.name}\0{path.read_text()}" for path in sorted(source.iterdir())))[:16]
    binary = platformdirs.user_cache_path("mop") / "tests" / f"{name}-{digest}"
    if binary.exists():
        return binary
    go = shutil.which("go")
    if go is None:
        message = "this test asks Go's own libraries, and there is no go on the PATH"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    binary.parent.mkdir(parents=True, exist_ok=True)
    building = binary.with_suffix(f".{os.getpid()}")
    environment = {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    subprocess.run([go, "build", "-trimpath", "-o", building, "."], cwd=source, check=True, env=environment)
    building.replace(binary)
    return binary
