"""`./inv`, from a bare checkout to a command that starts at once: real virtual environments, a real pip.

The one package comes from an index on loopback, and prints how the launcher called it.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.unit.package_index import Index, lock, package_index

LAUNCHER = Path(__file__).parents[2] / "inv"
CLOSED_PORT = "http://127.0.0.1:9/simple"  # the discard service: nothing listens


class Checkout:
    """A folder with the launcher and its lock files, and an environment without the user's pip settings."""

    def __init__(self, root: Path, index: str) -> None:
        self.root = root
        root.mkdir(parents=True)
        shutil.copy2(LAUNCHER, root / "inv")
        (root / "mop").mkdir()
        (root / "mop/__init__.py").write_text("")
        (root / "mop/__main__.py").write_text("from standin import main\ninv = main\n")
        (root / "requirements.lock").write_text(lock("1.0"))
        (root / "requirements-dev.lock").write_text(lock("1.0"))
        home = root.parent / "home"
        home.mkdir(exist_ok=True)
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index,
            "PIP_RETRIES": "0",
            "NO_PROXY": "127.0.0.1",
        }

    def start(self, *arguments: str, folder: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-IS", str(self.root / "inv"), *arguments],
            cwd=folder or self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal to it and its pip, and to nothing else
        )

    def run(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, folder=folder)
        out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    with package_index(("1.0", "2.0")) as served:
        yield served


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, index: Index) -> Checkout:
    """A checkout whose first `./inv` has run."""
    made = Checkout(tmp_path_factory.mktemp("launcher") / "a checkout", index.url)
    made.first = made.run("--list", "--json")  # type: ignore[attr-defined]
    return made


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """The file with another content, for a while."""
    before = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


