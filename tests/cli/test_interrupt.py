"""Ctrl-C at any moment: exit 130, a line that says so, and the next run makes it whole."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Mop, clean_environ, write

#: Enough to evaluate that a signal falls into the middle of it on any machine.
SLOW = """{
  maps: [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm%d' % i }, data: { x: std.repeat('x', i) } }
    for i in std.range(1, 1500)
  ],
}"""


@pytest.mark.parametrize("delay", [0.05, 0.3, 0.6, 0.9, 1.2])
def test_an_interrupted_render_leaves_nothing_half_written(
    platform: Path, mop: Mop, tmp_path: Path, delay: float
) -> None:
    write(platform, {"lib/web.libsonnet": SLOW})
    process = subprocess.Popen(
        [sys.executable, "-m", "mop", "render"],
        cwd=platform,
        env=clean_environ(tmp_path, {}),
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # Before MOP has read its own modules Python itself ends, by the signal; after the work is done the exit is 0.
    assert process.returncode in (130, 0, -signal.SIGINT), err
    if process.returncode == 130:
        assert "interrupted" in err
        assert "Traceback" not in err
    assert [p for p in (platform / ".mop").rglob(".*.*") if p.is_file()] == [], "no temporary files"
    for path in (platform / ".mop/rendered").rglob("*.yaml"):
        assert path.read_text().endswith("\n"), f"{path.name} is whole"
    after = mop(platform, "render")
    assert after.code == 0, after.err
    assert len(list((platform / ".mop/rendered/dev/web").iterdir())) == 1500
