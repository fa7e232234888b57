"""Revisions: one an apply that changes something, ten kept, and each a way back."""

from __future__ import annotations

from typing import Any

import pytest

from mop.errors import NotReady, UsageError
from mop.manifest import Manifest, ref
from mop.results import Origin, Outcome, Revision
from mop.steps import apply as applying
from mop.steps.diff import Options, plan
from mop.steps.history import history
from mop.steps.promotion import promoted
from mop.steps.rollback import rollback
from mop.steps.status import status
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, environment, namespace, obj, secret

ORIGIN = Origin("0123abc", "alice", "", {"charts/web": "1"})


def run(cluster: FakeCluster, *manifests: Manifest, origin: Origin = ORIGIN, **options: Any) -> None:
    plans = plan(cluster, environment(), {"web": manifests})
    cluster.calls.clear()
    chosen = applying.Options(prune_limit=50, timeout=0, **options)
    applying.apply(cluster, environment(), plans, origins={"web": origin}, options=chosen)


def kept(cluster: FakeCluster) -> list[Revision]:
    return history(cluster, environment(), ["web"])


def outcomes(cluster: FakeCluster) -> list[tuple[int, Outcome]]:
    return [(revision.number, revision.outcome) for revision in kept(cluster)]


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(namespace())


def test_an_apply_is_a_revision_with_its_origin_and_outcome(cluster: FakeCluster) -> None:
    run(cluster, config_map())
    (revision,) = kept(cluster)
    assert (revision.number, revision.outcome, revision.objects, revision.origin) == (1, "ready", 1, ORIGIN)


def test_an_apply_that_changes_nothing_is_none(cluster: FakeCluster) -> None:
    run(cluster, config_map())
    run(cluster, config_map())
    assert outcomes(cluster) == [(1, "ready")]
    assert cluster.did("apply", "create", "delete") == []


def test_another_origin_of_the_same_objects_is_one(cluster: FakeCluster) -> None:
    """Else `after:` could never be satisfied by a change that renders nothing new."""
    run(cluster, config_map())
    run(cluster, config_map(), origin=Origin(digests={"charts/web": "2"}))
    assert outcomes(cluster) == [(2, "ready"), (1, "ready")]


def test_without_wait_it_is_applied_and_not_ready(cluster: FakeCluster) -> None:
    run(cluster, config_map(), wait=False)
    assert outcomes(cluster) == [(1, "applied")]


def test_a_failure_is_kept_as_one(cluster: FakeCluster) -> None:
    run(cluster, config_map())
    with pytest.raises(NotReady):
        run(cluster, config_map(), obj("batch/v1", "Job", "never"))
    assert outcomes(cluster) == [(2, "failed"), (1, "ready")]


def test_a_killed_apply_stays_pending_and_the_next_is_another_revision(cluster: FakeCluster) -> None:
    class Killed(BaseException):
        """No code of MOP runs after it."""

    def kill(_cluster: FakeCluster, manifest: Manifest) -> None:
        if ref(manifest) == ref(config_map()):
            raise Killed

    cluster.reactions.append(kill)
    with pytest.raises(Killed):
        run(cluster, config_map())
    assert outcomes(cluster) == [(1, "pending")]
    cluster.reactions.clear()
    run(cluster, config_map())
    assert outcomes(cluster) == [(2, "ready"), (1, "pending")]


def test_ten_are_kept_and_the_last_ready_one_always(cluster: FakeCluster) -> None:
    run(cluster, config_map(turn="ready"))
    for turn in range(12):
        with pytest.raises(NotReady):
            run(cluster, config_map(turn=str(turn)), obj("batch/v1", "Job", "never"))
    assert [number for number, _ in outcomes(cluster)][-1] == 1
    run(cluster, config_map(turn="good"))
    assert len(outcomes(cluster)) == 11
    run(cluster, config_map(turn="better"))
    assert [number for number, _ in outcomes(cluster)] == list(range(15, 5, -1))


