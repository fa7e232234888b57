"""A plan compares live objects with the server's dry run, object by object."""

from __future__ import annotations

import json

import pytest

from mop.errors import Denied, Rejected
from mop.manifest import Manifest, ref
from mop.masking import Fingerprint
from mop.results import Action
from mop.rollout.applyset import Owner
from mop.rollout.live import listed, places_of
from mop.rollout.plan import Created, Plan
from mop.rollout.planner import Context, make_plans
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, definition, deployment, namespace, obj, secret, widget

KEY = Fingerprint(b"k" * 32)
WEB, OPERATOR = Owner("staging", "web", NAMESPACE), Owner("staging", "operator", NAMESPACE)


def plan(cluster: FakeCluster, *manifests: Manifest, created: Created | None = None) -> Plan:
    created = created or Created.by(manifests, NAMESPACE)
    listing = listed(cluster, "staging", places_of(map(ref, manifests)))
    context = Context(created, sets=frozenset(), fingerprint=KEY, listing=listing)
    (found,) = make_plans(cluster, {WEB: manifests}, context)
    return found


def actions(found: Plan) -> list[tuple[Action, str]]:
    return [(item.change.action, item.change.ref.kind) for item in found.items]


def applied(*manifests: Manifest) -> FakeCluster:
    """A cluster on which MOP has applied `manifests`."""
    cluster = FakeCluster(namespace())
    for item in plan(cluster, *manifests).items:
        cluster.apply(item.manifest)
    cluster.calls.clear()
    return cluster


def test_what_is_not_there_is_added_and_was_tried_on_the_server() -> None:
    cluster = FakeCluster(namespace())
    assert actions(plan(cluster, config_map(), deployment())) == [("add", "ConfigMap"), ("add", "Deployment")]
    assert len(cluster.did("dry-run")) == 2
    assert cluster.did("apply", "create") == []


def test_after_an_apply_nothing_is_left_to_do() -> None:
    cluster = applied(config_map(), secret(), deployment())
    found = plan(cluster, config_map(), secret(), deployment())
    assert [item.change.action for item in found.items] == ["keep"] * 3
    assert not any(item.write for item in found.items)
    assert not found.diff.changed


def test_a_changed_field_is_an_update_of_that_field() -> None:
    (item,) = plan(applied(deployment(image="web:1")), deployment(image="web:2")).items
    assert item.change.action == "update"
    assert [field.path for field in item.change.fields] == ["spec.template.spec.containers[web].image"]


def test_a_status_and_what_a_controller_defaults_are_no_change() -> None:
    cluster = applied(deployment())
    cluster.set_status(ref(deployment()), {"replicas": 1})
    live = cluster.live(ref(deployment()))
    live["spec"]["progressDeadlineSeconds"] = 600
    assert plan(cluster, deployment()).items[0].change.action == "keep"


def test_a_field_that_was_left_out_goes() -> None:
    cluster = applied(config_map(a="1", b="2"))
    (item,) = plan(cluster, config_map(a="1")).items
    assert [(field.action, field.path) for field in item.change.fields] == [("delete", "data.b")]


def test_a_field_of_another_manager_is_a_conflict_and_still_shown() -> None:
    cluster = FakeCluster(namespace(), config_map(colour="red"))
    found = plan(cluster, config_map(colour="blue"))
    (item,) = found.conflicts
    assert [(c.manager, c.path) for c in item.change.conflicts] == [("somebody", "data.colour")]
    assert ("data.colour", "red", "blue") in [(f.path, f.old, f.new) for f in item.change.fields]


def test_taking_over_equal_values_writes_without_showing_a_change() -> None:
    cluster = applied(config_map(a="1"))
    cluster.put({**cluster.live(ref(config_map())), "data": {"a": "1", "b": "2"}}, "somebody")
    (item,) = plan(cluster, config_map(a="1", b="2")).items
    assert item.change.action == "keep"
    assert item.write
    assert "ownership" in item.change.note


def test_an_object_of_a_kind_that_the_run_defines_is_an_addition() -> None:
    found = plan(FakeCluster(namespace()), definition(), widget())
    assert actions(found) == [("add", "CustomResourceDefinition"), ("add", "Widget")]


def test_an_object_of_a_kind_that_another_component_defines_is_an_addition() -> None:
    parts = {OPERATOR: [definition()], WEB: [widget()]}
    context = Context(Created.by([definition(), widget()], NAMESPACE))
    plans = make_plans(FakeCluster(namespace()), parts, context)
    assert [actions(found) for found in plans] == [[("add", "CustomResourceDefinition")], [("add", "Widget")]]


def test_an_object_of_a_kind_that_nobody_defines_is_a_problem() -> None:
    with pytest.raises(Rejected) as caught:
        plan(FakeCluster(namespace()), widget())
    assert "no kind Widget" in caught.value.problems[0].message


