"""What a main.jsonnet changes changes that, reaches everything that depends on it, and nothing else."""

from __future__ import annotations

import copy

import pytest

from tests.unit.lib.rendering import PLATFORM, Rendered, evaluate


def checksum(rendered, workload):
    return rendered.workloads[workload]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


def test_a_changed_setting_rolls_the_pods_that_read_it_and_no_others(local, customised):
    changed = customised("logs+: { settings+:: { limits_config+: { max_query_series: 1000 } } }")
    assert "max_query_series: 1000" in changed.settings("loki", "loki.yaml")
    assert checksum(changed, "loki") != checksum(local, "loki")
    for other in ("mimir", "tempo", "grafana", "logs-collector"):
        assert changed.workloads[other] == local.workloads[other]


def test_retention_is_said_once_for_every_store(customised):
    changed = customised("_config+:: { retention: { logs: 30, metrics: 30, traces: 30 } }")
    assert 'retention_period: "720h"' in changed.settings("loki", "loki.yaml")
    assert 'compactor_blocks_retention_period: "720h"' in changed.settings("mimir", "mimir.yaml")
    assert 'block_retention: "720h"' in changed.settings("tempo", "tempo.yaml")


@pytest.mark.parametrize("days", ["0", "1.5", "'7'"])
def test_a_retention_that_no_store_could_keep_is_refused(customised, days):
    with pytest.raises(RuntimeError, match="counts whole days"):
        customised(f"_config+:: {{ retention+: {{ logs: {days} }} }}")


def test_a_mirror_is_one_line(customised):
    mirrored = customised("_config+:: { registry: 'mirror.example.com/hub' }")
    for workload in mirrored.workloads.values():
        image = workload["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image.startswith("mirror.example.com/hub/grafana/")


def test_collecting_from_a_namespace_gives_a_role_there(customised):
    changed = customised("_config+:: { collect+: { namespaces+: ['shop'] } }")
    roles = [each["metadata"]["namespace"] for each in changed.objects if each["kind"] == "Role"]
    assert sorted(roles) == ["observability", "observability", "shop", "shop"]
    assert 'names = ["observability","shop"]' in changed.settings("logs-collector", "config.alloy")


def test_a_container_is_changed_without_repeating_the_list_it_is_in(customised):
    changed = customised("traces+: { container+:: { resources+: { limits+: { memory: '4Gi' } } } }")
    container = changed.workloads["tempo"]["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"]["memory"] == "4Gi"
    assert {mount["name"] for mount in container["volumeMounts"]} == {"config", "tmp", "data"}


def test_an_object_is_changed_by_deep_merge(customised):
    changed = customised("dashboards+: { service+: { spec+: { type: 'NodePort' } } }")
    assert changed.kind("Service")["grafana"]["spec"]["type"] == "NodePort"


def test_the_namespace_of_mop_yaml_is_everybodys():
    platform = copy.deepcopy(PLATFORM)
    platform["environments"]["local"]["namespace"] = "monitoring"
    moved = Rendered(evaluate("(import 'mop.libsonnet').environment('local')", platform))
    assert {each["metadata"]["namespace"] for each in moved.objects} == {"monitoring"}
    assert "http://mimir.monitoring.svc:8080" in moved.settings("grafana", "datasources.yaml")


def test_an_environment_without_a_list_has_every_component():
    platform = copy.deepcopy(PLATFORM)
    platform["environments"]["local"] = None
    platform["components"] = dict.fromkeys(["logs", "traces"])
    everything = evaluate("(import 'mop.libsonnet').environment('local')", platform)
    assert everything.keys() == {"logs", "traces"}


def test_an_environment_that_mop_yaml_lacks_is_named_with_those_it_has():
    with pytest.raises(RuntimeError, match=r"has no environment 'stagin', .* it has: local\."):
        evaluate("(import 'mop.libsonnet').environment('stagin')")


def test_a_component_without_a_line_is_named_with_the_file_to_edit():
    platform = copy.deepcopy(PLATFORM)
    platform["environments"]["local"]["components"].append("profiles")
    with pytest.raises(RuntimeError, match=r"(?s)'profiles'.*lib/components\.libsonnet"):
        evaluate("(import 'mop.libsonnet').environment('local')", platform)
