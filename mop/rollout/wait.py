"""Waits until objects are ready: told by watches, never by asking again; ends early where waiting is vain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mop import durations
from mop.engines.protocols import Cluster
from mop.errors import ClusterError, NotReady
from mop.manifest import ObjectRef
from mop.model import Ready
from mop.problem import Problem
from mop.results import ObjectStatus, Progress, Waiting, silent
from mop.rollout.concurrent import Stop
from mop.rollout.judge import Judge
from mop.rollout.news import HELPERS, News, Source
from mop.rollout.readiness import can_wait

_HAVE_PODS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"}
)
#: Seconds between looks at the clock, for grace times, progress and Ctrl-C; news wakes it at once.
_TICK = 0.5
#: Seconds until reasons show even if not every watch has told what is there.
_FIRST = 1.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is waited for: the objects of one component, and how patient to be."""

    component: str
    refs: Sequence[ObjectRef]
    ready: Ready


def wait_ready(
    cluster: Cluster,
    environment: str,
    awaited: Sequence[Awaited],
    *,
    progress: Progress = silent,
    stop: Stop | None = None,
    hide: Callable[[str], str] = str,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, tuple[ObjectStatus, ...]]:
    """The status of every object by component, once all are ready at the same time.

    `hide` takes secrets out of log lines. Raises NotReady, with a Problem for each object that is not, when
    one fails or a component's time is over; Denied where watching is; KeyboardInterrupt if stopped.
    """
    judges = [Judge(each.component, each.refs, each.ready, clock) for each in awaited]
    with News(cluster, _sources(awaited), max((each.ready.timeout for each in awaited), default=0)) as news:
        shown: object = None
        while True:
            for judge in judges:
                judge.look(news.objects, news.pods, news.replica_sets)
            if all(judge.settled for judge in judges):
                return {judge.component: judge.statuses() for judge in judges}
            if all(judge.seen or judge.waited >= _FIRST for judge in judges):
                shown = _show(environment, judges, progress, shown)
            over = [judge for judge in judges if judge.over]
            if over:
                raise _not_ready(cluster, environment, judges, over[0], hide)
            news.await_any(_TICK)
            if stop:
                raise KeyboardInterrupt


def _show(environment: str, judges: Iterable[Judge], progress: Progress, shown: object) -> object:
    """Report what changed since last time."""
    facts = [
        Waiting(environment, judge.component, judge.count, judge.total, judge.unready(), judge.waited)
        for judge in judges
        if not judge.settled
    ]
    now = [(fact.component, fact.ready, fact.unready) for fact in facts]
    if now != shown:
        for fact in facts:
            progress(fact)
    return now


def _sources(awaited: Iterable[Awaited]) -> list[Source]:
    """What to watch: each kind that can be unready, and in namespaces of workloads what explains them."""
    found: dict[Source, None] = {}
    for each in awaited:
        for it in each.refs:
            if can_wait(it):
                found[it.api_version, it.kind, it.namespace] = None
    for _, kind, namespace in list(found):
        if kind in _HAVE_PODS:
            found.update({(*helper, namespace): None for helper in HELPERS})
    return list(found)


def _not_ready(
    cluster: Cluster, environment: str, judges: Sequence[Judge], culprit: Judge, hide: Callable[[str], str]
) -> NotReady:
    problems = [
        Problem(
            status.reason,
            object=str(status.ref),
            environment=environment,
            component=judge.component,
            found=_last_lines(cluster, judge, status, hide),
        )
        for judge in sorted(judges, key=lambda judge: judge is not culprit)
        for status in sorted(judge.unready(), key=lambda status: status.state != "failed")
    ]
    where = f"{environment}/{culprit.component}"
    if culprit.failure:
        message = f"{where} failed: {culprit.failure}"
    else:
        took = durations.text(culprit.timeout)
        message = (
            f"{where}: {culprit.total - culprit.count} of {culprit.total} objects not ready after {took}"
        )
    return NotReady(message, problems=problems)


def _last_lines(cluster: Cluster, judge: Judge, status: ObjectStatus, hide: Callable[[str], str]) -> str:
    """What the pod that explains the trouble printed last."""
    trouble = judge.trouble(status.ref)
    if trouble is None or not trouble.container:
        return ""
    try:
        lines = cluster.logs(status.ref.namespace, trouble.pod, trouble.container, previous=trouble.crashed)
    except ClusterError as error:
        return f"(no log: {error.message})"
    return hide(lines)