def test_objects_in_a_namespace_that_the_run_creates_are_additions() -> None:
    cluster = FakeCluster()
    assert actions(plan(cluster, config_map(), secret())) == [("add", "Secret"), ("add", "ConfigMap")]
    assert cluster.did("get").count(f"Namespace/{NAMESPACE}") == 1
    assert cluster.did("dry-run") == []


def test_objects_in_a_namespace_that_nobody_creates_are_problems() -> None:
    with pytest.raises(Rejected, match="rejects ConfigMap/elsewhere/settings"):
        plan(FakeCluster(namespace()), obj("v1", "ConfigMap", "settings", "elsewhere"))


def test_every_object_that_the_server_refuses_is_named_with_its_file() -> None:
    cluster = FakeCluster(namespace())
    cluster.rejections = {"bad": "no such colour", "worse": "no such shape"}
    parts = {WEB: [config_map("bad"), config_map("good"), config_map("worse")]}
    files = {ref(config_map("bad")): ".mop/rendered/staging/web/v1.ConfigMap-bad.yaml"}
    with pytest.raises(Rejected) as caught:
        make_plans(cluster, parts, Context(Created.by([], NAMESPACE), files))
    first, second = caught.value.problems
    assert (first.object, first.message) == (f"ConfigMap/{NAMESPACE}/bad", "no such colour")
    assert (first.file, first.component) == (".mop/rendered/staging/web/v1.ConfigMap-bad.yaml", "web")
    assert second.object == f"ConfigMap/{NAMESPACE}/worse"


def test_what_may_not_be_read_ends_the_plan() -> None:
    cluster = FakeCluster(namespace())
    cluster.errors |= {f"{verb} Secret": Denied("may not touch secrets") for verb in ("list", "dry-run")}
    with pytest.raises(Denied):
        plan(cluster, config_map(), secret())


def test_an_object_that_moves_while_it_is_compared_is_read_again() -> None:
    """A controller's change between the read and the dry run is not shown as ours."""

    class Moving(FakeCluster):
        moves = 1

        def apply(self, manifest, *, dry_run=False, force=False):  # type: ignore[no-untyped-def]
            if dry_run and self.moves:
                self.moves -= 1
                live = self.live(ref(manifest))
                self.put(
                    {**live, "metadata": {**live["metadata"], "annotations": {"seen": "yes"}}}, "controller"
                )
            return super().apply(manifest, dry_run=dry_run, force=force)

    cluster = Moving(namespace())
    cluster.moves = 0
    for item in plan(cluster, config_map()).items:
        cluster.apply(item.manifest)
    cluster.moves = 1
    (item,) = plan(cluster, config_map()).items
    assert item.change.action == "keep"
    assert item.version == cluster.live(ref(config_map()))["metadata"]["resourceVersion"]


def test_an_unchanged_component_costs_one_list_a_kind_and_one_dry_run_an_object() -> None:
    parts = [config_map(f"c{number}") for number in range(20)]
    cluster = applied(*parts)
    plan(cluster, *parts)
    assert cluster.did("list") == ["ConfigMap"]
    assert len(cluster.did("dry-run")) == 20
    assert cluster.did("get") == []


def test_an_object_that_somebody_made_without_our_labels_is_compared_and_not_added() -> None:
    (item,) = plan(FakeCluster(namespace(), config_map(colour="blue")), config_map(colour="blue")).items
    assert item.change.action == "update"
    assert {field.path.partition("[")[0] for field in item.change.fields} == {"metadata.labels"}


def test_where_lists_are_denied_the_plan_is_the_same() -> None:
    cluster = applied(config_map(a="1"), secret())
    cluster.errors["list ConfigMap"] = Denied("may not list configmaps")
    assert actions(plan(cluster, config_map(a="2"), secret())) == [
        ("keep", "Secret"),
        ("update", "ConfigMap"),
    ]


def test_hooks_are_kept_aside() -> None:
    hook = obj("batch/v1", "Job", "migrate", metadata={"annotations": {"helm.sh/hook": "pre-install"}})
    found = plan(FakeCluster(namespace()), config_map(), hook)
    assert actions(found) == [("add", "ConfigMap")]
    assert found.hooks == (hook,)


def test_no_secret_is_in_the_facts() -> None:
    cluster = applied(secret(token="MARKER-old"))
    found = plan(cluster, secret(token="MARKER-new"), secret("fresh", token="MARKER-add"))
    assert "MARKER" not in repr(found.diff)
    assert "TUFSS0VS" not in json.dumps([change.after for change in found.diff.changes])
    fields = [change.fields for change in found.diff.changes if change.action == "update"]
    assert [(field.path, field.old != field.new) for field in fields[0]] == [("data.token", True)]


def test_a_warning_of_the_server_is_kept_with_its_object() -> None:
    cluster = FakeCluster(namespace())
    cluster.warnings = {"web": ("apps/v1beta1 is deprecated",)}
    assert plan(cluster, deployment()).items[0].change.warnings == ("apps/v1beta1 is deprecated",)
