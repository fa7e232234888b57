"""What the embedded cluster does with objects: workloads become ready, volumes are bound, nothing is dialled."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mop.controlplane import ControlPlane, Endpoint
from mop.engines.protocols import Cluster
from mop.errors import ClusterError, Rejected
from mop.manifest import Manifest, ObjectRef, ref


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What `condition` gives once it is true; fails if it never is."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return value


def template(app: str, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod template of one container."""
    metadata = {"labels": {"app": app}, "annotations": annotations or {}}
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": "main", "image": "example.com/app:1"}], **spec},
    }


def workload(kind: str, name: str, namespace: str, replicas: int = 1, **spec: Any) -> Manifest:
    """A Deployment or StatefulSet."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name),
            **spec,
        },
    }


def pod(name: str, namespace: str, simulate: str = "", **spec: Any) -> Manifest:
    """A pod of one container."""
    annotations = {"mop.raibid-labs.dev/simulate": simulate} if simulate else {}
    made = template(name, annotations, **spec)
    made["metadata"] |= {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", **made}


def status(cluster: Cluster, manifest: Manifest) -> dict[str, Any]:
    """The live object's status."""
    live = cluster.get(ref(manifest))
    found: dict[str, Any] = (live or {}).get("status", {})
    return found


def claims(cluster: Cluster, namespace: str) -> list[Manifest]:
    """The claims of a namespace."""
    return cluster.list("v1", "PersistentVolumeClaim", namespace)


def volumes_of(cluster: Cluster, namespace: str) -> list[Manifest]:
    """The volumes that are or were bound to the namespace's claims."""
    every = cluster.list("v1", "PersistentVolume")
    return [volume for volume in every if volume["spec"]["claimRef"]["namespace"] == namespace]


def test_a_deployment_becomes_ready_over_all_zones(cluster: Cluster, namespace: str) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    web = workload(
        "Deployment", "web", namespace, 3, template=template("web", topologySpreadConstraints=[spread])
    )

    cluster.apply(web)

    eventually(lambda: status(cluster, web).get("readyReplicas") == 3)
    pods = cluster.list("v1", "Pod", namespace)
    assert {one["spec"]["nodeName"] for one in pods} == {"simulated-a", "simulated-b", "simulated-c"}
    assert all(one["status"]["podIP"].startswith("198.18.") for one in pods)


@pytest.mark.parametrize("storage_class", [None, "a-class-that-nobody-made"])
def test_volumes_are_bound_again_and_again(
    cluster: Cluster, namespace: str, storage_class: str | None
) -> None:
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}}
    if storage_class:
        spec["storageClassName"] = storage_class
    wanted = [{"metadata": {"name": "data"}, "spec": spec}]
    store = workload("StatefulSet", "store", namespace, 2, serviceName="store", volumeClaimTemplates=wanted)
    seen: set[str] = set()

    for _round in range(3):
        cluster.apply(store)
        eventually(lambda: status(cluster, store).get("readyReplicas") == 2)
        bound = {one["spec"]["volumeName"] for one in claims(cluster, namespace)}
        assert len(bound) == 2
        assert not bound & seen, "a claim of the same name gets a volume of its own"
        seen |= bound
        cluster.delete(ref(store))
        for claim in claims(cluster, namespace):
            cluster.delete(ref(claim))
        eventually(lambda: not claims(cluster, namespace) and not volumes_of(cluster, namespace))


def test_a_claim_that_outlives_its_workload_is_used_again(cluster: Cluster, namespace: str) -> None:
    wanted = [
        {
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    ]
    store = workload("StatefulSet", "store", namespace, serviceName="store", volumeClaimTemplates=wanted)
    cluster.apply(store)
    eventually(lambda: status(cluster, store).get("readyReplicas") == 1)
    [before] = claims(cluster, namespace)

    cluster.delete(ref(store))
    eventually(lambda: not cluster.list("v1", "Pod", namespace))
    cluster.apply(store)

    eventually(lambda: status(cluster, store).get("readyReplicas") == 1)
    [after] = claims(cluster, namespace)
    assert after["spec"]["volumeName"] == before["spec"]["volumeName"]


def test_what_is_meant_to_end_ends_well(cluster: Cluster, namespace: str) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": namespace},
        "spec": {"template": template("migrate", restartPolicy="OnFailure")},
    }
    hook = pod("hook", namespace, restartPolicy="Never")

    cluster.apply(job)
    cluster.apply(hook)

    eventually(lambda: status(cluster, job).get("succeeded") == 1)
    eventually(lambda: status(cluster, hook).get("phase") == "Succeeded")


