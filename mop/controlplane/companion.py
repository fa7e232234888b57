"""The one background process of MOP's own: the way out of the API server, the volumes, and keeping house.

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
from mop.controlplane.members import COMPANION, MEMBERS
from mop.controlplane.processes import end
from mop.controlplane.record import Record, grace

#: A log that grew beyond this many bytes is moved to `.1` and begun anew.
LOG_LIMIT = 8 * 1024 * 1024

#: Seconds between two looks at the record and the logs. Short, because a member that was started between the last
#: look and a removal of the folder would be missed; a look is a read and a few stats.
PACE = 0.25

#: Seconds that the record has to name this process at all.
LOST = 30.0


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
        asyncio.create_task(_simulate(layout)),
        asyncio.create_task(_keep_house(layout)),
        asyncio.create_task(stopped.wait()),
    ]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for task in done:
        task.result()


async def _simulate(layout: Layout) -> None:
    # Imported when the proxy serves already: the API server is not kept waiting for a client library.
    await asyncio.sleep(0.1)
    from mop.controlplane.volumes import bind_claims
    from mop.controlplane.webhooks import mute_webhooks

    kubeconfig = layout.kubeconfig_of(COMPANION)
    await asyncio.gather(bind_claims(kubeconfig, _say), mute_webhooks(kubeconfig, _say))


async def _keep_house(layout: Layout) -> None:
    """Bound the logs for as long as the record names this process.

    When it does not any more, somebody removed the folder: the other members would run for ever, known to nobody.
    """
    known = Record(layout.record)
    begun = time.monotonic()
    while True:
        latest = Record.load(layout.record)
        if COMPANION in latest.processes and latest.processes[COMPANION].pid == os.getpid():
            known = latest
        elif known.processes or time.monotonic() - begun > LOST:
            break
        for log in layout.logs.glob("*.log"):
            bound(log, LOG_LIMIT)
        await asyncio.sleep(PACE)
    for member in reversed(MEMBERS):
        process = known.alive(member)
        if process is not None and member != COMPANION:
            end(process, grace(member))


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
