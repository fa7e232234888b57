"""A delete leaves nothing of a component but what holds data, and says what holds it back."""

from __future__ import annotations

import pytest

from mop.errors import Locked, NotReady
from mop.manifest import Manifest, ref
from mop.rollout.lock import Lock
from mop.steps import apply as applying
from mop.steps import delete as deleting
from mop.steps.diff import plan
from tests.fakes import FakeCluster
from tests.unit.objects import (
    NAMESPACE,
    config_map,
    definition,
    deployment,
    environment,
    namespace,
    obj,
    secret,
)

DONE = {"conditions": [{"type": "Complete", "status": "True"}]}
ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}
BOTH = environment(components=("logs", "web"))


def controllers(cluster: FakeCluster, manifest: Manifest) -> None:
    """Jobs end well, definitions are established."""
    found = {"Job": DONE, "CustomResourceDefinition": ESTABLISHED}.get(manifest["kind"])
    if found and "status" not in manifest:
        cluster.set_status(ref(manifest), found)


def cluster_with(**components: list[Manifest]) -> FakeCluster:
    """A cluster on which MOP has applied `components`."""
    cluster = FakeCluster(namespace(), reactions=(controllers,))
    applying.apply(cluster, BOTH, plan(cluster, BOTH, components), options=applying.Options(wait=False))
    cluster.calls.clear()
    return cluster


def delete(cluster: FakeCluster, *components: str, everything: bool = False) -> None:
    plans = deleting.plan(cluster, BOTH, components, everything=everything)
    deleting.delete(cluster, BOTH, plans, timeout=1)


def test_nothing_is_left_but_the_namespace_and_the_lease() -> None:
    cluster = cluster_with(web=[deployment(), config_map(), secret()])
    delete(cluster, "web")
    assert cluster.names() == [f"Lease/{NAMESPACE}/mop-staging", f"Namespace/{NAMESPACE}"]


def test_the_order_is_the_reverse_of_an_apply() -> None:
    cluster = cluster_with(logs=[config_map("logs")], web=[deployment(), config_map(), secret()])
    delete(cluster, "logs", "web")
    assert cluster.wrote("delete") == [
        f"Deployment/{NAMESPACE}/web",
        f"ConfigMap/{NAMESPACE}/settings",
        f"Secret/{NAMESPACE}/login",
        f"ConfigMap/{NAMESPACE}/logs",
    ]


def test_other_components_stay() -> None:
    cluster = cluster_with(logs=[config_map("logs")], web=[config_map("web")])
    delete(cluster, "web")
    assert f"ConfigMap/{NAMESPACE}/logs" in cluster.names()
    assert f"Secret/{NAMESPACE}/mop-staging-logs.v1" in cluster.names()


def test_what_holds_data_stays_unless_everything_is_meant() -> None:
    claim = obj("v1", "PersistentVolumeClaim", "data")
    cluster = cluster_with(web=[claim, definition(), config_map()])
    delete(cluster, "web")
    assert cluster.get(ref(claim)) is not None
    assert cluster.get(ref(definition())) is not None
    delete(cluster, "web", everything=True)
    assert cluster.names() == [f"Lease/{NAMESPACE}/mop-staging", f"Namespace/{NAMESPACE}"]


def test_what_holds_an_object_back_is_named() -> None:
    class Holding(FakeCluster):
        """Objects with finalizers stay, marked as being deleted."""

        def delete(self, ref, *, propagation="Background", uid=""):  # type: ignore[no-untyped-def]
            live = self.get(ref)
            if live is not None and live["metadata"].get("finalizers"):
                return True
            return super().delete(ref, propagation=propagation, uid=uid)

    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    cluster = Holding(namespace())
    applying.apply(cluster, BOTH, plan(cluster, BOTH, {"web": [held]}), options=applying.Options(wait=False))
    with pytest.raises(NotReady, match="1 objects are not gone after 1s") as caught:
        delete(cluster, "web")
    (problem,) = caught.value.problems
    assert problem.object == f"ConfigMap/{NAMESPACE}/held"
    assert "held by example.com/held" in problem.message
    assert f"Secret/{NAMESPACE}/mop-staging-web" in cluster.names()  # so that the next delete finds it again


def test_delete_hooks_run_around_it_and_no_hook_is_left() -> None:
    def hook(name: str, event: str) -> Manifest:
        return obj("batch/v1", "Job", name, metadata={"annotations": {"helm.sh/hook": event}})

    hooks = [hook("setup", "post-install"), hook("before", "pre-delete"), hook("after", "post-delete")]
    cluster = cluster_with(web=[config_map(), *hooks])
    delete(cluster, "web")
    verbs = [
        f"{c.verb} {c.about}"
        for c in cluster.calls
        if c.verb in ("create", "delete") and "/mop-" not in c.about
    ]
    assert verbs.index(f"create Job/{NAMESPACE}/before") < verbs.index(
        f"delete ConfigMap/{NAMESPACE}/settings"
    )
    assert verbs.index(f"delete ConfigMap/{NAMESPACE}/settings") < verbs.index(
        f"create Job/{NAMESPACE}/after"
    )
    assert not [name for name in cluster.names() if name.startswith("Job")]


def test_what_was_never_applied_needs_no_delete() -> None:
    cluster = FakeCluster(namespace())
    assert deleting.plan(cluster, BOTH, ["web"]) == []
    assert deleting.delete(cluster, BOTH, []) == []
    assert cluster.wrote() == []


def test_it_waits_for_no_apply_that_runs() -> None:
    cluster = cluster_with(web=[config_map()])
    with (
        Lock(cluster, "staging", NAMESPACE, holder="alice", duration=1),
        pytest.raises(Locked, match="alice"),
    ):
        delete(cluster, "web")
    assert f"ConfigMap/{NAMESPACE}/settings" in cluster.names()
