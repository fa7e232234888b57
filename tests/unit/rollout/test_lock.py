"""One apply at a time: who comes second is told, who died is succeeded, who lost the lock writes no more."""

from __future__ import annotations

import threading

import pytest

from mop.errors import Denied, Locked, Rejected
from mop.rollout.lock import Lock, holder_identity
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, namespace


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(namespace())


def lock(cluster: FakeCluster, holder: str, duration: float = 1.0, **more: object) -> Lock:
    return Lock(cluster, "staging", NAMESPACE, holder=holder, duration=duration, **more)  # type: ignore[arg-type]


def holder(cluster: FakeCluster) -> str:
    return str(cluster.live(lock(cluster, "x").ref)["spec"]["holderIdentity"])


def test_it_is_held_and_released(cluster: FakeCluster) -> None:
    with lock(cluster, "alice") as held:
        held.check()
        assert holder(cluster) == "alice"
    assert holder(cluster) == ""
    with lock(cluster, "bob"):
        assert holder(cluster) == "bob"


def test_it_is_released_when_the_apply_fails(cluster: FakeCluster) -> None:
    with pytest.raises(ValueError, match="broken"), lock(cluster, "alice"):
        raise ValueError("broken")
    assert holder(cluster) == ""


def test_who_comes_second_is_told_who_holds_it_since_when(cluster: FakeCluster) -> None:
    with lock(cluster, "alice"):
        since = cluster.live(lock(cluster, "x").ref)["spec"]["acquireTime"]
        with pytest.raises(Locked, match="being changed by alice since") as caught, lock(cluster, "bob"):
            pytest.fail("two hold it")
        assert since in caught.value.message
        assert holder(cluster) == "alice"


def test_who_died_is_succeeded_when_the_lease_ends(cluster: FakeCluster) -> None:
    """A Lease that nobody renews, of a clock that is years ahead: only its silence counts."""
    dead = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "mop-staging", "namespace": NAMESPACE},
        "spec": {
            "holderIdentity": "dead",
            "leaseDurationSeconds": 1,
            "renewTime": "2099-01-01T00:00:00.000000Z",
        },
    }
    cluster.put(dead, "mop")
    with lock(cluster, "bob"):
        assert holder(cluster) == "bob"


def test_who_lost_it_writes_no_more(cluster: FakeCluster) -> None:
    with lock(cluster, "alice", duration=0.3) as held:
        stolen = cluster.live(held.ref)
        cluster.put({**stolen, "spec": {**stolen["spec"], "holderIdentity": "bob"}}, "mop")
        assert held._renewer.is_alive() or held._lost
        held._renewer.join(10)
        with pytest.raises(Locked, match="taken over"):
            held.check()
    assert holder(cluster) == "bob"


def test_who_could_not_renew_in_time_trusts_it_no_more(cluster: FakeCluster) -> None:
    now = [100.0]
    with lock(cluster, "alice", duration=30, clock=lambda: now[0]) as held:
        now[0] += 20
        held.check()
        now[0] += 2
        with pytest.raises(Locked, match="could not be renewed for 22 s"):
            held.check()


def test_a_renewal_that_fails_is_tried_again(cluster: FakeCluster) -> None:
    with lock(cluster, "alice", duration=0.3) as held:
        cluster.errors["apply Lease"] = Denied("for a moment")
        before = cluster.live(held.ref)["spec"]["renewTime"]
        cluster.errors.clear()
        for _ in range(100):
            if cluster.live(held.ref)["spec"]["renewTime"] != before:
                break
            threading.Event().wait(0.05)
        held.check()
        assert cluster.live(held.ref)["spec"]["renewTime"] != before


def test_a_lease_that_may_not_be_made_is_no_lock_of_somebody_else() -> None:
    with pytest.raises(Rejected, match="not found"), lock(FakeCluster(), "alice"):
        pytest.fail("held without a Lease")


def test_only_one_of_many_gets_it(cluster: FakeCluster) -> None:
    got: list[str] = []
    done, start = threading.Event(), threading.Barrier(5, timeout=10)

    def want(name: str) -> None:
        start.wait()
        try:
            with lock(cluster, name, duration=5):
                got.append(name)
                done.wait(10)
        except Locked:
            pass

    threads = [threading.Thread(target=want, args=(f"user-{number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        if sum(not thread.is_alive() for thread in threads) == 4:
            break
        threading.Event().wait(0.05)
    done.set()
    for thread in threads:
        thread.join(10)
    assert len(got) == 1


def test_an_identity_is_for_people_and_unlike_any_other() -> None:
    assert "process" in holder_identity()
    assert holder_identity() != holder_identity()
