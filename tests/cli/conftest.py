"""The program as its user runs it: a process in a folder, its exit code, and what it printed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Result:
    """How a process ended."""

    code: int
    out: str
    err: str


Mop = Callable[..., Result]


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """A platform folder with one environment `dev` of one component `web`, in plain Jsonnet."""
    root = tmp_path / "platform"
    write(
        root,
        {
            "mop.yaml": MOP_YAML,
            "environments/dev/main.jsonnet": "{ web: (import 'web.libsonnet') }",
            "lib/web.libsonnet": WEB,
        },
    )
    return root


@pytest.fixture
def mop(tmp_path: Path) -> Iterator[Mop]:
    """Runs `mop ARGUMENTS` in a folder, with an empty home and a cache of its own."""

    def run(
        root: Path, *arguments: str, environ: Mapping[str, str] | None = None, timeout: float = 120
    ) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "mop", *arguments],
            cwd=root,
            env=clean_environ(tmp_path, environ or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    yield run


def clean_environ(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """An environment without the user's settings; the compiled caches of Python stay where they are."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(home), "MOP_CACHE_DIR": str(home / "cache"), "NO_COLOR": "1", **extra}


def write(root: Path, files: Mapping[str, str]) -> None:
    """Make the files, and their folders."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


MOP_YAML = """\
version: 1
platform: shop
kubernetes: "1.34"
components:
  web: {}
environments:
  dev:
    target: embedded
    components: [web]
"""

WEB = """\
{
  deployment: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{
          name: 'web',
          image: 'registry.example.com/web:1.2.3',
          ports: [{ name: 'http', containerPort: 8080 }],
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } },
          readinessProbe: { httpGet: { path: '/', port: 'http' } },
          livenessProbe: { httpGet: { path: '/', port: 'http' } },
        }] },
      },
    },
  },
  secret: {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web' },
    stringData: { password: 'correct-horse' },
  },
}
"""
