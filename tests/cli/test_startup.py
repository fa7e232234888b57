"""What a run imports: the cost that every call pays. bench/startup.py measures the time, this holds the cause."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import clean_environ

#: Packages that take 10 ms or more to import, or load a foreign library.
HEAVY = {
    "_gojsonnet",
    "cryptography",
    "google_re2",
    "helm_python",
    "httpx2",
    "hypothesis",
    "jsonschema",
    "jsonschema_rs",
    "kubernetes_validate",
    "lightkube",
    "msgspec",
    "re2",
    "referencing",
    "rich",
    "yaml",
}


def imported(folder: Path, home: Path, *arguments: str) -> set[str]:
    """The modules that `mop ARGUMENTS` imports."""
    command = [sys.executable, "-X", "importtime", "-m", "mop", *arguments]
    ran = subprocess.run(
        command, cwd=folder, env=clean_environ(home, {}), capture_output=True, text=True, check=True
    )
    lines = [line for line in ran.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("arguments", [["--list"], ["render", "--help"]])
def test_help_imports_neither_an_engine_nor_doit(
    platform: Path, tmp_path: Path, arguments: list[str]
) -> None:
    found = imported(platform, tmp_path, *arguments)
    assert "invoke.program" in found
    assert not found & (HEAVY | {"doit", "mop.runner", "mop.graph", "mop.config"})


def test_a_render_with_nothing_to_do_imports_nothing_heavy(platform: Path, tmp_path: Path) -> None:
    imported(platform, tmp_path, "render")
    found = imported(platform, tmp_path, "render")
    assert "doit.task" in found
    assert not found & HEAVY


def test_invokes_own_yaml_is_there_once_a_configuration_file_asks_for_it(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from mop import deferred\n"
        "deferred.install()\n"
        "import invoke.main\n"
        "loaded = [sys.modules.get('invoke.vendor.yaml.reader') is not None]\n"
        "from invoke.config import Config\n"
        "config = Config(project_location='.', lazy=True)\n"
        "config.load_project()\n"
        "loaded.append(sys.modules.get('invoke.vendor.yaml.reader') is not None)\n"
        "print(loaded, config.run.echo)\n"
    )
    (tmp_path / "invoke.yaml").write_text("run:\n  echo: true\n")
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[False, True] True\n"


def test_a_reader_that_goes_away_is_no_error(platform: Path, tmp_path: Path) -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "mop", "--list"],
        cwd=platform,
        env=clean_environ(tmp_path, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert listing.stdout is not None
    listing.stdout.close()
    _, err = listing.communicate()
    assert err == ""
    assert listing.returncode == 1
