"""Helm in this process: helm-python-sdk, Helm 4 as a Go library behind ctypes.

Its `Chart.render` passes neither Kubernetes version nor API versions, so the C call beneath it is used. That
call renders only; what `helm template` asks before (pkg/cmd/install.go, pkg/action/install.go) is asked here.
The call releases the GIL. The library must never be loaded before a fork.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

from mop.engines.protocols import HelmObject, HelmRequest
from mop.errors import ChartError, MopError, ToolError

_PINNED = r'(?m)^EXPECTED_HELM_(C|SDK)_VERSION: Final = "(.*)"$'


class HelmSdk:
    """Renders with the Helm library that the helm-python-sdk wheel brings. Thread-safe."""

    @functools.cached_property
    def version(self) -> str:
        """Helm's version and the binding's, `v4.2.3+sdk.0.2.2`, known without loading the library (85 MB)."""
        found = importlib.util.find_spec("helm_python")
        if found is None or not found.submodule_search_locations:
            raise _unusable("helm-python-sdk is not installed")
        source = Path(found.submodule_search_locations[0], "_native.py").read_text(encoding="utf-8")
        pinned = dict(re.findall(_PINNED, source))
        if pinned.keys() != {"C", "SDK"}:
            raise _unusable("this helm-python-sdk does not say which Helm it brings")
        return f"{pinned['SDK']}+sdk.{pinned['C']}"

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        """The objects of `helm template`, in Helm's order. Raises ChartError; ToolError without the library."""
        from mop.engines import helm_output
        from mop.engines.helm_errors import chart_error

        helm_output.require_chart(request.chart)
        library = _library()
        name = request.chart.name
        try:
            with library.Chart.load(request.chart) as chart:
                metadata = chart.metadata
                name = str(metadata.get("name") or name)
                library.validate_release_name(request.release)
                refusal = _refusal(chart, metadata, request.kube_version)
                if refusal:
                    raise chart_error(request.chart, name, refusal)
                files = _render(library, chart, request)
                crds = [(c["filename"], c["data"]) for c in chart.crds] if request.include_crds else []
        except library.HelmPanicError as error:
            raise ToolError(f"the Helm library failed inside on chart {name}: {error}") from error
        except library.HelmError as error:
            raise chart_error(request.chart, name, str(error)) from error
        documents = helm_output.arrange(files, crds, skip_tests=request.skip_tests, no_hooks=request.no_hooks)
        return helm_output.objects(documents)


def _refusal(chart: Any, metadata: dict[str, Any], kube_version: str) -> str:
    """Helm's words where `helm template` refuses the chart before it renders; "" where it does not."""
    kind = metadata.get("type") or "application"
    if kind != "application":
        return f"{kind} charts are not installable"
    present = {found.get("name") for found in chart.dependencies}
    missing = [d["name"] for d in metadata.get("dependencies") or () if d["name"] not in present]
    if missing:
        return f"found in Chart.yaml, but missing in charts/ directory: {', '.join(missing)}"
    wanted = metadata.get("kubeVersion")
    if wanted and not _compatible(wanted, kube_version):
        return f"chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {kube_version}"
    return ""


def _render(library: Any, chart: Any, request: HelmRequest) -> dict[str, str]:
    """Rendered text by template. Helm changes the loaded chart here, so each is rendered once."""
    options = {
        "name": request.release,
        "namespace": request.namespace,
        "kube_version": request.kube_version,
        "api_versions": list(request.api_versions),
    }
    native = library._native
    values = json.dumps(request.values, allow_nan=False)
    files: dict[str, str] = json.loads(
        native.call_string("helm_render", chart._raw(), values, json.dumps(options))
    )
    return files


@functools.cache
def _compatible(constraint: str, version: str) -> bool:
    """Whether `version` satisfies a Chart.yaml's kubeVersion, decided by Helm's own semver library.

    Helm's IsCompatibleRange and the template function `semverCompare` are the same call; a constraint that
    does not parse is incompatible there and an error here. `String` leaves out a suffix such as `-gke.1`.
    """
    from mop.engines.helm_scratch import scratch_chart

    code = "kind: Answer\nholds: {{ semverCompare .Values.constraint .Capabilities.KubeVersion.String }}\n"
    with scratch_chart(code) as chart:
        request = HelmRequest(chart, "answer", "default", {"constraint": constraint}, version)
        try:
            (answer,) = HelmSdk().template(request)
        except ChartError:
            return False
    return answer.manifest["holds"] is True


@functools.cache
def _library() -> Any:
    """The `helm_python` package, which loads the library when imported."""
    try:
        import helm_python
    except Exception as error:  # a missing wheel, one for another platform, a broken library
        raise _unusable(str(error)) from error
    loaded = helm_python.helm_sdk_version()
    if loaded != helm_python.EXPECTED_HELM_SDK_VERSION:
        raise _unusable(
            f"{helm_python.library_path} is Helm {loaded}, not the one that its cache is kept for"
        )
    return helm_python


def _unusable(why: str) -> MopError:
    return ToolError(
        f"the Helm library cannot be used: {why}",
        hint="install helm-python-sdk, or set MOP_HELM to the path of a helm 4 binary",
    )
