"""Revisions, rollback and the lock on a real API server."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mop.controlplane import Endpoint
from mop.engines.protocols import Cluster
from mop.errors import Locked, NotReady
from mop.manifest import Manifest, ref
from mop.model import Environment, Ready
from mop.results import Origin
from mop.rollout.lock import Lock
from mop.rollout.revisions import TYPE
from mop.steps.apply import Options, apply
from mop.steps.diff import plan
from mop.steps.history import history
from mop.steps.rollback import rollback
from tests.cluster.actors import session
from tests.cluster.objects import config_map, deployment, environment, job, secret

ORIGIN = Origin("0123abc", "alice", "", {"charts/web": "1"})


def run(cluster: Cluster, staging: Environment, *manifests: Manifest, **options: Any) -> None:
    plans = plan(cluster, staging, {"web": manifests})
    chosen = Options(prune_limit=50, **options)
    patient = {"web": Ready(120, 120)}
    apply(cluster, staging, plans, ready=patient, origins={"web": ORIGIN}, options=chosen)


def test_there_and_back_again(cluster: Cluster, namespace: str, endpoint: Endpoint) -> None:
    staging = environment(namespace)
    run(cluster, staging, deployment(namespace, image="example.com/app:1"), secret(namespace, a="MARKER"))
    run(cluster, staging, deployment(namespace, image="example.com/app:2"), config_map(namespace))

    back = rollback(cluster, staging, ["web"])
    apply(cluster, staging, back.plans, origins=back.origins, options=Options(timeout=120, prune_limit=5))

    live = cluster.get(ref(deployment(namespace)))
    assert live is not None
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/app:1"
    assert cluster.get(ref(secret(namespace))) is not None
    assert cluster.get(ref(config_map(namespace))) is None
    kept = history(cluster, staging, ["web"])
    assert [(each.number, each.outcome) for each in kept] == [(3, "ready"), (2, "ready"), (1, "ready")]
    assert kept[0].origin == Origin("0123abc", "alice", "rollback to revision 1", {"charts/web": "1"})

    bare = session(endpoint).request("GET", f"/api/v1/namespaces/{namespace}/secrets").json()
    assert len([each for each in bare["items"] if each["type"] == TYPE]) == 3


def test_a_failure_is_kept_and_brought_back_when_asked(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace, order="component-by-component")
    run(cluster, staging, config_map(namespace, colour="blue"))
    with pytest.raises(NotReady, match="is back at revision 1"):
        run(
            cluster,
            staging,
            config_map(namespace, colour="red"),
            job(namespace, simulate="Failed", backoffLimit=0),
            rollback_on_failure=True,
        )
    live = cluster.get(ref(config_map(namespace)))
    assert live is not None
    assert live["data"] == {"colour": "blue"}
    assert [each.outcome for each in history(cluster, staging, ["web"])] == ["ready", "failed", "ready"]


def test_an_apply_that_changes_nothing_writes_no_object(cluster: Cluster, namespace: str) -> None:
    """Neither a revision nor a Lease nor a parent: the whole namespace stays as it is."""

    def everything() -> list[tuple[str, str]]:
        kinds = [("v1", "Secret"), ("v1", "ConfigMap"), ("coordination.k8s.io/v1", "Lease")]
        live = [m for kind in kinds for m in cluster.list(*kind, namespace)]
        return sorted((str(ref(m)), m["metadata"]["resourceVersion"]) for m in live)

    staging = environment(namespace)
    run(cluster, staging, config_map(namespace), secret(namespace))
    before = everything()
    run(cluster, staging, config_map(namespace), secret(namespace))
    assert everything() == before


def test_two_applies_at_once_are_one_after_the_other_or_one_alone(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    with Lock(cluster, staging.name, namespace, holder="alice", duration=3):
        with pytest.raises(Locked, match="is being changed by alice since"):
            run(cluster, staging, config_map(namespace))
        assert cluster.get(ref(config_map(namespace))) is None
    run(cluster, staging, config_map(namespace))


def test_who_died_is_succeeded(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    dead = Lock(cluster, staging.name, namespace, holder="dead", duration=2)
    dead._acquire()  # and never renewed
    run(cluster, staging, config_map(namespace))
    lease = cluster.get(dead.ref)
    assert lease is not None
    assert lease["spec"]["holderIdentity"] == ""


def test_who_stalled_does_not_take_back_what_was_taken_over(cluster: Cluster, namespace: str) -> None:
    first = Lock(cluster, namespace, namespace, holder="first", duration=1)
    first._acquire()
    with Lock(cluster, namespace, namespace, holder="second", duration=5):
        first._renewer.start()
        first._renewer.join(30)
        with pytest.raises(Locked, match="taken over"):
            first.check()
        lease = cluster.get(first.ref)
        assert lease is not None
        assert lease["spec"]["holderIdentity"] == "second"
    assert threading.active_count() < 50
