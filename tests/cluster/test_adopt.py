"""Objects of other tools are taken over without being made anew, and nothing of the old managers stays.

Their managedFields are made by the requests that those tools send.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from mop.controlplane import Endpoint
from mop.engines.protocols import FIELD_MANAGER, Cluster
from mop.errors import Rejected
from mop.manifest import Manifest, ref
from mop.masking import LAST_APPLIED
from mop.model import Environment
from mop.rollout.immutable import ON_IMMUTABLE
from mop.steps.apply import Options, apply
from mop.steps.diff import Options as Planning
from mop.steps.diff import plan
from tests.cluster.actors import session
from tests.cluster.objects import config_map, deployment, environment, job, workload

ADOPT = Planning(adopt=True, migrate=True)


def path(manifest: Manifest) -> str:
    it = ref(manifest)
    base = f"/apis/{it.api_version}" if "/" in it.api_version else f"/api/{it.api_version}"
    return f"{base}/namespaces/{it.namespace}/{it.kind.lower()}s"


def client_side(endpoint: Endpoint, manifest: Manifest, manager: str) -> None:
    """As `kubectl apply` creates, or Helm 3: a POST, with the manifest kept in an annotation."""
    annotations = {LAST_APPLIED: json.dumps(manifest)} if manager.startswith("kubectl") else {}
    annotations["meta.helm.sh/release-name"] = "web"
    body = {**manifest, "metadata": {**manifest["metadata"], "annotations": annotations}}
    answer = session(endpoint).request(
        "POST", path(manifest), params={"fieldManager": manager}, body=json.dumps(body).encode()
    )
    assert answer.status_code == 201, answer.text


def server_side(endpoint: Endpoint, manifest: Manifest, manager: str) -> None:
    """As `kubectl apply --server-side` and Helm 4."""
    answer = session(endpoint).request(
        "PATCH",
        f"{path(manifest)}/{manifest['metadata']['name']}",
        params={"fieldManager": manager},
        body=json.dumps(manifest).encode(),
        content_type="application/apply-patch+yaml",
    )
    assert answer.is_success, answer.text


def live(cluster: Cluster, manifest: Manifest) -> dict[str, Any]:
    found = cluster.get(ref(manifest))
    assert found is not None
    return found


def deliver(cluster: Cluster, staging: Environment, manifest: Manifest, planning: Planning) -> None:
    apply(
        cluster, staging, plan(cluster, staging, {"web": [manifest]}, planning), options=Options(wait=False)
    )


@pytest.mark.parametrize(
    ("make", "manager"),
    [
        (client_side, "kubectl-client-side-apply"),
        (client_side, "helm"),
        (server_side, "kubectl"),
        (server_side, "helm"),
    ],
)
def test_what_another_tool_made_is_ours_and_nothing_of_it_stays(
    make: Any, manager: str, cluster: Cluster, endpoint: Endpoint, namespace: str
) -> None:
    staging = environment(namespace)
    theirs = deployment(namespace, replicas=1, revisionHistoryLimit=3)
    theirs["metadata"]["labels"] = {"made-by": "them"}
    theirs["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "OLD", "value": "1"}]
    make(endpoint, theirs, manager)
    uid = live(cluster, theirs)["metadata"]["uid"]
    ours = deployment(namespace, replicas=2)

    (planned,) = plan(cluster, staging, {"web": [ours]}, ADOPT)
    (change,) = planned.changes
    assert not change.conflicts
    assert change.note == f"taken over from {manager}"
    gone = {field.path for field in change.fields if field.action == "delete"}
    assert "metadata.labels.made-by" in gone
    apply(cluster, staging, [planned], options=Options(wait=False))

    now = live(cluster, ours)
    assert now["metadata"]["uid"] == uid, "it was made anew"
    assert now["spec"]["replicas"] == 2
    assert "env" not in now["spec"]["template"]["spec"]["containers"][0]
    assert "made-by" not in now["metadata"]["labels"]
    assert not {LAST_APPLIED, "meta.helm.sh/release-name"} & (now["metadata"].get("annotations") or {}).keys()
    managers = {each["manager"] for each in now["metadata"]["managedFields"] if not each.get("subresource")}
    assert FIELD_MANAGER in managers
    assert manager not in managers
    (again,) = plan(cluster, staging, {"web": [ours]})
    assert not again.writes


def test_without_adopt_their_fields_are_theirs(cluster: Cluster, endpoint: Endpoint, namespace: str) -> None:
    theirs = config_map(namespace, colour="blue")
    server_side(endpoint, theirs, "helm")
    (planned,) = plan(cluster, environment(namespace), {"web": [config_map(namespace, colour="red")]})
    (change,) = planned.changes
    assert [(each.manager, each.path) for each in change.conflicts] == [("helm", "data.colour")]


def test_a_field_that_cannot_change_is_named_with_what_can_be_done(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    deliver(cluster, staging, job(namespace), Planning())
    other = job(namespace)
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/app:2"
    with pytest.raises(Rejected) as raised:
        plan(cluster, staging, {"web": [other]})
    (problem,) = raised.value.problems
    assert "spec.template.spec.containers[main].image" in problem.hint
    assert f"{ON_IMMUTABLE}: recreate" in problem.hint


def test_a_job_is_made_anew_where_it_says_so(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    deliver(cluster, staging, job(namespace), Planning())
    uid = live(cluster, job(namespace))["metadata"]["uid"]
    other = job(namespace)
    other["metadata"]["annotations"] = {ON_IMMUTABLE: "recreate"}
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/app:2"
    deliver(cluster, staging, other, Planning())
    now = live(cluster, other)
    assert now["metadata"]["uid"] != uid
    assert now["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/app:2"
    assert not plan(cluster, staging, {"web": [other]})[0].writes


def test_a_stateful_set_is_made_anew_while_its_pods_go_on(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    first = workload("StatefulSet", namespace, serviceName="web", replicas=1)
    apply(cluster, staging, plan(cluster, staging, {"web": [first]}), options=Options(timeout=120))
    pods = {pod["metadata"]["uid"] for pod in cluster.list("v1", "Pod", namespace)}
    uid = live(cluster, first)["metadata"]["uid"]
    other = workload("StatefulSet", namespace, serviceName="other", replicas=1)
    other["metadata"]["annotations"] = {ON_IMMUTABLE: "orphan"}
    apply(cluster, staging, plan(cluster, staging, {"web": [other]}), options=Options(timeout=120))
    assert live(cluster, other)["metadata"]["uid"] != uid
    assert live(cluster, other)["spec"]["serviceName"] == "other"
    assert {pod["metadata"]["uid"] for pod in cluster.list("v1", "Pod", namespace)} == pods
