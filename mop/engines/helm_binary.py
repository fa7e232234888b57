"""The `helm` binary as an engine: the same objects as the library in this process, one process a render.

Chosen with MOP_HELM. Hermetic: an empty home, no plugins, no repositories, no kubeconfig, and none of the
caller's environment; `helm template` itself dials no cluster.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

from mop.engines import helm_output
from mop.engines.helm_errors import chart_error
from mop.engines.protocols import HelmObject, HelmRequest
from mop.errors import ToolError

#: Seconds; the largest chart known renders in two.
TIMEOUT = 300.0

_SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
_CHART_NAME = re.compile(r"""^name:\s*["']?([^\s"'#]+)""", re.MULTILINE)


class HelmBinary:
    """Renders with the program at `path`. Thread-safe."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout

    @cached_property
    def version(self) -> str:
        """What `helm version` says, as `v4.2.3`; raises ToolError if the program cannot be run."""
        done = self._run(["version", "--template", "{{.Version}}"])
        version = done.stdout.strip()
        if done.returncode or not re.fullmatch(r"v\d+\.\d+\.\d+\S*", version):
            raise self._unusable(f"`helm version` gave {(version or done.stderr.strip())[:200]!r}")
        return version

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        """The objects of `helm template`, in Helm's order; raises ChartError, or ToolError without the
        program.
        """
        helm_output.require_chart(request.chart)
        done = self._run(_arguments(request), _as_yaml(request))
        if done.returncode:
            raise chart_error(request.chart, _chart_name(request.chart), done.stderr)
        return helm_output.objects(helm_output.split_stream(done.stdout))

    def _run(self, arguments: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory(prefix="mop-helm-") as home:
            try:
                return subprocess.run(
                    [str(self._path), *arguments],
                    input=text,
                    capture_output=True,
                    encoding="utf-8",
                    env=_environment(home),
                    timeout=self._timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise self._unusable(f"it did not end within {self._timeout:g} s") from error
            except OSError as error:
                raise self._unusable(error.strerror or str(error)) from error

    def _unusable(self, why: str) -> ToolError:
        return ToolError(
            f"the helm program at {self._path} (MOP_HELM) cannot be used: {why}",
            hint="set MOP_HELM to a helm 4 binary, or unset it to use the library in this process",
        )


def _arguments(request: HelmRequest) -> list[str]:
    flags = [
        "--values=-",
        f"--namespace={request.namespace}",
        f"--kube-version={request.kube_version}",
        *(f"--api-versions={version}" for version in request.api_versions),
    ]
    for wanted, flag in (
        (request.include_crds, "--include-crds"),
        (request.skip_tests, "--skip-tests"),
        (request.no_hooks, "--no-hooks"),
    ):
        if wanted:
            flags.append(flag)
    return ["template", *flags, "--", request.release, str(request.chart.absolute())]


def _as_yaml(request: HelmRequest) -> str:
    """The values as JSON that is YAML too: YAML knows no surrogate pairs, and JSON knows no bare astral
    characters.
    """
    text = json.dumps(dict(request.values), allow_nan=False)
    return _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)


def _environment(home: str) -> dict[str, str]:
    """All that helm sees: every folder that it would look into is empty."""
    places = {
        name: f"{home}/{name.lower()}" for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    }
    return {**places, "HOME": home, "KUBECONFIG": f"{home}/kubeconfig", "HELM_NO_PLUGINS": "1", "TZ": "UTC"}


def _chart_name(chart: Path) -> str:
    """The name in Chart.yaml, for messages; the folder's name where it cannot be read."""
    try:
        found = _CHART_NAME.search((chart / "Chart.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        found = None
    return found[1] if found else chart.name
