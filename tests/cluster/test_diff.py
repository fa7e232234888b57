"""A diff against a real API server: quiet when nothing changed, exact when something did, and never a secret."""

from __future__ import annotations

import json

import pytest

from mop.controlplane import Endpoint
from mop.engines.protocols import Cluster
from mop.errors import Rejected
from mop.manifest import Manifest, ref
from mop.report.diff import diff_json, diff_text
from mop.results import Place
from mop.steps.apply import Options, apply
from mop.steps.diff import diff, plan
from tests.cluster.actors import apply_as
from tests.cluster.objects import (
    config_map,
    definition,
    deployment,
    environment,
    job,
    obj,
    secret,
    service,
    workload,
)


def everything(namespace: str) -> list[Manifest]:
    """One object of each kind that charts of this field bring, written as people write them: without defaults."""
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    subjects = [{"kind": "ServiceAccount", "name": "web", "namespace": namespace}]
    rbac = "rbac.authorization.k8s.io"
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return [
        obj("networking.k8s.io/v1", "NetworkPolicy", namespace, "web", spec={"podSelector": {}}),
        obj("v1", "ResourceQuota", namespace, "web", spec={"hard": {"pods": "100"}}),
        obj(
            "v1",
            "LimitRange",
            namespace,
            "web",
            spec={"limits": [{"type": "Container", "default": {"cpu": "1"}}]},
        ),
        obj("policy/v1", "PodDisruptionBudget", namespace, "web", spec={"maxUnavailable": 1, "selector": {}}),
        obj("v1", "ServiceAccount", namespace, "web"),
        secret(namespace),
        config_map(namespace),
        obj("v1", "PersistentVolumeClaim", namespace, "web", spec=claim),
        obj(f"{rbac}/v1", "ClusterRole", "", f"{namespace}-web", rules=rules),
        obj(
            f"{rbac}/v1",
            "ClusterRoleBinding",
            "",
            f"{namespace}-web",
            roleRef={"apiGroup": rbac, "kind": "ClusterRole", "name": f"{namespace}-web"},
            subjects=subjects,
        ),
        obj(f"{rbac}/v1", "Role", namespace, "web", rules=rules),
        obj(
            f"{rbac}/v1",
            "RoleBinding",
            namespace,
            "web",
            roleRef={"apiGroup": rbac, "kind": "Role", "name": "web"},
            subjects=subjects,
        ),
        service(namespace),
        workload("DaemonSet", namespace, "agent"),
        deployment(namespace, replicas=2),
        obj(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            namespace,
            "web",
            spec={
                "maxReplicas": 3,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"},
            },
        ),
        workload("StatefulSet", namespace, "db", serviceName="web"),
        job(namespace),
        obj(
            "batch/v1",
            "CronJob",
            namespace,
            "web",
            spec={"schedule": "0 0 * * *", "jobTemplate": {"spec": job(namespace)["spec"]}},
        ),
        obj(
            "networking.k8s.io/v1", "Ingress", namespace, "web", spec={"rules": [{"http": {"paths": paths}}]}
        ),
    ]


def run(cluster: Cluster, namespace: str, *manifests: Manifest, wait: bool = True) -> None:
    staging = environment(namespace)
    apply(
        cluster, staging, plan(cluster, staging, {"web": manifests}), options=Options(wait=wait, timeout=120)
    )


def test_it_is_quiet_for_every_kind_after_any_number_of_applies(cluster: Cluster, namespace: str) -> None:
    objects, staging = everything(namespace), environment(namespace)
    for _ in range(3):
        run(cluster, namespace, *objects)
        (found,) = diff(cluster, staging, {"web": objects})
        assert {str(change.ref): change.fields for change in found.changes if change.action != "keep"} == {}
    for manifest in objects:
        if not manifest["metadata"].get("namespace"):
            cluster.delete(ref(manifest))


