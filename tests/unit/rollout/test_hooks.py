"""Hooks run in Helm's order, once a revision, and leave behind what their policies say."""

from __future__ import annotations

from typing import Any

import pytest

from mop.errors import NotReady, Rejected
from mop.manifest import Manifest, ref
from mop.rollout.hooks import hooks_for
from mop.rollout.run import Options
from mop.steps.apply import apply
from mop.steps.diff import plan
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, environment, namespace, obj

DONE = {"conditions": [{"type": "Complete", "status": "True"}]}
BROKEN = {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]}


def hook(name: str, events: str, *, weight: str = "", policy: str = "", kind: str = "Job") -> Manifest:
    annotations = {"helm.sh/hook": events}
    if weight:
        annotations["helm.sh/hook-weight"] = weight
    if policy:
        annotations["helm.sh/hook-delete-policy"] = policy
    api_version = "batch/v1" if kind == "Job" else "v1"
    return obj(api_version, kind, name, metadata={"annotations": annotations})


def jobs_end(status: dict[str, Any]) -> Any:
    def react(cluster: FakeCluster, manifest: Manifest) -> None:
        if manifest["kind"] == "Job" and "status" not in manifest:
            cluster.set_status(ref(manifest), status)

    return react


def run(cluster: FakeCluster, *manifests: Manifest, **options: Any) -> list[str]:
    """Plan and apply; what was written and deleted, in order."""
    plans = plan(cluster, environment(), {"web": manifests})
    cluster.calls.clear()
    apply(cluster, environment(), plans, options=Options(timeout=5, prune_limit=5, **options))
    return [
        f"{c.verb} {c.about}"
        for c in cluster.calls
        if c.verb in ("apply", "create", "delete") and "mop-" not in c.about
    ]


def test_order_is_weight_then_kind_then_name() -> None:
    manifests = [
        hook("c", "pre-install", weight="5"),
        hook("b", "pre-install"),
        hook("a", "pre-install, post-install"),
        hook("z", "pre-install", kind="ConfigMap"),
        hook("y", "pre-install", weight="-1"),
        hook("x", "post-install"),
        hook("w", "pre-install", weight="no number"),
    ]
    assert [each.ref.name for each in hooks_for(manifests, "pre-install")] == ["y", "z", "a", "b", "w", "c"]


def test_without_a_policy_an_old_one_is_deleted_first_as_in_helm() -> None:
    (one,) = hooks_for([hook("a", "test")], "test")
    assert one.policies == {"before-hook-creation"}
    (two,) = hooks_for([hook("a", "test-success", policy="hook-succeeded,hook-failed")], "test")
    assert two.policies == {"hook-succeeded", "hook-failed"}


def test_they_stand_around_the_objects() -> None:
    cluster = FakeCluster(namespace(), reactions=(jobs_end(DONE),))
    before, after = hook("before", "pre-install"), hook("after", "post-install")
    assert run(cluster, before, config_map(), after, hook("other", "pre-upgrade")) == [
        f"delete Job/{NAMESPACE}/before",
        f"create Job/{NAMESPACE}/before",
        f"apply ConfigMap/{NAMESPACE}/settings",
        f"delete Job/{NAMESPACE}/after",
        f"create Job/{NAMESPACE}/after",
    ]


def test_the_second_revision_is_an_upgrade_and_no_change_is_neither() -> None:
    cluster = FakeCluster(namespace(), reactions=(jobs_end(DONE),))
    hooks = [hook("install", "pre-install"), hook("upgrade", "pre-upgrade"), hook("rollback", "pre-rollback")]
    run(cluster, config_map(a="1"), *hooks)
    assert run(cluster, config_map(a="1"), *hooks) == []
    assert f"create Job/{NAMESPACE}/upgrade" in run(cluster, config_map(a="2"), *hooks)
    assert f"create Job/{NAMESPACE}/rollback" in run(cluster, config_map(a="3"), *hooks, rollback=True)


def test_a_hook_that_fails_stops_before_the_objects() -> None:
    cluster = FakeCluster(namespace(), reactions=(jobs_end(BROKEN),))
    with pytest.raises(NotReady) as caught:
        run(cluster, hook("migrate", "pre-install"), config_map())
    assert f"the pre-install hook Job/{NAMESPACE}/migrate of staging/web failed" in caught.value.message
    assert "BackoffLimitExceeded" in caught.value.message
    assert cluster.get(ref(config_map())) is None


@pytest.mark.parametrize(
    ("policy", "status", "stays"),
    [
        ("hook-succeeded", DONE, False),
        ("hook-failed", DONE, True),
        ("before-hook-creation", DONE, True),
        ("hook-failed", BROKEN, False),
        ("hook-succeeded", BROKEN, True),
    ],
)
def test_delete_policies(policy: str, status: dict[str, Any], stays: bool) -> None:
    cluster = FakeCluster(namespace(), reactions=(jobs_end(status),))
    manifest = hook("migrate", "pre-install", policy=policy)
    if status is BROKEN:
        with pytest.raises(NotReady):
            run(cluster, manifest, config_map())
    else:
        run(cluster, manifest, config_map())
    assert (cluster.get(ref(manifest)) is not None) is stays


def test_one_that_may_not_be_replaced_and_is_there_is_an_error_as_in_helm() -> None:
    manifest = hook("migrate", "pre-install", policy="hook-succeeded")
    cluster = FakeCluster(namespace(), manifest, reactions=(jobs_end(DONE),))
    with pytest.raises(Rejected, match="already exists"):
        run(cluster, manifest, config_map())


def test_hooks_are_kept_with_the_revision_and_never_pruned() -> None:
    cluster = FakeCluster(namespace(), reactions=(jobs_end(DONE),))
    manifest = hook("migrate", "post-install")
    run(cluster, config_map(a="1"), manifest)
    assert run(cluster, config_map(a="2")) == [f"apply ConfigMap/{NAMESPACE}/settings"]
    assert cluster.get(ref(manifest)) is not None


def test_a_hook_without_an_end_is_done_when_it_is_there() -> None:
    cluster = FakeCluster(namespace())
    run(cluster, hook("settings-before", "pre-install", kind="ConfigMap"), config_map())
    assert f"ConfigMap/{NAMESPACE}/settings-before" in cluster.names()
