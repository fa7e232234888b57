"""Waits until objects are gone, told by watches; what holds one back is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from mop import durations
from mop.engines.protocols import Cluster
from mop.errors import NotReady
from mop.manifest import Manifest, ObjectRef, ref
from mop.problem import Problem
from mop.rollout.concurrent import Stop, each
from mop.rollout.live import Identity
from mop.rollout.news import News

_TICK = 0.5


def await_gone(
    cluster: Cluster,
    refs: Iterable[ObjectRef],
    timeout: float,
    *,
    stop: Stop | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Returns when none of `refs` is there. Raises NotReady, with a Problem for each that still is, in the end."""
    wanted = list(refs)
    left = [
        it for it, live in zip(wanted, each(cluster.get, wanted, stop=stop), strict=True) if live is not None
    ]
    if not left:
        return
    sources = sorted({(it.api_version, it.kind, it.namespace) for it in left})
    deadline = clock() + timeout
    seen: set[Identity] = set()
    with News(cluster, sources, timeout) as news:
        while True:
            seen |= news.objects.keys()
            left = [it for it in left if it.identity in news.objects or it.identity not in seen]
            # An object that went before the watch began is never told of.
            left = [it for it in left if it.identity in seen or cluster.get(it) is not None]
            if not left:
                return
            if clock() >= deadline:
                raise _still_there(left, news.objects.values(), timeout)
            news.await_any(_TICK)
            if stop:
                raise KeyboardInterrupt


def _still_there(left: list[ObjectRef], live: Iterable[Manifest], timeout: float) -> NotReady:
    held = {ref(m).identity: m["metadata"].get("finalizers") or [] for m in live}
    problems = [
        Problem(
            f"is still there, held by {', '.join(held[it.identity])}"
            if held.get(it.identity)
            else "is still there",
            object=str(it),
            hint="its controller must let go of it" if held.get(it.identity) else "",
        )
        for it in left
    ]
    return NotReady(f"{len(left)} objects are not gone after {durations.text(timeout)}", problems=problems)
