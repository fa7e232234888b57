"""Removal on a real API server: what goes, what stays, and that the sets are as KEP-3659 says."""

from __future__ import annotations

from typing import Any

import pytest

from mop.controlplane import Endpoint
from mop.engines.protocols import Cluster
from mop.errors import Denied
from mop.manifest import Manifest, ref
from mop.model import Environment
from mop.rollout.applyset import GROUP_KINDS, ID, PART_OF, Owner
from mop.steps.apply import Options, apply
from mop.steps.diff import Options as Planning
from mop.steps.diff import plan
from tests.cluster.actors import limited
from tests.cluster.objects import config_map, definition, deployment, environment, obj, secret


def run(cluster: Cluster, staging: Environment, *manifests: Manifest, **planning: Any) -> list[str]:
    """Plan and apply one component; what was deleted."""
    plans = plan(cluster, staging, {"web": manifests}, Planning(**planning))
    (result,) = apply(cluster, staging, plans, options=Options(timeout=120, prune_limit=50))
    return [str(change.ref) for change in result.changes if change.action == "delete"]


def test_what_is_rendered_no_more_is_removed(cluster: Cluster, namespace: str) -> None:
    staging = environment(namespace)
    run(cluster, staging, deployment(namespace), config_map(namespace, "old"), secret(namespace))
    cluster.apply(config_map(namespace, "of-somebody-else"))
    assert run(cluster, staging, secret(namespace)) == [
        f"Deployment/{namespace}/web",
        f"ConfigMap/{namespace}/old",
    ]
    assert cluster.get(ref(config_map(namespace, "old"))) is None
    assert cluster.get(ref(config_map(namespace, "of-somebody-else"))) is not None
    assert run(cluster, staging, secret(namespace)) == []


def test_custom_resources_and_cluster_scoped_objects_are_members(cluster: Cluster, namespace: str) -> None:
    crd, api_version = definition()
    role = obj("rbac.authorization.k8s.io/v1", "ClusterRole", "", f"{namespace}-web", rules=[])
    gear = obj(api_version, "Widget", namespace, "gear", spec={})
    staging = environment(namespace)
    run(cluster, staging, crd, gear, role, config_map(namespace))
    assert run(cluster, staging, config_map(namespace)) == [
        f"Widget/{namespace}/gear",
        f"ClusterRole/{namespace}-web",
    ]
    assert cluster.get(ref(crd)) is not None
    removed = run(cluster, staging, config_map(namespace), everything=True)
    assert removed == [f"CustomResourceDefinition/{crd['metadata']['name']}"]


def test_the_set_is_as_the_specification_says(cluster: Cluster, namespace: str) -> None:
    owner = Owner(namespace, "web", namespace)
    run(cluster, environment(namespace), config_map(namespace), deployment(namespace))
    parent = cluster.get(owner.parent)
    assert parent is not None
    assert parent["metadata"]["labels"][ID] == owner.set_id
    assert parent["metadata"]["annotations"][GROUP_KINDS] == "ConfigMap,Deployment.apps"
    live = cluster.get(ref(config_map(namespace)))
    assert live is not None
    assert live["metadata"]["labels"][PART_OF] == owner.set_id


def test_a_second_apply_leaves_the_parent_alone(cluster: Cluster, namespace: str) -> None:
    staging, parent = environment(namespace), Owner(namespace, "web", namespace).parent
    run(cluster, staging, config_map(namespace))
    before = cluster.get(parent)
    run(cluster, staging, config_map(namespace))
    assert cluster.get(parent) == before


def test_who_may_not_list_a_kind_prunes_nothing(cluster: Cluster, endpoint: Endpoint, namespace: str) -> None:
    staging = environment(namespace)
    run(cluster, staging, config_map(namespace), deployment(namespace))
    core = {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["*"]}
    somebody = limited(cluster, endpoint, namespace, [core])
    with pytest.raises(Denied, match="cannot see all its objects") as caught:
        plan(somebody, staging, {"web": [config_map(namespace)]})
    assert "may not list deployments.apps" in caught.value.message
    assert cluster.get(ref(deployment(namespace))) is not None
