"""Do something about every object of a kind, now and after each of its changes, for as long as the cluster lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Say = Callable[[str], None]
Object = dict[str, Any]
Act = Callable[[Object], Awaitable[None]]

#: Seconds between two attempts where the API server does not answer.
PAUSE = 1.0


async def follow(
    what: str, watch: Callable[[], Any], act: Callable[[Object], Awaitable[None]], say: Say
) -> None:
    """`act` on every object that `watch` gives, until cancelled; an API server that is away is waited for."""
    quiet = False
    while True:
        try:
            async for event, item in watch():
                quiet = False
                if event != "DELETED":
                    await act(item.to_dict())
        except Exception as error:  # noqa: BLE001 - must outlive whatever the API server or a library does
            if not quiet:
                say(f"watching {what}: {error!r}; trying again every {PAUSE:.0f} s")
            quiet = True
        await asyncio.sleep(PAUSE)