def test_a_pod_goes_wrong_as_its_annotation_says(cluster: Cluster, namespace: str) -> None:
    failed = pod("failed", namespace, "Failed", restartPolicy="Never")
    unready = pod("unready", namespace, "Unready")
    crashing = pod("crashing", namespace, "CrashLoopBackOff")
    waiting = pod("waiting", namespace, "ImagePullBackOff")

    for one in (failed, unready, crashing, waiting):
        cluster.apply(one)

    eventually(lambda: status(cluster, failed).get("phase") == "Failed")
    eventually(lambda: status(cluster, unready).get("podIP"))
    assert ready_condition(status(cluster, unready)) == "False"
    container = eventually(lambda: status(cluster, crashing).get("containerStatuses"))[0]
    assert (container["restartCount"], container["state"]["waiting"]["reason"]) == (5, "CrashLoopBackOff")
    container = eventually(lambda: status(cluster, waiting).get("containerStatuses"))[0]
    assert container["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert status(cluster, waiting)["phase"] == "Pending"


def ready_condition(found: dict[str, Any]) -> str:
    """The status of the condition Ready."""
    conditions = {one["type"]: one["status"] for one in found["conditions"]}
    return str(conditions["Ready"])


def test_a_pod_is_deleted_at_once_but_not_against_its_finalizers(cluster: Cluster, namespace: str) -> None:
    slow = pod("slow", namespace, terminationGracePeriodSeconds=3600)
    held = pod("held", namespace)
    held["metadata"]["finalizers"] = ["example.com/hold"]
    for one in (slow, held):
        cluster.apply(one)
        eventually(lambda one=one: status(cluster, one).get("podIP"))

    cluster.delete(ref(slow))
    cluster.delete(ref(held))

    eventually(lambda: cluster.get(ref(slow)) is None)
    assert cluster.get(ref(held)) is not None
    held["metadata"]["finalizers"] = []
    cluster.apply(held)
    eventually(lambda: cluster.get(ref(held)) is None)


def test_a_container_says_that_it_is_simulated(cluster: Cluster, namespace: str) -> None:
    web = pod("web", namespace)
    cluster.apply(web)
    eventually(lambda: status(cluster, web).get("podIP"))

    assert "simulated" in cluster.logs(namespace, "web")


# ---------------------------------------------------------------- through the API server's proxy


class Ready(BaseHTTPRequestHandler):
    """A server that stands for a pod."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"ready at {self.path}".encode())

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server on loopback."""
    with HTTPServer(("127.0.0.1", 0), Ready) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{http.server_port}"
        http.shutdown()


def proxied(endpoint: Endpoint, path: str) -> tuple[int, str]:
    """Status and text of a GET of the API server."""
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    tls = ssl.create_default_context(cafile=str(endpoint.ca))
    request = urllib.request.Request(endpoint.server + path, headers=headers)  # noqa: S310 - https, our own
    try:
        with urllib.request.urlopen(request, timeout=20, context=tls) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def companion_log(control_plane: ControlPlane) -> str:
    """What the way out has said."""
    return (control_plane.status().folder / "logs" / "companion.log").read_text()


def address_of(cluster: Cluster, namespace: str) -> str:
    """The address of a new pod `web`."""
    web = pod("web", namespace)
    cluster.apply(web)
    return str(eventually(lambda: status(cluster, web).get("podIP")))


def test_an_invented_address_is_never_dialled(
    control_plane: ControlPlane, endpoint: Endpoint, cluster: Cluster, namespace: str
) -> None:
    address = address_of(cluster, namespace)

    code, text = proxied(endpoint, f"/api/v1/namespaces/{namespace}/pods/web:3100/proxy/ready")

    assert code == 503
    assert f"{address}:3100 is simulated and nothing stands in for it" in json.loads(text)["message"]
    log = companion_log(control_plane)
    assert f"refused {address}:3100" in log
    assert f"connected {address}:3100" not in log


def test_a_server_that_stands_for_a_pod_answers_through_the_api_server(
    control_plane: ControlPlane, endpoint: Endpoint, cluster: Cluster, namespace: str, server: str
) -> None:
    address = address_of(cluster, namespace)
    path = f"/api/v1/namespaces/{namespace}/pods/web:3100/proxy/ready"

    control_plane.stand_in(f"{address}:3100", server)
    try:
        assert proxied(endpoint, path) == (200, "ready at /ready")
    finally:
        control_plane.stand_in(f"{address}:3100", None)

    assert proxied(endpoint, path)[0] == 503


SLICES = ("discovery.k8s.io/v1", "EndpointSlice")


def test_a_server_stands_for_a_service_too(
    control_plane: ControlPlane, endpoint: Endpoint, cluster: Cluster, namespace: str, server: str
) -> None:
    address = address_of(cluster, namespace)
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 3100}]},
    }
    cluster.apply(service)
    eventually(lambda: any(one["endpoints"] for one in cluster.list(*SLICES, namespace)))

    control_plane.stand_in(f"{address}:3100", server)
    try:
        path = f"/api/v1/namespaces/{namespace}/services/web:80/proxy/ready"
        assert eventually(lambda: (answer := proxied(endpoint, path))[0] == 200 and answer) == (
            200,
            "ready at /ready",
        )
    finally:
        control_plane.stand_in(f"{address}:3100", None)


