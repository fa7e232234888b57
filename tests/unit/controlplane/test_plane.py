"""The control plane where nothing runs: said to be stopped, and mistakes told in words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mop.controlplane import ControlPlane, Endpoint, starting
from mop.controlplane.members import MEMBERS
from mop.errors import ControlPlaneError


def test_where_nothing_was_started_it_is_stopped_and_nothing_is_written(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path)

    state = plane.status()

    assert state.state == "stopped"
    assert state.endpoint is plane.endpoint() is None
    assert [member.name for member in state.members] == list(MEMBERS)
    assert not plane.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_another_boot_is_stopped_and_nobody_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / ".mop" / "cluster"
    folder.mkdir(parents=True)
    stale = {name: {"pid": os.getpid(), "born": "another-boot:1", "version": "v1"} for name in MEMBERS}
    (folder / "processes.json").write_text(json.dumps({"ports": {}, "processes": stale}))
    plane = ControlPlane(tmp_path)

    assert plane.status().state == "stopped"
    assert plane.endpoint() is None
    assert not plane.stop(), "this test's own process had the recorded pid, and it still runs"
    plane.stop(delete=True)
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / ".mop").write_text("a file where a folder belongs")

    with pytest.raises(ControlPlaneError) as caught:
        ControlPlane(tmp_path).start()

    assert ".mop" in caught.value.message
    assert str(tmp_path / ".mop" / "cluster") in caught.value.hint


def test_a_token_never_shows(tmp_path: Path) -> None:
    endpoint = Endpoint("https://127.0.0.1:1", tmp_path, tmp_path, token="s3cret")

    assert "s3cret" not in f"{endpoint} {endpoint!r}"


def test_stand_ins_are_added_and_taken_back(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path)
    routes = tmp_path / ".mop" / "cluster" / "routes.json"

    plane.stand_in("198.18.0.5:3100", "127.0.0.1:41234")
    plane.stand_in("198.18.0.6:80", "127.0.0.1:41235")
    plane.stand_in("198.18.0.5:3100", None)

    assert json.loads(routes.read_text()) == {"198.18.0.6:80": "127.0.0.1:41235"}


def test_the_last_words_are_those_since_the_start(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_text("address already in use, long ago\n")
    before = log.stat().st_size
    with log.open("a") as more:
        more.writelines(f"line {number}\n" for number in range(30))

    words = starting.last_lines(log, before)

    assert "long ago" not in words
    assert words.splitlines()[-1] == "line 29"
    assert len(words.splitlines()) == 12


@pytest.mark.parametrize(("text", "offset"), [("begun anew\n", 10_000), ("begun anew\n", 0)])
def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path, text: str, offset: int) -> None:
    (tmp_path / "log").write_text(text)

    assert starting.last_lines(tmp_path / "log", offset) == "begun anew"


def test_a_silent_member_and_a_missing_log_are_told(tmp_path: Path) -> None:
    (tmp_path / "log").touch()

    assert starting.last_lines(tmp_path / "log", 0) == "(it said nothing)"
    assert starting.last_lines(tmp_path / "none", 0) == "(no log)"
