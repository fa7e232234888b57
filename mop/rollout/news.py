"""What happens to objects, as watches tell it: read in threads, taken in by one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Sequence

from mop.engines.protocols import Cluster, Event
from mop.errors import Denied
from mop.manifest import Manifest, ref
from mop.rollout.live import Identity

Source = tuple[str, str, str]  # apiVersion, kind, namespace
#: Why a workload waits is told by these; without them readiness is still known.
HELPERS = (("v1", "Pod"), ("apps/v1", "ReplicaSet"))
#: Seconds that a watch lasts beyond the wait that it serves.
_MARGIN = 1.0


class News:
    """Watches in threads; `objects`, `pods` and `replica_sets` are what they told so far."""

    def __init__(self, cluster: Cluster, sources: Sequence[Source], timeout: float) -> None:
        self._queue: queue.SimpleQueue[tuple[Source, Event | Exception]] = queue.SimpleQueue()
        self._watches = [(source, cluster.watch(*source, timeout=timeout + _MARGIN)) for source in sources]
        self.objects: dict[Identity, Manifest] = {}
        self.pods: dict[Identity, Manifest] = {}
        self.replica_sets: dict[Identity, Manifest] = {}

    def __enter__(self) -> News:
        for source, watch in self._watches:
            threading.Thread(target=self._read, args=(source, watch), daemon=True, name="mop-watch").start()
        return self

    def __exit__(self, *_: object) -> None:
        for _, watch in self._watches:
            watch.close()

    def await_any(self, seconds: float) -> None:
        """Take in all news, waiting `seconds` for the first."""
        try:
            self._take(*self._queue.get(timeout=seconds))
            while True:
                self._take(*self._queue.get_nowait())
        except queue.Empty:
            return

    def _read(self, source: Source, watch: Iterable[Event]) -> None:
        try:
            for event in watch:
                self._queue.put((source, event))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            self._queue.put((source, error))

    def _take(self, source: Source, news: Event | Exception) -> None:
        if isinstance(news, Denied) and source[:2] in HELPERS:
            return  # without them readiness is still known, only its reasons are poorer
        if isinstance(news, Exception):
            raise news
        gone = news.type == "DELETED"
        it = ref(news.manifest)
        for kind, store in (("", self.objects), ("Pod", self.pods), ("ReplicaSet", self.replica_sets)):
            if kind in ("", it.kind):
                if gone:
                    store.pop(it.identity, None)
                else:
                    store[it.identity] = news.manifest
