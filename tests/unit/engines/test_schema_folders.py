"""Schemas of custom resources in files outside the render."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mop.engines.schema import PackagedSchemas
from mop.engines.schema_folders import find

MONITOR = ("monitoring.coreos.com/v1", "ServiceMonitor")
GVK = {"group": "monitoring.coreos.com", "version": "v1", "kind": "ServiceMonitor"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"port": {"type": "string"}}, "additionalProperties": False}
    },
}
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  names: {kind: ServiceMonitor}
  versions:
    - name: v1
      served: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {port: {type: string}}}}}}
"""


def monitor(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": MONITOR[0], "kind": MONITOR[1], "metadata": {"name": "m"}, "spec": spec}


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("crds/monitors.yaml", CRD),
        ("two.yaml", f"apiVersion: v1\nkind: ConfigMap\n---\n{CRD}"),
        ("list.json", json.dumps({"kind": "List", "items": [yaml.safe_load(CRD)]})),
        ("monitoring.coreos.com/servicemonitor_v1.json", json.dumps(SCHEMA)),
        ("servicemonitor-monitoring-v1.json", json.dumps(SCHEMA)),
        ("any.json", json.dumps({**SCHEMA, "x-kubernetes-group-version-kind": [GVK]})),
    ],
)  # fmt: skip
def test_a_schema_is_found_however_it_is_kept(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    crds = find([tmp_path], [MONITOR])
    assert len(crds) == 1
    schemas = PackagedSchemas(tmp_path / "cache")
    assert schemas.validate("1.34", [monitor(port="http")], crds) == []
    (problem,) = schemas.validate("1.34", [monitor(prot="http")], crds)
    assert (problem.path, problem.hint) == ("spec.prot", "did you mean port?")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other.yaml", CRD.replace("ServiceMonitor", "PodMonitor")),
        ("template.yaml", "{{ if .Values.crds }}\n" + CRD),
        ("broken.json", '{"kind": "ServiceMonitor"'),
        ("example.org/servicemonitor_v1.json", json.dumps(SCHEMA)),
        ("notes.txt", CRD),
    ],
)
def test_what_is_no_schema_of_the_kind_is_passed_over(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    assert find([tmp_path], [MONITOR]) == []


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert find([tmp_path / "schemas"], [MONITOR]) == []
    assert find([tmp_path], []) == []
