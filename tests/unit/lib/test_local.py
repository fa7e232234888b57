"""The local environment hangs together: what one object names, another one gives."""

from __future__ import annotations

import configparser
import re
from collections import Counter
from typing import Any

import kubernetes_validate
import yaml

from mop.manifest import ref

#: `host.namespace.svc:port` anywhere in a text.
ADDRESS = re.compile(r"\b([a-z][a-z0-9-]*)\.([a-z][a-z0-9-]*)\.svc:(\d+)")


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in strings(each)]


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def container(local: Any, workload: str) -> dict[str, Any]:
    return pod(local.workloads[workload])["containers"][0]


def settings(local: Any, store: str) -> dict[str, Any]:
    return yaml.safe_load(local.settings(store, f"{store}.yaml"))


def containers(local: Any) -> list[dict[str, Any]]:
    return [each for workload in local.workloads.values() for each in pod(workload)["containers"]]


def test_there_is_one_field_for_each_component(local):
    assert sorted(local.components) == ["dashboards", "logs", "metrics", "traces"]


def test_every_object_passes_the_strict_schemas(local):
    for each in local.objects:
        kubernetes_validate.validate(each, "1.34", strict=True)


def test_no_two_objects_are_one(local):
    count = Counter(ref(each).identity for each in local.objects)
    assert [identity for identity, times in count.items() if times > 1] == []


def test_every_address_is_a_service_whose_port_a_pod_listens_on(local):
    addresses = {match for each in local.objects for text in strings(each) for match in ADDRESS.findall(text)}
    assert {name for name, _, _ in addresses} == {"loki", "mimir", "tempo"}
    for name, namespace, port in addresses:
        service = local.kind("Service")[name]
        assert service["metadata"]["namespace"] == namespace
        assert int(port) in [each["port"] for each in service["spec"]["ports"]], f"{name}:{port}"


