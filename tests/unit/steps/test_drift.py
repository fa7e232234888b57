"""Drift is what others did since the last apply; what is meant to move is none."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from mop.manifest import Manifest, ref
from mop.report.drift import drift_json, drift_metrics, drift_text
from mop.results import ComponentDiff, Place
from mop.rollout.applyset import Owner
from mop.rollout.drifting import Ignored
from mop.steps import apply as applying
from mop.steps.diff import plan
from mop.steps.drift import drift
from tests.fakes import FakeCluster
from tests.unit.objects import NAMESPACE, config_map, deployment, environment, namespace, obj, secret

PLACES = {"staging": Place("staging-eu-1")}


def cluster_with(*manifests: Manifest) -> FakeCluster:
    cluster = FakeCluster(namespace())
    cluster.kinds["autoscaling/v2", "HorizontalPodAutoscaler"] = True
    staging = environment()
    plans = plan(cluster, staging, {"web": manifests})
    applying.apply(cluster, staging, plans, options=applying.Options(wait=False))
    return cluster


def edit(cluster: FakeCluster, manifest: Manifest, **fields: object) -> None:
    cluster.put({**cluster.live(ref(manifest)), **fields}, "kubectl-edit")


def found(cluster: FakeCluster, *ignored: Ignored) -> ComponentDiff:
    (one,) = drift(cluster, environment(), ["web"], ignored=ignored)
    return one


def told(each: ComponentDiff) -> list[tuple[str, str]]:
    return [(change.action, change.ref.name) for change in each.changes if change.action != "keep"]


def test_what_nobody_touched_has_not_drifted() -> None:
    assert not found(cluster_with(config_map(), secret(), deployment())).changed


def test_it_is_measured_by_what_was_applied_and_not_by_the_working_tree() -> None:
    """Nothing is rendered here at all."""
    cluster = cluster_with(config_map(colour="blue"))
    edit(cluster, config_map(), data={"colour": "red"})
    (change,) = [each for each in found(cluster).changes if each.action == "update"]
    assert [(f.path, f.old, f.new) for f in change.fields] == [("data.colour", "red", "blue")]


def test_what_somebody_deleted_or_added() -> None:
    cluster = cluster_with(config_map("gone"), secret())
    cluster.delete(ref(config_map("gone")))
    foreign = config_map("foreign")
    foreign["metadata"]["labels"] = Owner("staging", "web", NAMESPACE).labels
    cluster.put(foreign, "kubectl")
    # A set knows of the kinds that it has members of.
    assert told(found(cluster)) == [("add", "gone"), ("delete", "foreign")]


def test_what_a_controller_made_for_its_owner_is_no_drift() -> None:
    cluster = cluster_with(config_map())
    made = config_map("made")
    made["metadata"] |= {
        "labels": Owner("staging", "web", NAMESPACE).labels,
        "ownerReferences": [{"name": "x"}],
    }
    cluster.put(made, "controller")
    assert not found(cluster).changed


def test_replicas_that_an_autoscaler_sets_are_no_drift() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = obj("autoscaling/v2", "HorizontalPodAutoscaler", "web", spec={"scaleTargetRef": target})
    cluster = cluster_with(deployment(replicas=2), scaler)
    edit(cluster, deployment(), spec={**deployment(replicas=5)["spec"]})
    assert not found(cluster).changed
    edit(cluster, deployment(), spec={**deployment(replicas=5, image="other:1")["spec"]})
    assert told(found(cluster)) == [("update", "web")]


def test_rules_say_what_else_may_move() -> None:
    cluster = cluster_with(config_map(colour="blue", size="1"))
    edit(cluster, config_map(), data={"colour": "red", "size": "1"})
    assert not found(cluster, Ignored("data.*", "ConfigMap", "sett*")).changed
    assert found(cluster, Ignored("data.size")).changed
    assert found(cluster, Ignored("data.*", "Secret")).changed


def test_a_component_without_a_revision_is_left_out() -> None:
    assert drift(FakeCluster(namespace()), environment(), ["web"]) == []


def test_it_changes_nothing() -> None:
    cluster = cluster_with(config_map())
    cluster.calls.clear()
    found(cluster)
    assert cluster.did("apply", "create", "delete") == []


def test_reports() -> None:
    cluster = cluster_with(config_map("gone"), secret())
    cluster.delete(ref(config_map("gone")))
    drifts = [found(cluster)]
    assert "1 deleted by somebody" in drift_text(drifts, PLACES)
    document = drift_json(drifts, PLACES)
    schemas = Path(__file__).parents[3] / "docs" / "reference" / "schemas"
    jsonschema.validate(document, json.loads((schemas / "drift.json").read_text()))
    assert document["drift"] is True
    assert drift_metrics(drifts).splitlines()[2:] == [
        'mop_drift_objects{environment="staging",component="web",kind="ConfigMap"} 1'
    ]
    quiet = [found(cluster_with(config_map()))]
    assert drift_metrics(quiet).endswith(
        'mop_drift_objects{environment="staging",component="web",kind=""} 0\n'
    )
    assert drift_text(quiet, PLACES).endswith("no drift (1 objects)")
