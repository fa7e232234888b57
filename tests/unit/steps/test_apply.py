"""An apply writes what its plan says, in phases, and can always say how far it came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mop.errors import FieldConflict, Interrupted, NotReady, Rejected, Unreachable, UsageError
from mop.manifest import Manifest, ref
from mop.model import OrderName, Ready, Rollout
from mop.results import ApplyResult, Waiting, Written
from mop.rollout.concurrent import Stop
from mop.steps.apply import Options, apply, authorise
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
    widget,
)

ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}


def controllers(cluster: FakeCluster, manifest: Manifest) -> None:
    """Every workload becomes ready, every definition is established, as soon as they are written."""
    generation, replicas = manifest["metadata"]["generation"], (manifest.get("spec") or {}).get("replicas", 1)
    status: dict[str, Any] = {}
    if manifest["kind"] == "Deployment":
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": generation, **dict.fromkeys(counts, replicas)}
    elif manifest["kind"] == "CustomResourceDefinition":
        status = ESTABLISHED
    if status and manifest.get("status") != status:
        cluster.set_status(ref(manifest), status)


def cluster_with(*manifests: Manifest) -> FakeCluster:
    return FakeCluster(*manifests, reactions=(controllers,))


def run(
    cluster: FakeCluster,
    components: dict[str, list[Manifest]],
    *,
    order: OrderName = "all-at-once",
    options: Options | None = None,
    progress: Callable[[Written | Waiting], None] = lambda _fact: None,
    stop: Stop | None = None,
) -> list[ApplyResult]:
    staging = environment(order=order)
    plans = plan(cluster, staging, components)
    cluster.calls.clear()
    ready = {name: Ready(timeout=5, grace=1) for name in components}
    return apply(cluster, staging, plans, ready=ready, options=options, progress=progress, stop=stop)


def test_a_first_apply_adds_everything_and_waits() -> None:
    cluster = cluster_with()
    (result,) = run(cluster, {"web": [deployment(), config_map(), secret()]})
    assert [(change.action, change.ref.kind) for change in result.changes] == [
        ("add", "Secret"),
        ("add", "ConfigMap"),
        ("add", "Deployment"),
    ]
    assert [status.state for status in result.objects] == ["ready"] * 3


def test_the_environments_namespace_comes_first_and_belongs_to_no_component() -> None:
    cluster = cluster_with()
    run(cluster, {"web": [config_map()]})
    assert cluster.wrote("create") == [f"Namespace/{NAMESPACE}"]
    assert cluster.did("create")[0] == f"Namespace/{NAMESPACE}"
    assert "labels" not in cluster.live(ref(namespace()))["metadata"]


def test_a_second_apply_writes_nothing() -> None:
    cluster = cluster_with()
    components = {"web": [deployment(), config_map(), secret(), definition(), widget()]}
    run(cluster, components)
    versions = [cluster.live(ref(m))["metadata"]["resourceVersion"] for m in components["web"]]

    (result,) = run(cluster, components)

    assert cluster.did("apply", "create", "delete") == []
    assert result.written == 0
    assert [cluster.live(ref(m))["metadata"]["resourceVersion"] for m in components["web"]] == versions


def test_only_what_changed_is_written() -> None:
    cluster = cluster_with()
    run(cluster, {"web": [deployment(image="web:1"), config_map()]})
    (result,) = run(cluster, {"web": [deployment(image="web:2"), config_map()]})
    assert cluster.wrote("apply") == [f"Deployment/{NAMESPACE}/web"]
    assert (result.count("update"), result.count("keep")) == (1, 1)


def test_phases_come_one_after_another() -> None:
    cluster = cluster_with()
    run(cluster, {"web": [widget(), deployment(), config_map(), definition(), namespace("extra")]})
    assert cluster.wrote("apply") == [
        "Namespace/extra",
        "CustomResourceDefinition/widgets.example.com",
        f"ConfigMap/{NAMESPACE}/settings",
        f"Deployment/{NAMESPACE}/web",
        f"Widget/{NAMESPACE}/gear",
    ]


def test_a_definition_that_is_never_established_stops_before_its_objects() -> None:
    refused = {"conditions": [{"type": "NamesAccepted", "status": "False", "message": "widgets is taken"}]}

    def refuse(cluster: FakeCluster, manifest: Manifest) -> None:
        if manifest["kind"] == "CustomResourceDefinition" and "status" not in manifest:
            cluster.set_status(ref(manifest), refused)

    cluster = FakeCluster(reactions=(refuse,))
    with pytest.raises(NotReady, match="widgets is taken") as caught:
        run(cluster, {"web": [definition(), widget(), config_map()]})
    assert cluster.wrote("apply") == ["CustomResourceDefinition/widgets.example.com"]
    assert "1 of 3 objects were dealt with" in caught.value.message


def test_all_at_once_applies_every_component_before_it_waits() -> None:
    cluster = cluster_with()
    run(cluster, {"logs": [deployment("logs")], "web": [deployment("web")]})
    verbs = [
        call.verb for call in cluster.calls if call.verb in ("apply", "watch") and "/mop-" not in call.about
    ]
    assert cluster.wrote("apply") == [f"Deployment/{NAMESPACE}/logs", f"Deployment/{NAMESPACE}/web"]
    assert verbs[:3] == ["apply", "apply", "watch"]


def test_component_by_component_waits_for_each_and_stops_at_the_first_that_fails() -> None:
    failed = {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]}

    def fail_jobs(cluster: FakeCluster, manifest: Manifest) -> None:
        if manifest["kind"] == "Job" and "status" not in manifest:
            cluster.set_status(ref(manifest), failed)

    cluster = FakeCluster(reactions=(controllers, fail_jobs))
    components = {
        "one": [config_map("one")],
        "two": [obj("batch/v1", "Job", "two")],
        "three": [config_map("three")],
    }
    with pytest.raises(NotReady, match="BackoffLimitExceeded") as caught:
        run(cluster, components, order="component-by-component")
    assert cluster.wrote("apply") == [f"ConfigMap/{NAMESPACE}/one", f"Job/{NAMESPACE}/two"]
    assert "2 of 3 objects were dealt with (2 written), 1 were not" in caught.value.message


def test_a_conflict_is_told_before_anything_is_written() -> None:
    cluster = cluster_with(namespace(), config_map(colour="red"))
    with pytest.raises(FieldConflict) as caught:
        run(cluster, {"web": [config_map(colour="blue"), secret()]})
    assert cluster.did("apply", "create") == []
    (problem,) = caught.value.problems
    assert (problem.found, problem.path) == ("somebody", "data.colour")
    assert "--force-conflicts" in caught.value.hint


def test_conflicts_are_taken_when_asked() -> None:
    cluster = cluster_with(namespace(), config_map(colour="red"))
    run(cluster, {"web": [config_map(colour="blue")]}, options=Options(force=True))
    assert cluster.live(ref(config_map()))["data"]["colour"] == "blue"


def test_without_wait_nothing_is_watched() -> None:
    cluster = FakeCluster()
    (result,) = run(cluster, {"web": [deployment()]}, options=Options(wait=False))
    assert cluster.did("watch") == []
    assert result.objects == ()


def test_a_failure_in_the_middle_says_how_far_it_came() -> None:
    cluster = cluster_with(namespace())
    staging = environment()
    plans = plan(cluster, staging, {"web": [config_map(), secret(), deployment()]})
    cluster.errors["apply Deployment"] = Unreachable("fake gives no answer")
    with pytest.raises(Unreachable) as caught:
        apply(cluster, staging, plans)
    assert caught.value.message == (
        "fake gives no answer\n2 of 3 objects were dealt with (2 written), 1 were not"
    )


def test_ctrl_c_says_what_was_done_and_the_next_apply_goes_on() -> None:
    cluster, stop = cluster_with(namespace()), Stop()
    components = {"web": [secret(), config_map(), deployment()]}

    def press(fact: Written | Waiting) -> None:
        if isinstance(fact, Written) and fact.change.ref.kind == "ConfigMap":
            stop.set()

    with pytest.raises(Interrupted) as caught:
        run(cluster, components, progress=press, stop=stop)
    assert "2 of 3 objects were dealt with (2 written), 1 were not" in caught.value.message
    assert caught.value.exit_code == 130

    (result,) = run(cluster, components)
    assert cluster.wrote("apply") == [f"Deployment/{NAMESPACE}/web"]
    assert result.written == 1


def test_ctrl_c_in_the_main_thread_is_minded_too() -> None:
    def press(_fact: Written | Waiting) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run(cluster_with(namespace()), {"web": [config_map()]}, progress=press)


def test_a_namespace_that_is_being_deleted_stops_the_apply() -> None:
    dying = namespace()
    dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    cluster = cluster_with(dying)
    with pytest.raises(Rejected, match="is being deleted"):
        run(cluster, {"web": [config_map()]})
    assert cluster.did("apply") == []


def test_progress_counts_every_object() -> None:
    facts: list[Written] = []

    def progress(fact: Written | Waiting) -> None:
        if isinstance(fact, Written):
            facts.append(fact)

    run(cluster_with(), {"web": [config_map(), secret()]}, progress=progress)
    assert [(fact.done, fact.total) for fact in facts] == [(1, 2), (2, 2)]


class TestAuthorise:
    def test_yes_or_the_name_agrees(self) -> None:
        authorise(environment(), yes=True)
        authorise(environment(), confirm="staging")
        authorise(environment(), confirm="production, staging")
        authorise(environment(), planned=True)

    def test_nobody_agreed(self) -> None:
        with pytest.raises(UsageError, match="nobody agreed") as caught:
            authorise(environment())
        assert "MOP_CONFIRM=staging" in caught.value.hint

    def test_another_name_does_not_agree(self) -> None:
        with pytest.raises(UsageError, match="is not the environment staging"):
            authorise(environment(), confirm="production")

    @pytest.mark.parametrize(
        "agreed",
        [{"yes": True}, {"confirm": "production", "named": False}, {"yes": True, "confirm": "staging"}],
    )
    def test_a_protected_environment_needs_its_name(self, agreed: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match="production is protected") as caught:
            authorise(environment("production", protected=True), **agreed)
        assert "--confirm production" in caught.value.hint

    def test_a_protected_environment_is_opened_by_its_name_or_a_plan(self) -> None:
        authorise(environment("production", protected=True), confirm="production")
        authorise(environment("production", protected=True), planned=True, named=False)


def test_a_rollout_that_cannot_be_carried_out_is_refused_before_anything_is_written() -> None:
    cluster = cluster_with()
    staging = replace(environment(), rollout={"web": Rollout("canary")})
    plans = plan(cluster, staging, {"web": [config_map()]})
    cluster.calls.clear()
    with pytest.raises(UsageError, match=r"cannot carry out: web \(canary\)"):
        apply(cluster, staging, plans)
    assert cluster.calls == []
