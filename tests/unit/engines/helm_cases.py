"""Renders of the test chart for which tests/golden/helm-component holds what `helm template` of Helm 4.2.3 printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mop.engines.protocols import HelmRequest

TESTS = Path(__file__).parents[2]
CHART = TESTS / "projects" / "helm-component" / "charts" / "relay"
GOLDEN = TESTS / "golden" / "helm-component"


def request(values: dict[str, Any] | None = None, chart: Path = CHART, **fields: Any) -> HelmRequest:
    """The test chart as `demo` in `telemetry`; any field can be given."""
    defaults: dict[str, Any] = {"release": "demo", "namespace": "telemetry", "kube_version": "v1.34.0"}
    return HelmRequest(chart=chart, values=values or {}, **{**defaults, **fields})


CASES: dict[str, HelmRequest] = {
    "plain": request(),
    "no-crds": request(include_crds=False),
    "skip-tests": request(skip_tests=True),
    "no-hooks": request(no_hooks=True),
    "old-kubernetes": request(kube_version="v1.26.0"),
    "api-versions": request(api_versions=("monitoring.coreos.com/v1", "example.com/v1")),
    "values": request(
        {
            "replicas": 3,
            "image": {"tag": "1.0"},
            "gone": {"dropped": None},
            "limits": {"bytes": 12345678901234567890, "ratio": 1.5e300, "deep": [1, {"a": None}]},
            "greeting": "{{ .Release.Name }} é \U0001f600 \x7f {{ .Values.image.tag }}",
        }
    ),
    "tag": request({"tags": {"extras": True, "long-term": True}}),
    "alias": request({"archive": {"enabled": True, "class": "slow"}}),
    "condition-in-globals": request({"global": {"archive": True, "zone": "south"}}),
    "no-subchart": request({"store": {"enabled": False}}),
    "secret": request({"secret": True, "password": "given"}),
}