class Refuses(Ready):
    """An admission webhook that refuses."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        verdict = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": "not today"}}
        self.send_response(200)
        self.end_headers()
        answer = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": verdict}
        self.wfile.write(json.dumps(answer).encode())


def test_a_webhook_on_this_machine_is_asked(endpoint: Endpoint, cluster: Cluster, namespace: str) -> None:
    pki = endpoint.ca.parent
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pki / "server.crt", pki / "server.key")
    with HTTPServer(("127.0.0.1", 0), Refuses) as http:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        hook: Manifest = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace},
            "webhooks": [
                {
                    "name": "refuses.example.com",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                    "rules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "resources": ["secrets"],
                            "operations": ["CREATE"],
                        }
                    ],
                    "clientConfig": {
                        "url": f"https://127.0.0.1:{http.server_port}/",
                        "caBundle": base64.b64encode(endpoint.ca.read_bytes()).decode(),
                    },
                }
            ],
        }
        cluster.create(hook)
        try:
            assert eventually(lambda: refused(cluster, namespace)) == "not today"
        finally:
            cluster.delete(ref(hook))
            http.shutdown()


def test_a_webhook_of_a_simulated_pod_is_not_asked(cluster: Cluster, namespace: str) -> None:
    """Grafana's rollout-operator brings such a one, and every later change of a StatefulSet would fail."""
    hook: Manifest = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [
            {
                "name": "simulated.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["secrets"],
                        "operations": ["CREATE"],
                    }
                ],
                "clientConfig": {"service": {"name": "operator", "namespace": namespace, "path": "/"}},
            }
        ],
    }
    cluster.apply(hook)
    try:
        eventually(lambda: (cluster.get(ref(hook)) or {})["webhooks"][0].get("matchConditions"))
        assert cluster.apply(hook, dry_run=True).manifest["webhooks"][0]["matchConditions"], (
            "no apply takes it away"
        )
        eventually(lambda: created(cluster, namespace))
    finally:
        cluster.delete(ref(hook))


def created(cluster: Cluster, namespace: str) -> bool:
    """Whether a new Secret goes in (not yet, if the API server still knows the webhook as it was)."""
    try:
        return refused(cluster, namespace) == ""
    except ClusterError:
        return False


def refused(cluster: Cluster, namespace: str) -> str:
    """What the API server says to a new Secret; "" if it takes it (the webhook is not known to it yet)."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    try:
        cluster.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
        )
    except Rejected as error:
        return error.message.rpartition("denied the request: ")[2]
    return ""


def test_the_pods_own_addresses_are_not_the_users_network(cluster: Cluster, namespace: str) -> None:
    on_host = pod("on-host", namespace, hostNetwork=True)
    cluster.apply(on_host)

    address = eventually(lambda: status(cluster, on_host).get("podIP"))

    assert address.startswith("198.19."), "a pod on the host's network lives at its node's invented address"


def test_the_cluster_is_furnished(cluster: Cluster, control_plane: ControlPlane) -> None:
    [default] = [
        one["metadata"]["name"]
        for one in cluster.list("storage.k8s.io/v1", "StorageClass")
        if one["metadata"].get("annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    ]
    zones = {one["metadata"]["labels"]["topology.kubernetes.io/zone"] for one in cluster.list("v1", "Node")}
    running = next(one for one in control_plane.status().members if one.name == "kube-apiserver")

    assert default == "simulated"
    assert zones == {"a", "b", "c"}
    assert cluster.kubernetes_version() == running.version
    assert cluster.get(ObjectRef("v1", "Namespace", "", "default")) is not None


def test_the_kubeconfig_is_not_the_users(control_plane: ControlPlane, endpoint: Endpoint) -> None:
    assert endpoint.kubeconfig == control_plane.status().folder / "kubeconfig"
    user = Path.home() / ".kube" / "config"
    assert not user.exists() or endpoint.server not in user.read_text()
