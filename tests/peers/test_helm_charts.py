"""Real charts: what the Helm library renders is what the `helm` program prints, read by Go itself.

MOP_CHARTS names a folder of charts with their subcharts in place (grafana, loki, tempo, …); each is rendered with
its own values, with every file in its ci/ folder, and with the value sets below. MOP_HELM names the program, of the
library's version. What a chart draws at random is left out of the comparison, by the very fields that MOP names.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mop import goyaml
from mop.engines.helm_binary import HelmBinary, _arguments, _as_yaml
from mop.engines.helm_output import split_stream
from mop.engines.helm_random import Prober
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmRequest
from mop.errors import ChartError
from mop.files import Digests
from tests.unit.engines.helm_cases import request
from tests.unit.goyaml.judge import Judge, Refused, built

pytestmark = pytest.mark.peers

CHARTS = os.environ.get("MOP_CHARTS")
HELM = os.environ.get("MOP_HELM")

BUCKETS = {"bucketNames": {"chunks": "chunks", "ruler": "ruler", "admin": "admin"}}
NO_ZONES = {"zoneAwareReplication": {"enabled": False}}
#: Value sets for charts whose own folders hold none, or not all that they can do.
SETS: dict[str, list[dict[str, Any]]] = {
    "grafana": [{"adminPassword": "fixed", "testFramework": {"enabled": True}, "rbac": {"namespaced": True}}],
    "loki": [
        {"loki": {"useTestSchema": True, "storage": BUCKETS}},
        {"loki": {"useTestSchema": True, "storage": BUCKETS},
         "minio": {"enabled": True, "rootUser": "u", "rootPassword": "p"}},
        {"loki": {"useTestSchema": True, "storage": BUCKETS}, "deploymentMode": "Distributed"},
    ],
    "tempo": [
        {"replicas": 2, "persistence": {"enabled": True, "size": "5Gi"}},
        {"tempo": {"multitenancyEnabled": True, "retention": "48h", "resources": {"limits": {"memory": "1e9"}}}},
        {"networkPolicy": {"enabled": True}, "serviceMonitor": {"enabled": True, "interval": "30s"}},
        {"tempoQuery": {"enabled": True, "ingress": {"enabled": True, "hosts": ["q.example.com"]}}},
        {"fullnameOverride": "traces", "nodeSelector": {"a": "b"}, "extraLabels": {"x": "{{ .Release.Name }}"}},
    ],
    "mimir-distributed": [
        {"ingester": NO_ZONES, "store_gateway": NO_ZONES, "alertmanager": NO_ZONES,
         "rollout_operator": {"enabled": False}},
        {"minio": {"enabled": False},
         "mimir": {"structuredConfig": {"limits": {"max_global_series_per_user": 1000000}}}},
        {"metaMonitoring": {"dashboards": {"enabled": True}, "serviceMonitor": {"enabled": True},
                            "prometheusRule": {"enabled": True, "mimirAlerts": True, "mimirRules": True}}},
        {"graphite": {"enabled": True}, "continuous_test": {"enabled": True}, "chunks-cache": {"enabled": True},
         "results-cache": {"enabled": True}, "index-cache": {"enabled": True}},
        {"gateway": {"enabledNonEnterprise": True, "ingress": {"enabled": True}}, "nginx": {"enabled": False},
         "global": {"extraEnv": [{"name": "A", "value": "b"}]}, "configStorageType": "Secret"},
        {"metaMonitoring": {"grafanaAgent": {"enabled": True, "installOperator": True}}},
    ],
    "kube-prometheus-stack": [{"grafana": {"adminPassword": "fixed"}}],
}  # fmt: skip


def cases() -> Iterator[Any]:
    """A request for each chart and each of its value sets."""
    for chart in sorted(Path(CHARTS).iterdir()) if CHARTS else []:
        named: dict[str, Any] = {"own": {}}
        for path in sorted(chart.glob("ci/*.y*ml")):
            named[path.name] = (goyaml.load_all_v2(path.read_text(encoding="utf-8")) or [None])[0] or {}
        named |= {f"set {number}": values for number, values in enumerate(SETS.get(chart.name, []), 1)}
        for name, values in named.items():
            yield pytest.param(request(values, chart=chart), id=f"{chart.name}: {name}")


@pytest.fixture(scope="module")
def program() -> Path:
    if not HELM:
        pytest.skip("MOP_HELM names no helm program")
    if HelmBinary(Path(HELM)).version != HelmSdk().version.partition("+")[0]:
        pytest.skip("the helm program is of another version than the library")
    return Path(HELM)


@pytest.fixture(scope="module")
def go() -> Iterator[Judge]:
    judge = Judge(built())
    yield judge
    judge.stop()


@pytest.mark.skipif(not CHARTS, reason="MOP_CHARTS names no folder of charts")
@pytest.mark.parametrize("asked", cases())
def test_a_real_chart_renders_as_with_helm(program: Path, go: Judge, asked: HelmRequest) -> None:
    done = subprocess.run(
        [program, *_arguments(asked)], input=_as_yaml(asked), capture_output=True, encoding="utf-8", check=False
    )  # fmt: skip
    digest = Digests(asked.chart).tree(asked.chart)
    assert digest
    if done.returncode:
        with pytest.raises(ChartError):
            Prober(Path(tempfile.gettempdir())).template(HelmSdk(), asked, digest)
        return
    objects, random = Prober(Path(tempfile.gettempdir())).template(HelmSdk(), asked, digest)
    ours = [(found.template, found.manifest) for found in objects]
    theirs = list(_read(go, done.stdout))
    assert [template for template, _ in ours] == [template for template, _ in theirs]
    drawn = {text.split(": ")[1] for text in random}
    for (template, mine), (_, helms) in zip(ours, theirs, strict=True):
        if template not in drawn:
            assert mine == helms, template


def _read(go: Judge, printed: str) -> Iterator[tuple[str, Any]]:
    """Template and object of everything printed, as Go's libraries read it."""
    for document in split_stream(printed):
        try:
            bodies = json.loads(go.ask("read v3", document.text))
        except Refused:
            bodies = [json.loads(go.ask("read sigs", document.text))]  # it reads one document
        yield from ((document.template, body) for body in bodies if body)
