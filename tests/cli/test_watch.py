"""`render --watch`: an edit is rendered, a mistake is shown and waited out, Ctrl-C ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.cli.conftest import WEB, clean_environ, write


class Watching:
    """A `mop render --watch` whose lines are read as they come."""

    def __init__(self, root: Path, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mop", "render", "--watch"],
            cwd=root,
            env=clean_environ(home, {}),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._came = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._came:
                self.lines.append(line)
                self._came.notify_all()

    def until(self, *texts: str) -> None:
        """Wait until lines came that hold `texts`, in this order; then forget them."""
        for text in texts:
            with self._came:
                assert self._came.wait_for(lambda text=text: any(text in line for line in self.lines), 60), (
                    f"{text!r} in {self.lines}"
                )
                at = next(index for index, line in enumerate(self.lines) if text in line)
                del self.lines[: at + 1]


def test_edits_are_rendered_until_ctrl_c(platform: Path, tmp_path: Path) -> None:
    watching = Watching(platform, tmp_path)
    try:
        watching.until("2 objects", "Ctrl-C ends it")
        write(platform, {"lib/web.libsonnet": WEB.replace("replicas: 2", "replicas: 3")})
        watching.until("changed: lib/web.libsonnet", "render:dev:web")
        write(platform, {"lib/web.libsonnet": "{"})
        watching.until("lib/web.libsonnet:1")
        write(platform, {"lib/web.libsonnet": WEB})
        watching.until("render:dev:web")
        watching.process.send_signal(signal.SIGINT)
        watching.until("interrupted")
        assert watching.process.wait(30) == 130
    finally:
        watching.process.kill()
