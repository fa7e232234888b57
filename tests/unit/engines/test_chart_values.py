"""Values that a chart does nothing with, in a chart with helpers, a schema, subcharts, an alias and a library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mop.engines.chart_values import UnknownValue, unknown_values

FILES = {
    "Chart.yaml": """
name: demo
version: 1.0.0
dependencies:
  - {name: store, version: 1.0.0, condition: storage.enabled}
  - {name: store, version: 1.0.0, alias: archive}
  - {name: common, version: 1.0.0}
  - {name: packed, version: 1.0.0}
""",
    "values.yaml": """
replicas: 1
image: {repository: demo, tag: "1"}
resources: {}
livenessProbe: {httpGet: {path: /}, initialDelaySeconds: 5}
tuning: {cache: {size: 1, unused: true}}
config: |
  retention: {{ .Values.retention.days }}
""",
    "values.schema.json": '{"properties": {"ingress": {"properties": {"host": {"type": "string"}}}}}',
    "templates/deployment.yaml": """
replicas: {{ .Values.replicas }}
image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- with .Values.nodeSelector }}{{ toYaml . }}{{ end }}
livenessProbe: {{ toYaml .Values.livenessProbe }}
port: {{ index .Values "service-port" "http" }}
""",
    "templates/_helpers.tpl": "{{- .Values.nameOverride }}",
    "charts/store/Chart.yaml": "name: store\nversion: 1.0.0\n",
    "charts/store/values.yaml": "size: 1Gi\n",
    "charts/store/templates/claim.yaml": "size: {{ .Values.size }} {{ .Values.global.zone }}",
    "charts/common/Chart.yaml": "name: common\nversion: 1.0.0\ntype: library\n",
    "charts/common/templates/_labels.tpl": "{{ .Values.commonLabels.team }}",
}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"))
    return tmp_path


def unknown(chart: Path, text: str) -> list[UnknownValue]:
    values: dict[str, Any] = yaml.safe_load(text)
    return list(unknown_values(chart, values))


@pytest.mark.parametrize(
    "values",
    [
        "{replicas: 2, image: {tag: '2'}}",
        "{resources: {limits: {memory: 1Gi}}}",
        "{livenessProbe: {httpGet: {path: /healthy}, periodSeconds: 5}}",
        "{nodeSelector: {anything: goes}}",
        "{nameOverride: x, service-port: {http: 80}}",
        "{ingress: {host: example.com}}",
        "{retention: {days: 3}}",
        "{storage: {enabled: true}}",
        "{store: {size: 2Gi}, archive: {size: 1Ti, enabled: true}}",
        "{global: {whatever: true}, tags: {all: true}}",
        "{commonLabels: {team: ours}}",
        "{packed: {anything: goes}}",
    ],
)
def test_what_a_chart_does_something_with(chart: Path, values: str) -> None:
    assert unknown(chart, values) == []


@pytest.mark.parametrize(
    ("values", "path", "hint"),
    [
        ("{replcas: 2}", "replcas", "replicas"),
        ("{image: {taag: '2'}}", "image.taag", "image.tag"),
        (
            "{livenessProbe: {initialDelaySecond: 5}}",
            "livenessProbe.initialDelaySecond",
            "livenessProbe.initialDelaySeconds",
        ),
        ("{ingress: {hsot: example.com}}", "ingress.hsot", "ingress.host"),
        ("{store: {sizes: 2Gi}}", "store.sizes", "store.size"),
        ("{archive: {sise: 2Gi}}", "archive.sise", "archive.size"),
        ("{stores: {size: 1Gi}}", "stores", "store"),
        ("{tuning: {cache: {sizes: 1}}}", "tuning.cache.sizes", "tuning.cache.size"),
        ("{somethingElse: true}", "somethingElse", ""),
    ],
)
def test_what_it_does_nothing_with(chart: Path, values: str, path: str, hint: str) -> None:
    assert unknown(chart, values) == [UnknownValue(path, hint)]


def test_an_archive_says_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "demo-1.0.0.tgz"
    archive.write_bytes(b"")
    assert unknown_values(archive, {"x": 1}) == ()


def test_all_of_them_are_told_in_the_order_of_the_values(chart: Path) -> None:
    assert [it.path for it in unknown(chart, "{x: 1, replicas: 1, image: {y: 2}, store: {z: 3}}")] == [
        "x",
        "image.y",
        "store.z",
    ]


def test_of_a_chart_that_helm_reads_and_we_cannot_nothing_is_said(chart: Path) -> None:
    (chart / "values.yaml").write_bytes(b"replicas: 1\nowner: J\xf6rg\n")
    assert unknown(chart, "{replcas: 1}") == []
