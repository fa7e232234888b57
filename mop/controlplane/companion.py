"""The one background process of MOP's own: the way out of the API server, the volumes, the size of the logs.

python -m mop.controlplane.companion FOLDER KUBELET-PORT
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from mop.controlplane import egress
from mop.controlplane.layout import Layout
from mop.controlplane.members import COMPANION

#: A log that grew beyond this many bytes is moved to `.1` and begun anew; looked at every so many seconds.
LOG_LIMIT = 8 * 1024 * 1024
LOG_PACE = 10.0


def main(folder: Path, kubelet: int) -> None:
    """Run until SIGTERM."""
    os.umask(0o077)
    os.chdir(folder)
    asyncio.run(_run(Layout(folder), kubelet))


async def _run(layout: Layout, kubelet: int) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    routes = egress.Routes(layout.routes, kubelet)
    tasks = [
        asyncio.create_task(egress.serve(layout.folder, routes, _say)),
        asyncio.create_task(_volumes(layout)),
        asyncio.create_task(_bound_logs(layout)),
        asyncio.create_task(stopped.wait()),
    ]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for task in done:
        task.result()


async def _volumes(layout: Layout) -> None:
    # Imported when the proxy serves already: the API server is not kept waiting for a client library.
    await asyncio.sleep(0.1)
    from mop.controlplane.volumes import bind_claims

    await bind_claims(layout.kubeconfig_of(COMPANION), _say)


async def _bound_logs(layout: Layout) -> None:
    while True:
        for log in layout.logs.glob("*.log"):
            bound(log, LOG_LIMIT)
        await asyncio.sleep(LOG_PACE)


def bound(log: Path, limit: int) -> bool:
    """Copy a log of more than `limit` bytes to `.1` and empty it; its writer appends: it goes on at 0."""
    try:
        if log.stat().st_size <= limit:
            return False
        old = log.with_suffix(".log.1")
        old.write_bytes(log.read_bytes()[-limit:])
        os.truncate(log, 0)
    except OSError as error:
        _say(f"{log}: {error}")
        return False
    return True


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
