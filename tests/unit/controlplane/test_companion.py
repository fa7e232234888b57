"""The companion keeps logs small without asking their writers."""

from __future__ import annotations

import os
from pathlib import Path

from mop.controlplane.companion import bound


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_text("a line\n")

    assert not bound(log, 100)
    assert log.read_text() == "a line\n"


def test_a_log_that_grew_too_long_is_begun_anew_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(writer, b"old " * 100)

    assert bound(log, 100)
    os.write(writer, b"new")
    os.close(writer)

    assert log.read_bytes() == b"new"
    assert (tmp_path / "etcd.log.1").read_bytes() == b"old " * 25


def test_a_log_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    assert not bound(tmp_path / "etcd.log", 100)
