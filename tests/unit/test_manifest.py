"""Identity, order and file names of objects."""

from __future__ import annotations

from typing import Any

from mop.manifest import ObjectRef, file_names, ref, sort_key


def obj(kind: str, name: str, namespace: str = "", api: str = "v1") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def test_order_is_tankas_with_unknown_kinds_last_by_name() -> None:
    objects = [
        obj("Zebra", "a"),
        obj("Alpaca", "b"),
        obj("Deployment", "web", api="apps/v1"),
        obj("ConfigMap", "b", "two"),
        obj("ConfigMap", "a", "two"),
        obj("ConfigMap", "z", "one"),
        obj("Namespace", "n"),
    ]
    assert [str(ref(o)) for o in sorted(objects, key=sort_key)] == [
        "Namespace/n",
        "ConfigMap/one/z",
        "ConfigMap/two/a",
        "ConfigMap/two/b",
        "Deployment/web",
        "Alpaca/b",
        "Zebra/a",
    ]


def test_full_ties_are_broken_by_api_version() -> None:
    objects = [obj("Ingress", "a", api="b/v1"), obj("Ingress", "a", api="a/v1")]
    assert [o["apiVersion"] for o in sorted(objects, key=sort_key)] == ["a/v1", "b/v1"]


def test_file_names_are_those_of_tk_export() -> None:
    names = file_names(
        [obj("Deployment", "grafana", "monitoring", "apps/v1"), obj("ClusterRole", "system:x")]
    )
    assert list(names.values()) == ["apps-v1.Deployment-grafana.yaml", "v1.ClusterRole-system:x.yaml"]


def test_objects_that_would_share_a_file_get_their_namespace() -> None:
    names = file_names(
        [obj("ConfigMap", "a", "one"), obj("ConfigMap", "a", "two"), obj("ConfigMap", "b", "one")]
    )
    assert list(names.values()) == [
        "v1.ConfigMap-a-one.yaml",
        "v1.ConfigMap-a-two.yaml",
        "v1.ConfigMap-b.yaml",
    ]


def test_the_api_version_is_no_part_of_the_identity() -> None:
    old, new = ObjectRef("apps/v1beta1", "Deployment", "n", "a"), ObjectRef("apps/v1", "Deployment", "n", "a")
    assert old.identity == new.identity
    assert old.group == "apps"
    assert ObjectRef("v1", "Secret", "n", "a").group == ""
