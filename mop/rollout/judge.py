"""The state of one component while it is waited for: what is ready, why not, since when. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mop import durations
from mop.manifest import Manifest, ObjectRef
from mop.model import Ready
from mop.results import ObjectStatus
from mop.rollout.readiness import can_wait, readiness
from mop.rollout.reasons import Trouble, explain
from mop.rollout.verdict import READY, Readiness

Identity = tuple[str, str, str, str]


@dataclass(slots=True)
class _Case:
    """One object. `mark` stays equal while nothing moves; `since` is when it last changed."""

    ref: ObjectRef
    found: Readiness
    trouble: Trouble | None = None
    mark: object = None
    since: float = 0.0
    seen: bool = False
    finished: bool = False  # a Job that was seen complete stays so when its TTL removes it


class Judge:
    """Looks at live objects and says how far a component is. Times are seconds of `clock`."""

    def __init__(
        self, component: str, refs: Sequence[ObjectRef], ready: Ready, clock: Callable[[], float]
    ) -> None:
        self.component = component
        self.total = len(refs)
        self.timeout = ready.timeout
        self.failure = ""
        self._grace = ready.grace
        self._clock = clock
        self._started = clock()
        self._cases = [
            _Case(it, Readiness("waiting", "not seen yet") if can_wait(it) else READY) for it in refs
        ]

    def look(
        self,
        objects: Mapping[Identity, Manifest],
        pods: Mapping[Identity, Manifest],
        replica_sets: Mapping[Identity, Manifest],
    ) -> None:
        """Judge every object anew by what the cluster told."""
        now = self._clock()
        for case in self._cases:
            if can_wait(case.ref):
                live = objects.get(case.ref.identity)
                self._judge(case, live, list(pods.values()), list(replica_sets.values()), now)

    def _judge(
        self, case: _Case, live: Manifest | None, pods: list[Manifest], sets: list[Manifest], now: float
    ) -> None:
        if live is None:
            if case.found.state != "waiting" or case.seen:
                case.found = READY if case.finished else Readiness("waiting", "was deleted")
            return
        case.seen = True
        case.found = readiness(live)
        case.trouble = None
        if case.found.state == "ready":
            case.finished = case.ref.kind == "Job"
            case.mark = None
            return
        case.trouble = explain(live, pods, sets)
        mark = _mark(live, case.trouble)
        if mark != case.mark:
            case.mark, case.since = mark, now
        self._fail_early(case, now)

    def _fail_early(self, case: _Case, now: float) -> None:
        trouble = case.trouble
        if case.found.state == "failed":
            text = case.found.reason
        elif trouble is not None and trouble.ends == "now":
            text = trouble.text
        elif trouble is not None and trouble.ends == "grace" and now - case.since >= self._grace:
            text = f"{trouble.text}, unchanged for {durations.text(self._grace)}"
        else:
            return
        case.found = Readiness("failed", text)
        self.failure = self.failure or f"{case.ref}: {text}"

    @property
    def seen(self) -> bool:
        """Whether every object that must be watched has been seen."""
        return all(case.seen or not can_wait(case.ref) for case in self._cases)

    @property
    def settled(self) -> bool:
        """Whether all is ready now."""
        return all(case.found.state == "ready" for case in self._cases)

    @property
    def over(self) -> bool:
        """Whether waiting longer is pointless or not allowed."""
        return bool(self.failure) or (not self.settled and self.waited >= self.timeout)

    @property
    def waited(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    @property
    def count(self) -> int:
        """How many objects are ready."""
        return sum(case.found.state == "ready" for case in self._cases)

    def statuses(self) -> tuple[ObjectStatus, ...]:
        """Every object."""
        return tuple(ObjectStatus(case.ref, case.found.state, _reason(case)) for case in self._cases)

    def unready(self) -> tuple[ObjectStatus, ...]:
        """Those that are not ready."""
        return tuple(status for status in self.statuses() if status.state != "ready")

    def trouble(self, it: ObjectRef) -> Trouble | None:
        """What its pods say."""
        return next((case.trouble for case in self._cases if case.ref == it), None)


def _reason(case: _Case) -> str:
    if case.found.state == "waiting" and case.trouble is not None:
        return f"{case.found.reason}; {case.trouble.text}"
    return case.found.reason


def _mark(live: Manifest, trouble: Trouble | None) -> object:
    """What would change if the workload got anywhere: its counts, and which trouble it has."""
    status: Mapping[str, Any] = live.get("status") or {}
    counts = tuple(
        sorted((k, v) for k, v in status.items() if isinstance(v, int) and not isinstance(v, bool))
    )
    return counts, trouble and trouble.kind, live["metadata"].get("generation")
