"""`status` finds every rendered object and says why one is not ready."""

from __future__ import annotations

from mop.errors import Denied
from mop.manifest import Manifest, ref
from mop.rollout.applyset import Owner
from mop.rollout.labels import sent
from mop.steps.status import status
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, deployment, environment, namespace, obj, secret, widget

READY = {
    "observedGeneration": 1,
    "replicas": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
}


def cluster_with(*manifests: Manifest) -> FakeCluster:
    cluster = FakeCluster(
        namespace(), *(sent(manifest, Owner("staging", "web", NAMESPACE)) for manifest in manifests)
    )
    cluster.calls.clear()
    return cluster


def test_a_component_whose_objects_are_ready_is_ready() -> None:
    cluster = cluster_with(deployment(), config_map())
    cluster.set_status(ref(deployment()), READY)
    (found,) = status(cluster, environment(), {"web": [config_map(), deployment()]})
    assert found.ready
    assert found.unready == ()


def test_one_list_a_kind_is_enough() -> None:
    cluster = cluster_with(*(config_map(f"c{number}") for number in range(50)), secret())
    status(cluster, environment(), {"web": [*(config_map(f"c{number}") for number in range(50)), secret()]})
    assert sorted(cluster.did("list")) == ["ConfigMap", "Secret", "Secret"]  # the second: revisions
    assert cluster.did("get") == []


def test_what_lost_its_labels_is_still_found() -> None:
    cluster = FakeCluster(namespace(), config_map())
    (found,) = status(cluster, environment(), {"web": [config_map()]})
    assert found.ready


def test_what_is_gone_is_absent() -> None:
    (found,) = status(cluster_with(), environment(), {"web": [config_map()]})
    assert [(s.state, s.reason) for s in found.unready] == [("absent", "is not there")]


def test_a_kind_that_the_server_does_not_know_is_absent() -> None:
    (found,) = status(cluster_with(), environment(), {"web": [widget()]})
    assert found.unready[0].state == "absent"


def test_where_lists_are_denied_objects_are_read_one_by_one() -> None:
    cluster = cluster_with(config_map())
    cluster.errors["list ConfigMap"] = Denied("may not list configmaps")
    (found,) = status(cluster, environment(), {"web": [config_map()]})
    assert found.ready


def test_pods_tell_why_a_workload_is_not_ready() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    cluster = cluster_with(obj("batch/v1", "Job", "setup", metadata={"uid": "j"}, status={"startTime": "t"}))
    cluster.put(
        obj(
            "v1",
            "Pod",
            "setup-x",
            metadata={"ownerReferences": [{"uid": "j", "controller": True}]},
            status={"containerStatuses": [{"name": "main", "state": waiting}]},
        )
    )
    (found,) = status(cluster, environment(), {"web": [obj("batch/v1", "Job", "setup")]})
    assert found.unready[0].reason == (
        "completions 0/1; pod setup-x, container main: ImagePullBackOff: no such image"
    )


def test_a_job_that_its_ttl_removed_is_no_fault() -> None:
    job = obj("batch/v1", "Job", "setup", spec={"ttlSecondsAfterFinished": 60})
    (found,) = status(cluster_with(), environment(), {"web": [job]})
    assert found.ready


def test_hooks_do_not_count() -> None:
    hook = obj("batch/v1", "Job", "h", NAMESPACE, metadata={"annotations": {"helm.sh/hook": "post-install"}})
    (found,) = status(cluster_with(), environment(), {"web": [hook]})
    assert found.objects == ()
