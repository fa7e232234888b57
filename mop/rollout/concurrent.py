"""Work spread over threads that ends cleanly: on Ctrl-C nothing new begins, what is in flight is awaited."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Requests in flight at once for one component: more gain nothing against one API server.
WORKERS = 8


class Stop:
    """Asked for once, from any thread (the main thread gets Ctrl-C, workers do the work); seen by all."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Begin nothing new."""
        self._event.set()


def each(
    action: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    stop: Stop | None = None,
    workers: int = WORKERS,
) -> list[Result]:
    """`action` of every item, results in their order. An exception is raised once all in flight has ended.

    With `stop` set, or on KeyboardInterrupt, what has not begun is dropped, and KeyboardInterrupt is raised.
    """
    todo = list(items)
    if len(todo) <= 1:
        return [_unless(stop, action, item) for item in todo]
    with ThreadPoolExecutor(min(workers, len(todo)), thread_name_prefix="mop-cluster") as pool:
        futures = [pool.submit(_unless, stop, action, item) for item in todo]
        try:
            _until_failure(futures)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _unless(stop: Stop | None, action: Callable[[Item], Result], item: Item) -> Result:
    if stop:
        raise KeyboardInterrupt
    return action(item)


def _until_failure(futures: list[Future[Result]]) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
