"""What is rendered no more is removed, and nothing else ever is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from mop.errors import Denied, Rejected, UsageError
from mop.manifest import Manifest, ref
from mop.rollout.applyset import GROUP_KINDS, PART_OF, Owner
from mop.rollout.prune import spared
from mop.steps import apply as applying
from mop.steps import diff as planning
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, environment, namespace, obj, secret

WEB = Owner("staging", "web", NAMESPACE)
PRUNE = "mop.raibid-labs.dev/prune"


def run(
    cluster: FakeCluster,
    components: Mapping[str, Sequence[Manifest]],
    *,
    declared: tuple[str, ...] = (),
    limit: int | None = 100,
    **options: Any,
) -> list[str]:
    """Plan and apply; what was deleted."""
    staging = environment(components=declared or tuple(components))
    plans = planning.plan(cluster, staging, components, planning.Options(**options))
    cluster.calls.clear()
    applying.apply(cluster, staging, plans, options=applying.Options(wait=False, prune_limit=limit))
    return cluster.wrote("delete")


def many(count: int) -> list[Manifest]:
    return [config_map(f"c{number:02}") for number in range(count)]


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(namespace())


def test_what_is_rendered_no_more_goes_after_everything_else(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("old"), secret("old"), config_map("stays")]})
    deleted = run(cluster, {"web": [config_map("stays"), config_map("new")]})
    assert deleted == [f"ConfigMap/{NAMESPACE}/old", f"Secret/{NAMESPACE}/old"]
    assert cluster.wrote()[0] == f"ConfigMap/{NAMESPACE}/new"


def test_the_diff_shows_what_will_go(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("old"), config_map("stays")]})
    (found,) = planning.diff(cluster, environment(), {"web": [config_map("stays")]})
    assert [(c.action, c.ref.name) for c in found.changes] == [("keep", "stays"), ("delete", "old")]
    assert found.changed


def test_a_kind_and_a_namespace_that_are_used_no_more_are_still_searched(cluster: FakeCluster) -> None:
    elsewhere = obj("v1", "Secret", "far", "elsewhere", data={})
    run(cluster, {"web": [namespace("elsewhere"), elsewhere, config_map()]})
    assert run(cluster, {"web": [namespace("elsewhere"), config_map()]}) == ["Secret/elsewhere/far"]


def test_the_parent_forgets_a_kind_only_when_it_is_gone(cluster: FakeCluster) -> None:
    def kinds() -> str:
        return str(cluster.live(WEB.parent)["metadata"]["annotations"][GROUP_KINDS])

    run(cluster, {"web": [config_map(), secret()]})
    assert kinds() == "ConfigMap,Secret"
    run(cluster, {"web": [config_map()]}, prune=False)
    assert kinds() == "ConfigMap,Secret"
    run(cluster, {"web": [config_map()]})
    assert kinds() == "ConfigMap"


def test_a_second_apply_touches_no_parent(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map(), secret()]})
    run(cluster, {"web": [config_map(), secret()]})
    assert cluster.did("apply", "delete", "create") == []


def test_a_killed_run_leaves_nothing_that_is_not_found_again(cluster: FakeCluster) -> None:
    """The parent is written before the first object: what a dead run made is pruned by the next."""
    staging = environment()
    plans = planning.plan(cluster, staging, {"web": [secret("made-by-the-dead"), config_map()]})
    cluster.errors["apply ConfigMap"] = Denied("killed here")
    with pytest.raises(Denied):
        applying.apply(cluster, staging, plans)
    cluster.errors.clear()
    assert run(cluster, {"web": [config_map()]}) == [f"Secret/{NAMESPACE}/made-by-the-dead"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"annotations": {PRUNE: "false"}}, "annotated"),
        ({"ownerReferences": [{"kind": "Tenant", "name": "t"}]}, "owns it"),
        ({"managedFields": [{"manager": "kubectl"}]}, "never wrote it"),
    ],
)
def test_guards(change: dict[str, Any], reason: str) -> None:
    manifest = config_map()
    manifest["metadata"] |= {"managedFields": [{"manager": "mop"}], **change}
    assert reason in spared(manifest)
    assert reason in spared(manifest, everything=True)


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Namespace"),
        ("v1", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ],
)
def test_what_holds_data_goes_only_when_all_is_asked_for(api_version: str, kind: str) -> None:
    manifest = obj(api_version, kind, "x", metadata={"managedFields": [{"manager": "mop"}]})
    assert "--prune-all" in spared(manifest)
    assert spared(manifest, everything=True) == ""


def test_a_spared_object_stays_and_stays_known(cluster: FakeCluster) -> None:
    claim = obj("v1", "PersistentVolumeClaim", "data")
    run(cluster, {"web": [claim, config_map()]})
    assert run(cluster, {"web": [config_map()]}) == []
    assert run(cluster, {"web": [config_map()]}, everything=True) == [
        f"PersistentVolumeClaim/{NAMESPACE}/data"
    ]


def test_an_object_that_moved_to_another_component_lives_on(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("moves"), config_map("stays")], "logs": [secret()]})
    assert run(cluster, {"web": [config_map("stays")], "logs": [secret(), config_map("moves")]}) == []
    labels = cluster.live(ref(config_map("moves")))["metadata"]["labels"]
    assert labels[PART_OF] == Owner("staging", "logs", NAMESPACE).set_id


def test_an_object_that_moved_lives_on_when_only_its_old_component_is_applied(cluster: FakeCluster) -> None:
    both = ("web", "logs")
    run(cluster, {"web": [config_map("moves"), config_map("stays")], "logs": [secret()]})
    elsewhere = [ref(secret()), ref(config_map("moves"))]
    assert run(cluster, {"web": [config_map("stays")]}, declared=both, elsewhere=elsewhere) == []


def test_where_other_components_are_not_known_nothing_is_removed(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("old"), config_map("stays")], "logs": [secret()]})
    assert run(cluster, {"web": [config_map("stays")]}, declared=("web", "logs")) == []


def test_a_component_that_mop_yaml_no_longer_declares_goes_with_its_set(cluster: FakeCluster) -> None:
    gone = Owner("staging", "logs", NAMESPACE)
    run(cluster, {"web": [config_map()], "logs": [secret("a"), secret("b")]})
    deleted = run(cluster, {"web": [config_map()]}, declared=("web",))
    assert sorted(deleted) == [f"Secret/{NAMESPACE}/a", f"Secret/{NAMESPACE}/b"]
    assert cluster.get(gone.parent) is None
    assert not [about for about in cluster.names() if "logs" in about]


def test_another_environment_in_the_namespace_is_left_alone(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("ours")]})
    production = environment("production")
    plans = planning.plan(cluster, production, {"web": [config_map("theirs")]})
    applying.apply(cluster, production, plans, options=applying.Options(wait=False))
    assert cluster.get(ref(config_map("ours"))) is not None


def test_an_object_of_another_environments_set_is_not_taken(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("shared")]})
    production = environment("production")
    with pytest.raises(Rejected) as caught:
        planning.plan(cluster, production, {"web": [config_map("shared")]})
    assert f"belongs to the set of Secret/{NAMESPACE}/mop-staging-web" in caught.value.problems[0].message
    planning.plan(cluster, production, {"web": [config_map("shared")]}, planning.Options(adopt=True))


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [(30, 20, True), (30, 21, True), (30, 19, False), (90, 70, True), (90, 69, False)],
)
def test_many_removals_must_be_asked_for(
    cluster: FakeCluster, before: int, after: int, allowed: bool
) -> None:
    run(cluster, {"web": many(before)})
    if allowed:
        assert len(run(cluster, {"web": many(after)}, limit=None)) == before - after
        return
    with pytest.raises(UsageError, match=rf"staging/web: {before - after} of {before} objects") as caught:
        run(cluster, {"web": many(after)}, limit=None)
    assert f"--prune-limit {before - after}" in caught.value.hint
    assert cluster.did("delete", "apply") == []
    with pytest.raises(UsageError):
        run(cluster, {"web": many(after)}, limit=before - after - 1)
    assert len(run(cluster, {"web": many(after)}, limit=before - after)) == before - after


def test_a_kind_that_may_not_be_listed_stops_the_prune_and_says_so(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("old"), secret()]})
    cluster.errors["list Secret"] = Denied("may not list secrets")
    with pytest.raises(Denied, match="may not list secrets"):
        run(cluster, {"web": [secret()]})
    cluster.errors = {"list ConfigMap": Denied("may not list configmaps")}
    with pytest.raises(Denied, match="cannot see all its objects") as caught:
        run(cluster, {"web": [secret()]})
    assert "--no-prune" in caught.value.hint
    assert cluster.get(ref(config_map("old"))) is not None


def test_without_prune_nothing_goes(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("old"), config_map("stays")]})
    assert run(cluster, {"web": [config_map("stays")]}, prune=False) == []
    assert run(cluster, {"web": [config_map("stays")]}) == [f"ConfigMap/{NAMESPACE}/old"]


def test_an_object_that_was_made_anew_meanwhile_is_not_the_one_to_remove(cluster: FakeCluster) -> None:
    run(cluster, {"web": [config_map("old"), config_map("stays")]})
    staging = environment()
    plans = planning.plan(cluster, staging, {"web": [config_map("stays")]})
    cluster.delete(ref(config_map("old")))
    cluster.put(config_map("old", by="somebody else"))
    applying.apply(cluster, staging, plans, options=applying.Options(wait=False, prune_limit=5))
    assert cluster.live(ref(config_map("old")))["data"] == {"by": "somebody else"}
