"""Small Kubernetes objects for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mop.manifest import Manifest
from mop.model import Environment, OrderName, Target

NAMESPACE = "monitoring"


def obj(api_version: str, kind: str, name: str, namespace: str = NAMESPACE, **fields: Any) -> Manifest:
    """An object; `namespace=""` for cluster-scoped kinds."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def config_map(name: str = "settings", **data: str) -> Manifest:
    return obj("v1", "ConfigMap", name, data=data or {"colour": "blue"})


def secret(name: str = "login", **values: str) -> Manifest:
    return obj("v1", "Secret", name, stringData=values or {"password": "hunter22"})


def namespace(name: str = NAMESPACE) -> Manifest:
    return obj("v1", "Namespace", name, "")


def deployment(name: str = "web", replicas: int = 1, image: str = "web:1") -> Manifest:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "web", "image": image}]},
        },
    }
    return obj("apps/v1", "Deployment", name, spec=spec)


def definition(kind: str = "Widget", group: str = "example.com") -> Manifest:
    names = {"kind": kind, "plural": f"{kind.lower()}s"}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [{"name": "v1"}]}
    return obj(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{names['plural']}.{group}", "", spec=spec
    )


def widget(name: str = "gear") -> Manifest:
    return obj("example.com/v1", "Widget", name, spec={"size": 3})


def environment(
    name: str = "staging",
    *,
    components: tuple[str, ...] = ("web",),
    order: OrderName = "all-at-once",
    protected: bool = False,
    namespace: str = NAMESPACE,
) -> Environment:
    return Environment(
        name=name,
        namespace=namespace,
        kubernetes="1.34",
        target=Target("context", context="staging-eu-1"),
        components=components,
        path=str(Path("environments") / name),
        order=order,
        protected=protected,
    )
