"""Why a workload waits, told by the right pods."""

from __future__ import annotations

from typing import Any

import pytest

from mop.manifest import Manifest
from mop.rollout.reasons import REVISION, explain, pod_troubles
from tests.unit.objects import deployment, obj


def owned_by(owner: str, manifest: Manifest, uid: str = "") -> Manifest:
    manifest["metadata"]["ownerReferences"] = [{"uid": owner, "controller": True}]
    manifest["metadata"]["uid"] = uid or manifest["metadata"]["name"]
    return manifest


def pod(name: str = "web-1", owner: str = "set", **status: Any) -> Manifest:
    return owned_by(owner, obj("v1", "Pod", name, status=status))


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"containerStatuses": [{"name": "web", "state": state, **more}]}


def replica_set(name: str, revision: int, owner: str = "web") -> Manifest:
    metadata = {"annotations": {REVISION: str(revision)}}
    return owned_by(owner, obj("apps/v1", "ReplicaSet", name, metadata=metadata))


@pytest.mark.parametrize(
    ("status", "ends", "text"),
    [
        (waiting("InvalidImageName", "bad name"), "now", "InvalidImageName: bad name"),
        (waiting("ImagePullBackOff", 'Back-off pulling "x"'), "grace", "ImagePullBackOff: Back-off"),
        (waiting("ErrImagePull", "not found\nmore"), "grace", "ErrImagePull: not found"),
        (waiting("CreateContainerConfigError", 'secret "x" not found'), "grace", 'secret "x" not found'),
        (waiting("CrashLoopBackOff", restartCount=3), "never", "after 3 restarts"),
        (waiting("CrashLoopBackOff", restartCount=4), "grace", "after 4 restarts"),
        (
            waiting("CrashLoopBackOff", restartCount=5, lastState={"terminated": {"exitCode": 2}}),
            "grace",
            "last Error with exit code 2",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3"}
                ]
            },
            "grace",
            "Unschedulable: 0/3",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]},
            "never",
            "SchedulingGated",
        ),
        (
            {"initContainerStatuses": [{"name": "init", "state": {"terminated": {"exitCode": 1}}}]},
            "never",
            "container init: Error, exit code 1",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, "never", "failed: Evicted"),
    ],
)
def test_trouble(status: dict[str, Any], ends: str, text: str) -> None:
    (trouble,) = pod_troubles(pod(**status))
    assert (trouble.ends, trouble.pod) == (ends, "web-1")
    assert text in trouble.text


@pytest.mark.parametrize(
    "status",
    [
        {},
        waiting("ContainerCreating"),
        {"containerStatuses": [{"name": "web", "state": {"running": {}}}]},
        {"containerStatuses": [{"name": "web", "state": {"terminated": {"exitCode": 0}}}]},
    ],
)
def test_no_trouble(status: dict[str, Any]) -> None:
    assert list(pod_troubles(pod(**status))) == []


def test_a_pull_that_flips_between_its_two_names_is_one_trouble() -> None:
    (first,) = pod_troubles(pod(**waiting("ErrImagePull")))
    (second,) = pod_troubles(pod(**waiting("ImagePullBackOff")))
    assert first.kind == second.kind


def test_the_worst_trouble_is_told() -> None:
    stateful = obj("apps/v1", "StatefulSet", "web", metadata={"uid": "set"})
    pods = [
        pod("web-0", **waiting("CrashLoopBackOff", restartCount=1)),
        pod("web-1", **waiting("InvalidImageName")),
    ]
    trouble = explain(stateful, pods)
    assert trouble is not None
    assert trouble.pod == "web-1"


def test_pods_of_the_old_revision_do_not_speak_for_a_deployment() -> None:
    web = deployment()
    web["metadata"]["uid"] = "web"
    sets = [replica_set("old", 9), replica_set("new", 10), replica_set("foreign", 11, owner="other")]
    crashing = waiting("CrashLoopBackOff", restartCount=9)
    assert explain(web, [pod("a", "old", **crashing), pod("b", "foreign", **crashing)], sets) is None
    trouble = explain(web, [pod("c", "new", **crashing)], sets)
    assert trouble is not None
    assert trouble.crashed


def test_a_pod_that_is_being_deleted_has_no_say() -> None:
    dying = pod(**waiting("ImagePullBackOff"))
    dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert list(pod_troubles(dying)) == []


def test_a_bare_pod_speaks_for_itself() -> None:
    assert explain(pod(**waiting("ErrImagePull")), []) is not None
