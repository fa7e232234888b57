"""The control plane's own life: started, found again, broken, mended, stopped. Each test has one of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mop.controlplane import ControlPlane, Endpoint, starting
from mop.controlplane.binaries import PROGRAMS
from mop.engines import cluster as engine
from mop.errors import ControlPlaneError
from mop.manifest import Manifest, ref
from mop.model import Target

MARK: Manifest = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "mark", "namespace": "default"},
    "data": {"was": "here"},
}


START = """
import pathlib, sys
from mop.controlplane import ControlPlane
print(ControlPlane(pathlib.Path(sys.argv[1])).start().server)
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A platform's folder, with whatever runs for it stopped at the end."""
    yield tmp_path
    ControlPlane(tmp_path).stop(delete=True)
    assert processes_of(tmp_path) == {}


def command_lines() -> str:
    """Every process: pid and arguments."""
    return subprocess.run(["ps", "-wweo", "pid=,args="], capture_output=True, text=True, check=True).stdout


def processes_of(root: Path) -> dict[int, str]:
    """Processes whose command line names the folder: pid → program."""
    listed = command_lines()
    rows = (line.split(None, 2) for line in listed.splitlines() if f"{root}/.mop/cluster" in line)
    return {int(row[0]): row[1] for row in rows}


def pids(plane: ControlPlane) -> dict[str, int]:
    """Member → pid."""
    return {member.name: member.pid for member in plane.status().members}


def kill(pid: int) -> None:
    """End a process at once, and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    while (
        Path(f"/proc/{pid}").exists()
        and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    ):
        time.sleep(0.01)


def connect(root: Path, endpoint: Endpoint) -> engine.LightkubeCluster:
    """A connection to it."""
    return engine.connect(Target("embedded"), root, endpoint)


def test_it_starts_quickly_on_loopback_alone_and_for_its_owner_alone(root: Path) -> None:
    plane = ControlPlane(root)
    assert plane.status().state == "stopped"
    assert plane.endpoint() is None

    begun = time.monotonic()
    endpoint = plane.start()
    took = time.monotonic() - begun

    assert took < 60, "some 5 s on two idle cores; more than this is a defect, not a busy machine"
    assert endpoint.token not in repr(endpoint)
    state = plane.status()
    assert state.state == "running"
    assert state.endpoint == endpoint == plane.endpoint()
    assert all(member.pid and member.memory and member.version for member in state.members)
    for path in [state.folder, *state.folder.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.lstat().st_mode) == wanted, path
    assert plane.start() == endpoint, "a second start finds it running"
    assert listening(set(pids(plane).values())) == {"127.0.0.1"}
    assert endpoint.token not in command_lines()


def listening(owners: set[int]) -> set[str]:
    """The addresses that these processes listen on (Linux)."""
    inodes = {
        str(entry.readlink())
        for pid in owners
        for entry in Path(f"/proc/{pid}/fd").iterdir()
        if entry.is_symlink()
    }
    found = set()
    for table, family, width in (("tcp", socket.AF_INET, 4), ("tcp6", socket.AF_INET6, 16)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                words = bytes.fromhex(fields[1].partition(":")[0])
                raw = b"".join(words[at : at + 4][::-1] for at in range(0, width, 4))
                found.add(socket.inet_ntop(family, raw))
    return found


def test_stop_leaves_no_process_and_keeps_what_the_cluster_holds(root: Path) -> None:
    plane = ControlPlane(root)
    first = plane.start()
    connect(root, first).create(MARK)

    assert plane.stop()

    assert processes_of(root) == {}
    assert plane.status().state == "stopped"
    assert plane.endpoint() is None
    assert not plane.stop(), "there is nothing to stop any more"
    second = plane.start()
    assert second == first, "address and token stay, so that copies of the kubeconfig stay right"
    assert connect(root, second).get(ref(MARK)) is not None
    plane.stop(delete=True)
    assert not plane.status().folder.exists()


def test_a_killed_member_is_started_anew_and_the_others_stay(root: Path) -> None:
    plane = ControlPlane(root)
    endpoint = plane.start()
    connect(root, endpoint).create(MARK)
    before = pids(plane)

    kill(before["kube-apiserver"])
    assert plane.status().state == "partly"
    assert plane.endpoint() is None
    again = plane.start()

    assert again == endpoint
    assert connect(root, again).get(ref(MARK)) is not None
    after = pids(plane)
    assert [name for name in before if before[name] != after[name]] == ["kube-apiserver"]


def test_a_stale_state_is_replaced(root: Path) -> None:
    plane = ControlPlane(root)
    endpoint = plane.start()
    connect(root, endpoint).create(MARK)
    for pid in pids(plane).values():
        kill(pid)
    assert plane.status().state == "stopped"

    again = plane.start()

    assert plane.status().state == "running"
    assert connect(root, again).get(ref(MARK)) is not None


def test_a_taken_port_is_given_up(root: Path) -> None:
    plane = ControlPlane(root)
    first = plane.start()
    plane.stop()

    with socket.create_server(("127.0.0.1", int(first.server.rpartition(":")[2]))):
        second = plane.start()

    assert second.server != first.server
    assert str(second.server) in second.kubeconfig.read_text()
    assert plane.status().state == "running"


def test_a_port_that_is_taken_in_the_last_moment_costs_one_more_attempt(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    plane = ControlPlane(root, progress=said.append)
    taken = socket.create_server(("127.0.0.1", 0))
    choices = iter([[taken.getsockname()[1], *starting.free_ports(5)], starting.free_ports(6)])
    monkeypatch.setattr(starting, "free_ports", lambda _count: next(choices))

    with taken:
        plane.start()

    assert plane.status().state == "running"
    assert [line for line in said if "took a port meanwhile" in line]


def test_a_member_that_does_not_come_up_is_named_with_its_last_words_and_nothing_is_left(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = root / "assets"
    assets.mkdir()
    version = next(one.version for one in PROGRAMS if one.name == "kube-scheduler")
    script = (
        f'#!/bin/sh\n[ "$1" = --version ] && echo Kubernetes {version} && exit\necho I will not >&2\nexit 3\n'
    )
    (assets / "kube-scheduler").write_text(script)
    (assets / "kube-scheduler").chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    with pytest.raises(ControlPlaneError) as caught:
        ControlPlane(root).start()

    assert caught.value.message.startswith("kube-scheduler ended while the control plane started")
    assert "I will not" in caught.value.message
    assert "logs/kube-scheduler.log" in caught.value.hint
    assert processes_of(root) == {}


def test_two_processes_that_start_at_once_share_one(root: Path) -> None:
    command = [sys.executable, "-c", START, str(root)]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    servers = {process.communicate(timeout=300)[0] for process in both}

    assert [process.returncode for process in both] == [0, 0]
    assert len(servers) == 1
    assert len(processes_of(root)) == len(ControlPlane(root).status().members)


def test_an_interrupted_start_leaves_no_process(root: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", START, str(root)], stderr=subprocess.DEVNULL)
    while not any("kube-apiserver" in program for program in processes_of(root).values()):
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)

    assert processes_of(root) == {}


def test_a_removed_folder_ends_its_members(root: Path) -> None:
    plane = ControlPlane(root)
    plane.start()

    shutil.rmtree(plane.status().folder)

    deadline = time.monotonic() + 60
    while processes_of(root):
        assert time.monotonic() < deadline
        time.sleep(0.1)
