"""Waiting is told by watches: no object is asked for twice."""

from __future__ import annotations

import threading

import pytest

from mop.errors import Denied, NotReady
from mop.manifest import Manifest, ref
from mop.model import Ready
from mop.results import Waiting
from mop.rollout.concurrent import Stop
from mop.rollout.wait import Awaited, wait_ready
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, deployment, namespace, obj, secret

GOOD = {
    "observedGeneration": 1,
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
}


def awaited(*manifests: Manifest, timeout: float = 30) -> list[Awaited]:
    return [Awaited("web", [ref(manifest) for manifest in manifests], Ready(timeout, timeout))]


def test_it_ends_when_the_watch_tells_so() -> None:
    web, cluster = deployment(), FakeCluster(namespace(), deployment(), config_map())
    seen: list[Waiting] = []

    def progress(fact: object) -> None:
        assert isinstance(fact, Waiting)
        seen.append(fact)
        cluster.set_status(ref(web), GOOD)

    found = wait_ready(cluster, "staging", awaited(web, config_map()), progress=progress)

    assert [status.state for status in found["web"]] == ["ready", "ready"]
    assert cluster.did("get", "list") == []
    assert sorted(set(cluster.did("watch"))) == ["Deployment", "Pod", "ReplicaSet"]
    assert (seen[0].ready, seen[0].total) == (1, 2)


def test_what_can_only_be_there_is_not_watched() -> None:
    cluster = FakeCluster(namespace(), config_map())
    wait_ready(cluster, "staging", awaited(config_map()))
    assert cluster.calls == []


def test_every_watch_is_closed_in_the_end() -> None:
    before = threading.active_count()
    cluster = FakeCluster(namespace(), deployment())
    cluster.set_status(ref(deployment()), GOOD)
    wait_ready(cluster, "staging", awaited(deployment()))
    for thread in threading.enumerate():
        if thread.name == "mop-watch":
            thread.join(5)
    assert threading.active_count() <= before


def test_a_failure_names_the_object_and_shows_the_last_log_lines_without_secrets() -> None:
    job = obj("batch/v1", "Job", "setup", metadata={"uid": "j"})
    crashed = {"waiting": {"reason": "InvalidImageName"}}
    pod = obj(
        "v1",
        "Pod",
        "setup-x",
        metadata={"ownerReferences": [{"uid": "j", "controller": True}]},
        status={"containerStatuses": [{"name": "main", "state": crashed}]},
    )
    cluster = FakeCluster(namespace(), job, pod)
    cluster.printed["setup-x"] = "starting with hunter22"

    with pytest.raises(NotReady) as caught:
        wait_ready(cluster, "staging", awaited(job), hide=lambda text: text.replace("hunter22", "<masked>"))

    (problem,) = caught.value.problems
    assert problem.object == f"Job/{NAMESPACE}/setup"
    assert problem.found == "starting with <masked>"
    assert "InvalidImageName" in caught.value.message


def test_a_timeout_says_how_many_and_which() -> None:
    cluster = FakeCluster(namespace(), deployment(), config_map())
    with pytest.raises(NotReady) as caught:
        wait_ready(cluster, "staging", awaited(deployment(), config_map(), timeout=0))
    assert caught.value.message == "staging/web: 1 of 2 objects not ready after 0s"
    assert [problem.object for problem in caught.value.problems] == [f"Deployment/{NAMESPACE}/web"]


def test_a_kind_that_may_not_be_watched_is_an_error() -> None:
    cluster = FakeCluster(namespace(), deployment())
    cluster.errors["watch Deployment"] = Denied("may not watch deployments")
    with pytest.raises(Denied):
        wait_ready(cluster, "staging", awaited(deployment()))


def test_without_a_look_at_pods_only_the_reasons_are_poorer() -> None:
    class NoPods(FakeCluster):
        """Answers a watch on pods with 403, as the real engine does while it is read."""

        def watch(self, api_version: str, kind: str, *rest: object, **more: object):  # type: ignore[no-untyped-def,override]
            watch = super().watch(api_version, kind, *rest, **more)  # type: ignore[arg-type]
            if kind == "Pod":
                watch.events.put(Denied("may not watch pods"))
            return watch

    cluster = NoPods(namespace(), deployment())
    cluster.set_status(ref(deployment()), GOOD)
    assert wait_ready(cluster, "staging", awaited(deployment()))["web"][0].state == "ready"


def test_it_stops_when_told() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        wait_ready(FakeCluster(namespace(), deployment()), "staging", awaited(deployment()), stop=stop)


def test_a_secret_needs_no_wait() -> None:
    assert wait_ready(FakeCluster(), "staging", awaited(secret()))["web"][0].state == "ready"
