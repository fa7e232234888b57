"""Objects for tests against a real API server, and an environment around a namespace."""

from __future__ import annotations

import uuid
from typing import Any

from mop.manifest import Manifest
from mop.model import Environment, OrderName, Target

SIMULATE = "mop.raibid-labs.dev/simulate"


def environment(namespace: str, name: str = "", *, order: OrderName = "all-at-once") -> Environment:
    """An environment of its own name, so that tests do not find each other's objects."""
    return Environment(
        name=name or namespace,
        namespace=namespace,
        kubernetes="1.36",
        target=Target("embedded"),
        components=("web",),
        path="environments/test",
        order=order,
    )


def obj(api_version: str, kind: str, namespace: str, name: str, **fields: Any) -> Manifest:
    """An object; `namespace=""` for cluster-scoped kinds."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def config_map(namespace: str, name: str = "settings", **data: str) -> Manifest:
    return obj("v1", "ConfigMap", namespace, name, data=data or {"colour": "blue"})


def secret(namespace: str, name: str = "login", **values: str) -> Manifest:
    return obj("v1", "Secret", namespace, name, stringData=values or {"password": "hunter22"})


def service(namespace: str, name: str = "web") -> Manifest:
    ports = [{"name": "http", "port": 80}]
    return obj("v1", "Service", namespace, name, spec={"selector": {"app": name}, "ports": ports})


def template(app: str, image: str = "example.com/app:1", simulate: str = "") -> dict[str, Any]:
    annotations = {"annotations": {SIMULATE: simulate}} if simulate else {}
    containers = [{"name": "main", "image": image}]
    return {"metadata": {"labels": {"app": app}, **annotations}, "spec": {"containers": containers}}


def workload(kind: str, namespace: str, name: str = "web", **spec: Any) -> Manifest:
    """A Deployment, StatefulSet or DaemonSet of one container; `image`, `simulate` shape its pods."""
    pods = template(name, spec.pop("image", "example.com/app:1"), spec.pop("simulate", ""))
    return obj(
        "apps/v1",
        kind,
        namespace,
        name,
        spec={"selector": {"matchLabels": {"app": name}}, "template": pods, **spec},
    )


def deployment(namespace: str, name: str = "web", **spec: Any) -> Manifest:
    return workload("Deployment", namespace, name, **spec)


def job(namespace: str, name: str = "setup", simulate: str = "", **spec: Any) -> Manifest:
    pods = template(name, simulate=simulate)
    pods["spec"]["restartPolicy"] = "Never"
    return obj("batch/v1", "Job", namespace, name, spec={"template": pods, **spec})


def definition() -> tuple[Manifest, str]:
    """A CustomResourceDefinition of a group that no other test has, and the apiVersion of its kind `Widget`."""
    group = f"test-{uuid.uuid4().hex[:8]}.example.com"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    spec = {
        "group": group,
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}},
            }
        ],
    }
    crd = obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", f"widgets.{group}", spec=spec)
    return crd, f"{group}/v1"