def test_a_platform_that_is_not_there_is_all_additions_and_nothing_is_made(
    cluster: Cluster, namespace: str
) -> None:
    crd, api_version = definition()
    nowhere = f"{namespace}-not-there"
    parts = {"operator": [crd], "web": [obj(api_version, "Widget", nowhere, "gear"), *everything(nowhere)]}
    found = diff(cluster, environment(nowhere), parts)
    assert {change.action for each in found for change in each.changes} == {"add"}
    assert cluster.list("v1", "ConfigMap", nowhere) == []
    assert cluster.get(ref(crd)) is None


def test_a_changed_image_is_one_field(cluster: Cluster, namespace: str) -> None:
    run(cluster, namespace, deployment(namespace, image="example.com/app:1"), wait=False)
    (found,) = diff(
        cluster, environment(namespace), {"web": [deployment(namespace, image="example.com/app:2")]}
    )
    (change,) = found.changes
    assert [(f.path, f.old, f.new) for f in change.fields] == [
        ("spec.template.spec.containers[main].image", "example.com/app:1", "example.com/app:2")
    ]


def test_what_others_add_is_theirs_and_no_change(
    cluster: Cluster, namespace: str, endpoint: Endpoint
) -> None:
    run(cluster, namespace, deployment(namespace), wait=False)
    theirs = obj("apps/v1", "Deployment", namespace, "web", metadata={"annotations": {"their": "note"}})
    apply_as("their-tool", theirs, endpoint)
    (found,) = diff(cluster, environment(namespace), {"web": [deployment(namespace)]})
    assert not found.changed


def test_a_removed_key_is_removed_even_of_a_secrets_string_data(cluster: Cluster, namespace: str) -> None:
    run(cluster, namespace, config_map(namespace, a="1", b="2"), secret(namespace, a="x", b="y"))
    after = [config_map(namespace, a="1"), secret(namespace, a="x")]
    (found,) = diff(cluster, environment(namespace), {"web": after})
    assert [[(f.action, f.path) for f in change.fields] for change in found.changes] == [
        [("delete", "data.b")]
    ] * 2
    run(cluster, namespace, *after)
    live = cluster.get(ref(secret(namespace)))
    assert live is not None
    assert live["data"] == {"a": "eA=="}


def test_no_secret_shows_in_text_or_json(cluster: Cluster, namespace: str) -> None:
    def parts(marker: str) -> list[Manifest]:
        web = deployment(namespace)
        web["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "API_TOKEN", "value": marker}]
        return [
            secret(namespace, a=marker),
            config_map(namespace, **{"app.ini": f"db_password = {marker}\n"}),
            web,
        ]

    run(cluster, namespace, *parts("MARKER-old"), wait=False)
    found = diff(
        cluster, environment(namespace), {"web": [*parts("MARKER-new"), secret(namespace, "b", c="MARKER")]}
    )
    places = {namespace: Place(cluster.address, True)}
    shown = diff_text(found, places) + json.dumps(diff_json(found, places))
    assert "MARKER" not in shown
    assert "TUFSS0VS" not in shown  # in base64
    assert found[0].count("update") == 3
    assert "sha:" in shown


def test_every_refusal_is_named_at_once(cluster: Cluster, namespace: str) -> None:
    wrong = service(namespace)
    wrong["spec"]["prots"] = []
    parts = [
        wrong,
        config_map(namespace),
        obj("v1", "ConfigMap", namespace, "UPPER"),
        obj("a.b/v1", "C", namespace, "d"),
    ]
    with pytest.raises(Rejected) as caught:
        diff(cluster, environment(namespace), {"web": parts}, files={ref(wrong): "v1.Service-web.yaml"})
    assert [p.object for p in caught.value.problems] == [
        f"ConfigMap/{namespace}/UPPER",
        f"Service/{namespace}/web",
        f"C/{namespace}/d",
    ]
    assert caught.value.problems[1].file == "v1.Service-web.yaml"
