"""Waiting: ends when all is ready, at once where it is vain, after the grace time where nothing moves."""

from __future__ import annotations

from typing import Any

from mop.manifest import Manifest, ref
from mop.model import Ready
from mop.rollout.judge import Judge
from tests.unit.objects import config_map, deployment, obj

BACKOFF = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
INVALID = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "InvalidImageName"}}}]}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Story:
    """A StatefulSet `db` of two pods, a ConfigMap, and a clock."""

    def __init__(self, timeout: float = 600, grace: float = 180) -> None:
        self.clock = Clock()
        self.set = obj(
            "apps/v1", "StatefulSet", "db", metadata={"uid": "db", "generation": 1}, spec={"replicas": 2}
        )
        self.set["status"] = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 0}
        self.pods: dict[Any, Manifest] = {}
        refs = [ref(self.set), ref(config_map())]
        self.judge = Judge("db", refs, Ready(timeout, grace), self.clock)

    def pod(self, status: dict[str, Any]) -> None:
        owner = [{"uid": "db", "controller": True}]
        pod = obj("v1", "Pod", "db-0", metadata={"ownerReferences": owner}, status=status)
        self.pods[ref(pod).identity] = pod

    def after(self, seconds: float) -> Judge:
        self.clock.now += seconds
        self.judge.look({ref(self.set).identity: self.set}, self.pods, {})
        return self.judge


def test_what_has_not_been_seen_is_waited_for_and_the_rest_is_ready_by_being_there() -> None:
    judge = Story().judge
    assert (judge.count, judge.total) == (1, 2)
    assert [status.reason for status in judge.unready()] == ["not seen yet"]


def test_all_ready_settles_it() -> None:
    story = Story()
    story.set["status"] |= {"readyReplicas": 2, "updatedReplicas": 2}
    judge = story.after(1)
    assert judge.settled
    assert not judge.over


def test_the_reason_shows_from_the_first_look() -> None:
    story = Story()
    story.pod(BACKOFF)
    (status,) = story.after(0).unready()
    assert status.reason == "pods ready 0/2; pod db-0, container web: ImagePullBackOff"


def test_an_invalid_image_name_fails_at_once() -> None:
    story = Story()
    story.pod(INVALID)
    judge = story.after(0)
    assert judge.over
    assert "InvalidImageName" in judge.failure


def test_a_pull_that_fails_has_its_grace() -> None:
    story = Story(grace=180)
    story.pod(BACKOFF)
    assert not story.after(0).over
    assert not story.after(179).over
    judge = story.after(1)
    assert judge.over
    assert "unchanged for 3m" in judge.failure


def test_grace_starts_anew_when_something_moves() -> None:
    story = Story(grace=180)
    story.pod(BACKOFF)
    story.after(0)
    story.after(170)
    story.set["status"]["readyReplicas"] = 1
    assert not story.after(20).over
    assert not story.after(179).over
    assert story.after(1).over


def test_grace_does_not_end_what_waits_without_trouble() -> None:
    story = Story(timeout=600, grace=10)
    story.after(0)
    assert not story.after(599).over


def test_the_time_is_over_in_the_end() -> None:
    judge = Story(timeout=600).after(600)
    assert judge.over
    assert judge.failure == ""


def test_a_job_that_its_ttl_removed_was_complete() -> None:
    clock = Clock()
    done = obj("batch/v1", "Job", "j", status={"conditions": [{"type": "Complete", "status": "True"}]})
    judge = Judge("jobs", [ref(done)], Ready(), clock)
    judge.look({ref(done).identity: done}, {}, {})
    judge.look({}, {}, {})
    assert judge.settled


def test_a_workload_that_somebody_deleted_is_not_ready() -> None:
    web = deployment()
    judge = Judge("web", [ref(web)], Ready(), Clock())
    judge.look({ref(web).identity: web}, {}, {})
    judge.look({}, {}, {})
    assert [status.reason for status in judge.unready()] == ["was deleted"]