def test_every_port_of_a_service_is_one_of_the_pods_that_it_selects(local):
    for name, service in local.kind("Service").items():
        selected = [
            pod(each)
            for each in local.workloads.values()
            if service["spec"]["selector"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert len(selected) == 1, name
        open_ports = {(each["name"], each["containerPort"]) for each in selected[0]["containers"][0]["ports"]}
        assert {(each["targetPort"], each["port"]) for each in service["spec"]["ports"]} <= open_ports


def test_the_stores_listen_on_the_ports_that_their_pods_declare(local):
    for name in ("loki", "mimir", "tempo"):
        server = settings(local, name)["server"]
        ports = {each["name"]: each["containerPort"] for each in container(local, name)["ports"]}
        assert server["http_listen_port"] == ports["http-metrics"]
        assert server["grpc_listen_port"] == ports["grpc"]


def test_tempo_receives_from_other_pods(local):
    otlp = settings(local, "tempo")["distributor"]["receivers"]["otlp"]
    assert otlp["protocols"] == {"grpc": {"endpoint": "0.0.0.0:4317"}, "http": {"endpoint": "0.0.0.0:4318"}}


def test_probes_ask_a_declared_port(local):
    for each in containers(local):
        declared = {port["name"] for port in each["ports"]}
        for probe in ("readinessProbe", "livenessProbe"):
            assert each[probe]["httpGet"]["port"] in declared, each["name"]


def test_every_mounted_volume_is_declared_and_every_config_map_exists(local):
    maps = local.kind("ConfigMap")
    for name, workload in local.workloads.items():
        volumes = {each["name"]: each for each in pod(workload)["volumes"]}
        claims = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
        for mount in pod(workload)["containers"][0]["volumeMounts"]:
            assert mount["name"] in volumes.keys() | claims, f"{name}: {mount['name']}"
        for volume in volumes.values():
            sources = [each["configMap"] for each in volume.get("projected", {}).get("sources", [])]
            for source in [*sources, *([volume["configMap"]] if "configMap" in volume else [])]:
                assert source["name"] in maps, name
                for item in source.get("items", []):
                    assert item["key"] in maps[source["name"]]["data"]


def test_the_file_that_an_argument_names_is_in_the_mounted_config_map(local):
    for name, workload in local.workloads.items():
        for argument in pod(workload)["containers"][0]["args"]:
            for path in re.findall(rf"/etc/{name}/(\S+)", argument):
                assert path in local.kind("ConfigMap")[name]["data"]


def test_a_stateful_set_has_its_headless_service_and_a_volume(local):
    for each in local.kind("StatefulSet").values():
        assert local.kind("Service")[each["spec"]["serviceName"]]["spec"]["clusterIP"] == "None"
        # Of the default class, which is the one that every cluster has.
        assert "storageClassName" not in each["spec"]["volumeClaimTemplates"][0]["spec"]


def test_what_the_stores_write_lies_on_their_volumes(local):
    for name in ("loki", "mimir", "tempo"):
        volume = next(each for each in container(local, name)["volumeMounts"] if each["name"] == "data")
        written = [text for text in strings(settings(local, name)) if text.startswith("/var/")]
        assert len(written) > 1
        assert all(f"{path}/".startswith(volume["mountPath"] + "/") for path in written), name


def test_images_are_pinned_to_releases(local):
    for each in containers(local):
        assert re.fullmatch(r"docker\.io/grafana/[a-z]+:v?\d+\.\d+\.\d+", each["image"]), each["image"]


def test_pods_may_do_no_more_than_they_must(local):
    for name, workload in local.workloads.items():
        spec = pod(workload)
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for each in spec["containers"]:
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        assert spec["automountServiceAccountToken"] == ("serviceAccountName" in spec)


def test_only_the_collectors_read_the_api_and_only_here(local):
    namespaces = {each["metadata"]["namespace"] for each in local.kind("Role", "RoleBinding").values()}
    assert namespaces == {"observability"}
    assert local.kind("ClusterRole", "ClusterRoleBinding") == {}
    accounts = {pod(each)["serviceAccountName"] for each in local.kind("Deployment").values()}
    assert accounts == local.kind("ServiceAccount").keys() == {"logs-collector", "metrics-collector"}
    verbs = {verb for role in local.kind("Role").values() for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_there_is_no_credential_anywhere(local):
    assert local.kind("Secret") == {}
    grafana = configparser.ConfigParser(interpolation=None)
    grafana.read_string(local.settings("grafana", "grafana.ini"))
    assert not grafana.getboolean("auth.basic", "enabled"), "else admin/admin would open it"
    assert grafana.getboolean("auth", "disable_login_form")
    assert grafana.getboolean("security", "disable_initial_admin_creation")
    assert grafana["auth.anonymous"]["org_role"] == "Editor"


def quantity(text: str) -> float:
    units = {"m": 1e-3, "Mi": 2.0**20, "Gi": 2.0**30, "": 1.0}
    number, unit = re.fullmatch(r"(\d+)(m|Mi|Gi|)", text).groups()
    return int(number) * units[unit]


def test_it_fits_on_a_laptop(local):
    requests = [each["resources"]["requests"] for each in containers(local)]
    assert sum(quantity(each["cpu"]) for each in requests) < 2
    assert sum(quantity(each["memory"]) for each in requests) < 3 * 2**30
    assert all("memory" in each["resources"]["limits"] for each in containers(local))


def test_every_pod_is_scraped_on_a_port_that_it_declares(local):
    for workload in local.workloads.values():
        annotations = workload["spec"]["template"]["metadata"]["annotations"]
        ports = [str(each["containerPort"]) for each in pod(workload)["containers"][0]["ports"]]
        assert annotations["prometheus.io/scrape"] == "true"
        assert annotations["prometheus.io/port"] in ports


def test_the_collectors_read_and_write_here(local):
    for signal, url in (("logs", "loki/api/v1/push"), ("metrics", "api/v1/push")):
        text = local.settings(f"{signal}-collector", "config.alloy")
        assert 'names = ["observability"]' in text
        assert f'/{url}"' in text


def test_mimirs_rules_are_in_the_folder_of_its_only_tenant(local):
    mimir = settings(local, "mimir")
    mounts = {each["name"]: each["mountPath"] for each in container(local, "mimir")["volumeMounts"]}
    assert mimir["multitenancy_enabled"] is False
    assert mounts["rules"] == mimir["ruler_storage"]["local"]["directory"] + "/anonymous"
    groups = yaml.safe_load(local.settings("mimir-rules", "platform.yaml"))["groups"]
    assert [rule["alert"] for group in groups for rule in group["rules"]]
