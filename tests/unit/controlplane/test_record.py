"""The record of what runs survives anything that can happen to its file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.controlplane.processes import Process, born
from mop.controlplane.record import Record


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    record = Record(
        tmp_path / "processes.json", {"etcd": 2379}, {"etcd": Process(7, "boot:1")}, {"etcd": "v3.7.3"}
    )

    record.save()

    assert Record.load(record.file) == record
    assert stat.S_IMODE(record.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"processes": {}}', '{"processes": {"a": 1}, "ports": {}}']
)
def test_a_damaged_record_is_an_empty_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "processes.json"
    file.write_text(text)

    assert Record.load(file) == Record(file)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_loading_fail(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "random.json"
    file.write_bytes(data)

    Record.load(file)


def test_a_member_is_alive_only_as_the_process_that_was_started(tmp_path: Path) -> None:
    me = os.getpid()
    record = Record(
        tmp_path / "r", {}, {"etcd": Process(me, born(me)), "kwok": Process(me, "another-boot:1")}
    )

    assert record.alive("etcd") is not None
    assert record.alive("kwok") is None
    assert record.alive("kube-scheduler") is None
