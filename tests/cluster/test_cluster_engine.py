"""The engine against a real API server: what it sends arrives, what the server says is understood."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mop.controlplane import Endpoint
from mop.engines.cluster import Endpoint as Address
from mop.engines.cluster import connect
from mop.engines.protocols import Cluster
from mop.errors import Denied, FieldConflict, Rejected
from mop.manifest import Manifest, ref
from mop.model import Target
from mop.steps.apply import apply
from mop.steps.diff import plan
from tests.cluster.actors import apply_as, limited
from tests.cluster.objects import config_map, definition, deployment, environment, obj, secret, service

DOCKER = "kubernetes.io/dockerconfigjson"


def test_it_knows_versions_and_kinds(cluster: Cluster) -> None:
    assert cluster.kubernetes_version().startswith("v1.")
    assert cluster.simulated
    assert cluster.knows("apps/v1", "Deployment") is True
    assert cluster.knows("rbac.authorization.k8s.io/v1", "ClusterRole") is False
    assert cluster.knows("apps/v1", "Deploymint") is None
    assert cluster.knows("nowhere.example.com/v1", "Widget") is None


def test_what_is_applied_is_there(cluster: Cluster, namespace: str) -> None:
    applied = cluster.apply(config_map(namespace, a="1"))
    live = cluster.get(ref(applied.manifest))
    assert live == applied.manifest
    assert live is not None
    assert live["data"] == {"a": "1"}
    assert [(m["manager"], m["operation"]) for m in live["metadata"]["managedFields"]] == [("mop", "Apply")]


def test_a_dry_run_changes_nothing_and_has_no_version_of_what_is_not_stored(
    cluster: Cluster, namespace: str
) -> None:
    """Plans rely on it: only what is stored has a resourceVersion."""
    dry = cluster.apply(config_map(namespace), dry_run=True)
    assert "resourceVersion" not in dry.manifest["metadata"]
    assert cluster.get(ref(dry.manifest)) is None
    stored = cluster.apply(config_map(namespace, a="1")).manifest
    dry = cluster.apply(config_map(namespace, a="2"), dry_run=True)
    assert dry.manifest["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]
    assert dry.manifest["data"] == {"a": "2"}


def test_applying_the_same_again_writes_nothing(cluster: Cluster, namespace: str) -> None:
    first = cluster.apply(deployment(namespace)).manifest
    live = cluster.get(ref(first))
    assert live is not None
    again = cluster.apply(deployment(namespace), dry_run=True).manifest
    assert again["spec"] == live["spec"]


def test_a_field_that_the_server_does_not_know_is_refused(cluster: Cluster, namespace: str) -> None:
    wrong = service(namespace)
    wrong["spec"]["prots"] = []
    with pytest.raises(Rejected, match=r"\.spec\.prots: field not declared in schema"):
        cluster.apply(wrong, dry_run=True)


def test_a_field_that_no_client_model_knows_arrives(cluster: Cluster, namespace: str) -> None:
    crd, api_version = definition()
    widget = obj(api_version, "Widget", namespace, "gear", spec={"nobody": {"knows": ["this", 1, None, 1.5]}})
    staging = environment(namespace)
    apply(cluster, staging, plan(cluster, staging, {"web": [crd, widget]}))
    live = cluster.get(ref(widget))
    assert live is not None
    assert live["spec"] == widget["spec"]
    cluster.delete(ref(crd))


def test_another_managers_field_is_a_conflict_that_names_it(
    cluster: Cluster, namespace: str, endpoint: Endpoint
) -> None:
    apply_as("their-tool", config_map(namespace, colour="red"), endpoint)
    with pytest.raises(FieldConflict) as caught:
        cluster.apply(config_map(namespace, colour="blue"))
    assert [(p.found, p.path) for p in caught.value.problems] == [("their-tool", "data.colour")]
    assert cluster.apply(config_map(namespace, colour="blue"), force=True).manifest["data"] == {
        "colour": "blue"
    }


def test_a_deprecated_version_warns(cluster: Cluster, namespace: str) -> None:
    old = obj("v1", "Endpoints", namespace, "legacy", subsets=[])
    assert any("deprecated" in warning for warning in cluster.apply(old, dry_run=True).warnings)


def test_a_list_finds_by_label(cluster: Cluster, namespace: str) -> None:
    for number in range(3):
        cluster.apply(
            obj(
                "v1",
                "ConfigMap",
                namespace,
                f"c{number}",
                metadata={"labels": {"even": str(number % 2 == 0)}},
            )
        )
    found = cluster.list("v1", "ConfigMap", namespace, "even=True")
    assert sorted(ref(each).name for each in found) == ["c0", "c2"]
    assert {each["apiVersion"] for each in found} == {"v1"}


def test_a_delete_of_another_object_of_the_name_does_nothing(cluster: Cluster, namespace: str) -> None:
    live = cluster.apply(config_map(namespace)).manifest
    assert cluster.delete(ref(live), uid="0b1f5b4e-0000-0000-0000-000000000000") is False
    assert cluster.get(ref(live)) is not None
    assert cluster.delete(ref(live), uid=live["metadata"]["uid"]) is True
    assert cluster.delete(ref(live)) is False


def test_a_watch_tells_what_is_there_and_what_happens(cluster: Cluster, namespace: str) -> None:
    def labelled(name: str, colour: str = "blue") -> Manifest:
        return obj(
            "v1", "ConfigMap", namespace, name, metadata={"labels": {"a": "b"}}, data={"colour": colour}
        )

    cluster.apply(labelled("first"))
    watch = cluster.watch("v1", "ConfigMap", namespace, "a=b", timeout=30)
    seen: list[tuple[str, str]] = []
    for event in watch:
        seen.append((event.type, ref(event.manifest).name))
        if seen == [("ADDED", "first")]:
            cluster.apply(labelled("second"))
        elif seen[-1] == ("ADDED", "second"):
            cluster.apply(labelled("second", "red"))
        elif seen[-1] == ("MODIFIED", "second"):
            cluster.delete(ref(event.manifest))
        elif seen[-1] == ("DELETED", "second"):
            watch.close()
    assert seen == [("ADDED", "first"), ("ADDED", "second"), ("MODIFIED", "second"), ("DELETED", "second")]


def test_closing_a_watch_wakes_its_reader(cluster: Cluster, namespace: str) -> None:
    watch = cluster.watch("v1", "ConfigMap", namespace, timeout=60)
    cluster.apply(config_map(namespace))
    begun = threading.Event()

    def read() -> None:
        for _ in watch:
            begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(30)
    watch.close()
    reader.join(10)
    assert not reader.is_alive()


def test_wrong_credentials_are_told_and_not_shown(endpoint: Endpoint, tmp_path: Path) -> None:
    stranger = connect(Target("embedded"), tmp_path, Address(endpoint.server, endpoint.ca, "not-the-token"))
    with pytest.raises(Denied, match="does not accept the credentials") as caught:
        stranger.knows("v1", "Pod")
    assert "not-the-token" not in f"{caught.value.message}{caught.value.hint}"


def test_what_rbac_forbids_is_told_with_who_and_what(
    cluster: Cluster, namespace: str, endpoint: Endpoint
) -> None:
    """A service account that may read ConfigMaps and nothing else."""
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    reader = limited(cluster, endpoint, namespace, rules)
    cluster.apply(config_map(namespace))
    assert ref(config_map(namespace)) in [ref(each) for each in reader.list("v1", "ConfigMap", namespace)]
    with pytest.raises(Denied) as caught:
        reader.list("v1", "Secret", namespace)
    assert f"may not list secrets in namespace {namespace}" in caught.value.message
    with pytest.raises(Denied, match="may not patch configmaps"):
        reader.apply(config_map(namespace), dry_run=True)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"type": DOCKER, "stringData": {".dockerconfigjson": "MARKER"}}, id="type"),
        pytest.param({"data": {"a": "MARKER!!"}}, id="no base64"),
        pytest.param({"stringData": {"MARKER/": "x"}}, id="a bad key is no secret"),
    ],
)  # fmt: skip
def test_a_refused_secret_is_told_without_its_values(
    cluster: Cluster, namespace: str, broken: Manifest
) -> None:
    with pytest.raises(Rejected) as caught:
        cluster.apply({**obj("v1", "Secret", namespace, "login"), **broken}, dry_run=True)
    leaked = "MARKER" in f"{caught.value.message}{caught.value.problems}"
    assert leaked is ("MARKER/" in str(broken))


def test_a_secret_is_stored_as_sent(cluster: Cluster, namespace: str) -> None:
    assert cluster.apply(secret(namespace, password="x")).manifest["data"] == {"password": "eA=="}