def test_a_rollback_brings_back_and_removes_what_came_later(cluster: FakeCluster) -> None:
    run(cluster, config_map(colour="blue"), secret(a="1"))
    run(cluster, config_map(colour="red"), secret(a="1"), config_map("later"))

    back = rollback(cluster, environment(), ["web"])
    applying.apply(
        cluster,
        environment(),
        back.plans,
        origins=back.origins,
        options=applying.Options(prune_limit=5),
    )

    assert cluster.live(ref(config_map()))["data"] == {"colour": "blue"}
    assert cluster.get(ref(config_map("later"))) is None
    newest = kept(cluster)[0]
    assert (newest.number, newest.outcome) == (3, "ready")
    assert newest.origin == Origin("0123abc", "alice", "rollback to revision 1", {"charts/web": "1"})


def test_a_rollback_shows_its_diff_first(cluster: FakeCluster) -> None:
    run(cluster, config_map(colour="blue"))
    run(cluster, config_map(colour="red"))
    cluster.calls.clear()
    (found,) = rollback(cluster, environment(), ["web"], to=1).plans
    assert [(f.path, f.old, f.new) for f in found.diff.changes[0].fields] == [("data.colour", "red", "blue")]
    assert cluster.wrote() == []


def test_a_rollback_to_what_is_not_kept_is_refused(cluster: FakeCluster) -> None:
    run(cluster, config_map())
    with pytest.raises(UsageError, match="no revision 7; kept are: 1"):
        rollback(cluster, environment(), ["web"], to=7)
    with pytest.raises(UsageError, match="staging/other has no earlier revision"):
        rollback(cluster, environment(), ["other"])


def test_where_others_are_not_known_a_rollback_removes_nothing(cluster: FakeCluster) -> None:
    both = environment(components=("web", "logs"))
    run(cluster, config_map(colour="blue"))
    run(cluster, config_map(colour="red"), config_map("later"))
    assert not rollback(cluster, both, ["web"]).plans[0].doomed
    assert rollback(cluster, both, ["web"], options=Options(elsewhere=[])).plans[0].doomed


def test_a_component_that_fails_is_brought_back_when_asked(cluster: FakeCluster) -> None:
    staging = environment(order="component-by-component")
    run(cluster, config_map(colour="blue"))
    broken = [config_map(colour="red"), obj("batch/v1", "Job", "never")]
    plans = plan(cluster, staging, {"web": broken})
    options = applying.Options(timeout=0, prune_limit=5, rollback_on_failure=True)
    with pytest.raises(NotReady, match="staging/web is back at revision 1"):
        applying.apply(cluster, staging, plans, options=options)
    assert cluster.live(ref(config_map()))["data"] == {"colour": "blue"}
    assert cluster.get(ref(obj("batch/v1", "Job", "never"))) is None
    assert outcomes(cluster) == [(3, "ready"), (2, "failed"), (1, "ready")]


def test_a_component_that_fails_the_first_time_cannot_be_brought_back(cluster: FakeCluster) -> None:
    staging = environment(order="component-by-component")
    plans = plan(cluster, staging, {"web": [obj("batch/v1", "Job", "never")]})
    options = applying.Options(timeout=0, rollback_on_failure=True)
    with pytest.raises(NotReady, match="could not be rolled back: staging/web has no earlier revision"):
        applying.apply(cluster, staging, plans, options=options)


def test_status_tells_the_revision(cluster: FakeCluster) -> None:
    run(cluster, config_map())
    (found,) = status(cluster, environment(), {"web": [config_map()]})
    assert found.revision is not None
    assert (found.revision.number, found.revision.outcome) == (1, "ready")


def test_production_comes_after_staging(cluster: FakeCluster) -> None:
    run(cluster, config_map())
    promoted(cluster, environment(), ["web", "only-in-production"], {"web": ORIGIN})
    with pytest.raises(UsageError, match="charts/web differ"):
        promoted(cluster, environment(), ["web"], {"web": Origin(digests={"charts/web": "2"})})


def test_plans_do_not_read_revisions(cluster: FakeCluster) -> None:
    run(cluster, secret())
    labelled = cluster.list("v1", "Secret", NAMESPACE, "mop.raibid-labs.dev/environment=staging")
    assert sorted(ref(each).name for each in labelled) == ["login", "mop-staging-web"]