def called(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_the_first_call_makes_the_environment_and_says_so_on_standard_error(checkout: Checkout) -> None:
    first = checkout.first  # type: ignore[attr-defined]
    assert called(first)["arguments"] == ["--search-root", str(checkout.root), "--list", "--json"]
    assert called(first)["python"] == str(checkout.root / ".venv/bin/python")
    assert [line.split(" Python ")[0] for line in first.stderr.splitlines()[:2]] == [
        "inv: making .venv with",
        "inv: installing 1 packages from requirements.lock, once",
    ]
    assert "inv: ready after" in first.stderr


def test_later_calls_ask_nothing_of_pip(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checkout.environment, "PIP_INDEX_URL", CLOSED_PORT)
    second = checkout.run("render")
    assert called(second)["version"] == "1.0"
    assert second.stderr == ""


def test_it_works_from_any_folder_and_leaves_the_working_directory_alone(
    checkout: Checkout, tmp_path: Path
) -> None:
    below = checkout.root / "environments" / "local"
    below.mkdir(parents=True, exist_ok=True)
    for folder in (below, tmp_path):
        answer = called(checkout.run("show", folder=folder))
        assert answer["folder"] == str(folder)
        assert answer["arguments"] == ["--search-root", str(checkout.root), "show"]


def test_a_link_to_it_means_the_checkout_that_it_points_to(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "inv"
    link.symlink_to(checkout.root / "inv")
    result = subprocess.run(
        [sys.executable, "-IS", str(link)],
        env=checkout.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert called(result)["python"] == str(checkout.root / ".venv/bin/python")


def test_mop_is_a_program_of_the_environment(checkout: Checkout, tmp_path: Path) -> None:
    program = checkout.root / ".venv/bin/mop"  # below a folder whose name has a space
    ran = subprocess.run([program, "render"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert called(ran)["arguments"] == ["render"]


def test_modules_of_the_working_directory_do_not_get_in_the_way(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    assert called(checkout.run("render", folder=tmp_path))["version"] == "1.0"


def test_a_changed_lock_file_is_installed_and_the_old_one_again(checkout: Checkout) -> None:
    with changed(checkout.root / "requirements.lock", lock("2.0")):
        updated = checkout.run("render")
        assert called(updated)["version"] == "2.0"
        assert "installing 1 packages from requirements.lock" in updated.stderr
        assert "making .venv" not in updated.stderr
        assert checkout.run("render").stderr == ""
    assert called(checkout.run("render"))["version"] == "1.0"


def test_only_the_commands_of_development_install_the_second_lock_file(checkout: Checkout) -> None:
    assert "requirements-dev.lock" not in checkout.run("render").stderr
    assert "installing 1 packages from requirements-dev.lock" in checkout.run("test").stderr
    assert checkout.run("lint").stderr == ""


def test_without_a_network_the_message_says_so_and_the_old_environment_survives(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with changed(checkout.root / "requirements.lock", lock("2.0")), monkeypatch.context() as patch:
        patch.setitem(checkout.environment, "PIP_INDEX_URL", CLOSED_PORT)
        patch.setitem(checkout.environment, "PIP_RETRIES", "1")
        failed = checkout.run("render")
        assert failed.returncode == 1
        assert failed.stdout == ""
        assert "no answer from the package index" in failed.stderr
        assert "the package index cannot be reached, so requirements.lock is not installed" in failed.stderr
        assert "pip config list" in failed.stderr
        assert "Traceback" not in failed.stderr
    back = checkout.run("render")
    assert called(back)["version"] == "1.0"
    assert back.stderr == ""


def test_a_wheel_that_is_not_what_the_lock_says_is_refused(checkout: Checkout) -> None:
    with changed(
        checkout.root / "requirements.lock", lock("2.0").replace("sha256:", "sha256:0000")[:-5] + "\n"
    ):
        refused = checkout.run("render")
    assert refused.returncode == 1
    assert "pip could not install requirements.lock" in refused.stderr
    assert "HASHES" in refused.stderr
    assert called(checkout.run("render"))["version"] == "1.0"


def test_a_version_without_a_wheel_for_this_machine_is_said(checkout: Checkout) -> None:
    with changed(checkout.root / "requirements.lock", lock("2.0").replace("==2.0", "==3.0")):
        missing = checkout.run("render")
    assert missing.returncode == 1
    assert "requirements.lock has no wheel for this machine" in missing.stderr


def test_an_interpreter_that_was_upgraded_away_makes_a_new_environment(checkout: Checkout) -> None:
    (checkout.root / ".venv/inv/interpreter").write_text("/usr/bin/python3.10")
    renewed = checkout.run("render")
    assert called(renewed)["version"] == "1.0"
    assert renewed.stderr.startswith("inv: making .venv with Python")


def test_an_interrupted_set_up_is_started_again(tmp_path: Path, index: Index) -> None:
    checkout = Checkout(tmp_path / "interrupted", index.url)
    with held(index):
        first = checkout.start("render")
        assert index.asked.wait(120)
        os.killpg(first.pid, signal.SIGINT)
        index.gate.set()
        out, err = first.communicate()
    assert (first.returncode, out) == (130, "")
    assert "inv: interrupted; the next ./inv starts the set-up again" in err
    assert "Traceback" not in err
    again = checkout.run("render")
    assert called(again)["version"] == "1.0"
    assert "an earlier set-up was interrupted; starting again" in again.stderr


def test_of_two_at_once_one_installs_and_the_other_waits(tmp_path: Path, index: Index) -> None:
    checkout = Checkout(tmp_path / "twice", index.url)
    with held(index):
        first = checkout.start("render")
        assert index.asked.wait(120)
        second = checkout.start("show")
        assert second.stderr is not None
        assert second.stderr.readline() == "inv: another ./inv is setting up .venv; waiting for it\n"
        index.gate.set()
        results = [(p.communicate(), p.returncode) for p in (first, second)]
    assert [code for _, code in results] == [0, 0]
    assert [json.loads(out)["arguments"][-1] for (out, _), _ in results] == ["render", "show"]
    assert len(index.downloads) == 1


def test_an_environment_of_somebody_elses_making_is_kept(tmp_path: Path, index: Index) -> None:
    checkout = Checkout(tmp_path / "adopted", index.url)
    subprocess.run([sys.executable, "-m", "venv", checkout.root / ".venv"], check=True)
    mine = checkout.root / ".venv/mine.txt"
    mine.write_text("kept")
    adopted = checkout.run("render")
    assert called(adopted)["version"] == "1.0"
    assert ".venv is not of ./inv's making" in adopted.stderr
    assert mine.read_text() == "kept"


@contextmanager
def held(index: Index) -> Iterator[None]:
    """Downloads wait at the gate, until the test opens it."""
    index.downloads.clear()
    index.asked.clear()
    index.gate.clear()
    try:
        yield
    finally:
        index.gate.set()


# ---------------------------------------------------------------- finding an interpreter


@pytest.fixture
def launcher() -> ModuleType:
    """The launcher as a module: what it defines, nothing run."""
    loader = SourceFileLoader("launcher", str(LAUNCHER))
    spec = spec_from_loader("launcher", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def old_python(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Run the launcher as Python 3.9 would, with these programs on PATH."""

    def arrange(**programs: str) -> None:
        monkeypatch.setattr(
            launcher,
            "sys",
            SimpleNamespace(
                version_info=(3, 9, 2, "final", 0), executable="/usr/bin/python3", stderr=sys.stderr
            ),
        )
        for name, script in programs.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return arrange


def test_an_old_python_finds_a_newer_one_behind_a_shim_that_fails(
    launcher: ModuleType, old_python: Callable[..., None], tmp_path: Path
) -> None:
    old_python(python3_14="echo 'not installed' >&2; exit 127", python3_12=f'exec "{sys.executable}" "$@"')
    python, version = launcher.find_python()
    assert python == str(tmp_path / "python3.12")
    assert version == ".".join(map(str, sys.version_info[:3]))


def test_without_any_newer_python_the_message_names_what_is_needed_and_found(
    launcher: ModuleType, old_python: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    old_python()
    with pytest.raises(SystemExit) as ended:
        launcher.find_python()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "inv: Python 3.11 to 3.14 is needed; found 3.9.2 (/usr/bin/python3), "
        "and none of python3.14, python3.13, python3.12, python3.11 on PATH\n"
        "  Install one and run ./inv again, or name one that is elsewhere: /path/to/python3.12 inv --list\n"
    )


def test_a_python_without_venv_is_told_how_to_get_it(
    launcher: ModuleType, old_python: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Debian ships the interpreter without ensurepip; here the same is done to this one.
    (tmp_path / "debian.py").write_text(
        "import importlib.util as util, sys\n"
        "real = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'ensurepip' else real(name, *rest)\n"
        "exec(sys.argv[1])\n"
    )
    old_python(python3_13=f'exec "{sys.executable}" "{tmp_path}/debian.py" "$3"')
    with pytest.raises(SystemExit):
        launcher.find_python()
    minor = ".".join(map(str, sys.version_info[:2]))
    assert capsys.readouterr().err == (
        f"inv: {tmp_path}/python3.13 has no module ensurepip\n"
        f"  Debian and Ubuntu: apt-get install python{minor}-venv. Then run ./inv again.\n"
    )


def test_a_python_as_old_as_3_6_can_read_it() -> None:
    ast.parse(LAUNCHER.read_text(), feature_version=(3, 6))


def test_a_folder_that_cannot_be_written_is_a_message(tmp_path: Path, index: Index) -> None:
    checkout = Checkout(tmp_path / "full", index.url)
    (checkout.root / ".venv").write_text("a file in the way")
    failed = checkout.run("render")
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"inv: cannot set up {checkout.root}/.venv: ")
    assert "Traceback" not in failed.stderr
