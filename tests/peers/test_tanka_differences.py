"""Where MOP differs from Tanka on purpose: what `tk` does, and what MOP does instead. Needs what test_tanka.py does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mop import extract, goyaml
from mop.engines.helm_cache import CachedCharts
from mop.engines.helm_sdk import HelmSdk
from mop.engines.jsonnet import GoJsonnet
from mop.engines.protocols import Evaluation
from mop.engines.schema import PackagedSchemas
from mop.errors import EvaluationError, ManifestError
from mop.files import Digests
from tests.peers.test_tanka import TK

pytestmark = [pytest.mark.peers, pytest.mark.skipif(not TK, reason="MOP_TK names no tk")]

SPEC = {"apiVersion": "tanka.dev/v1alpha1", "kind": "Environment", "spec": {"namespace": "apps"}}
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
TEMPLATE = """apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data:
  namespace: "{{ .Release.Namespace }}"
  version: "{{ .Capabilities.KubeVersion.Version }}"
  who: "{{ .Values.who }}"
"""
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "contexts": [
        {"name": "here", "context": {"cluster": "none", "user": "none", "namespace": "of-the-machine"}}
    ],
}


class Both:
    """One environment for tk and for MOP."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "environments" / "dev"
        self.write({"jsonnetfile.json": "{}", "environments/dev/spec.json": json.dumps(SPEC)})

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def tk(self, command: str, code: str, **environment: str) -> Any:
        """The objects (`show`) or the value (`eval`) that tk gives."""
        self.write({"environments/dev/main.jsonnet": code})
        flags = ["--dangerous-allow-redirect"] if command == "show" else []
        variables = {**os.environ, "TANKA_HELM_PATH": os.environ.get("MOP_HELM") or "helm", **environment}
        done = subprocess.run(
            [str(TK), command, *flags, str(self.folder)],
            capture_output=True,
            text=True,
            check=True,
            env=variables,
        )
        return goyaml.load_all(done.stdout) if command == "show" else json.loads(done.stdout)

    def mop(self, code: str) -> Any:
        """The value that MOP evaluates."""
        self.write({"environments/dev/main.jsonnet": code})
        digests = Digests(self.root)
        charts = CachedCharts(
            HelmSdk, digests, unstable_folder=self.root / ".mop", shared_folder=self.root / ".cache"
        )
        main = self.folder / "main.jsonnet"
        evaluation = Evaluation(self.root, main, None, "apps", "v1.34.0", environment={"kind": "Environment"})
        return json.loads(GoJsonnet(charts, digests).evaluate(evaluation).outputs[""])

    def mop_objects(self, code: str) -> list[Any]:
        """The objects that MOP makes of it."""
        value = self.mop(code)
        scopes = extract.Scopes(PackagedSchemas().namespaced("1.34"), extract.crd_scopes(value))
        return [extract.with_namespace(manifest, "apps", scopes) for manifest in extract.extract(value)]


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


needs_helm = pytest.mark.skipif(not os.environ.get("MOP_HELM"), reason="MOP_HELM names no helm for tk")


def test_cluster_scoped_kinds_get_no_namespace(both: Both) -> None:
    code = "{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'x' } }"
    assert both.tk("show", code)[0]["metadata"] == {"name": "x", "namespace": "apps"}
    assert both.mop_objects(code)[0]["metadata"] == {"name": "x"}


def test_custom_resources_live_where_their_definition_says(both: Both) -> None:
    code = """[
      { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'things.a.io' },
        spec: { group: 'a.io', scope: 'Cluster', names: { kind: 'Thing' } } },
      { apiVersion: 'a.io/v1', kind: 'Thing', metadata: { name: 'x' } },
    ]"""
    assert both.tk("show", code)[1]["metadata"] == {"name": "x", "namespace": "apps"}
    assert both.mop_objects(code)[1]["metadata"] == {"name": "x"}


def test_generatename_is_refused(both: Both) -> None:
    code = "{ apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'x-' } }"
    assert both.tk("show", code)[0]["metadata"]["generateName"] == "x-"
    with pytest.raises(ManifestError, match="generateName is not enough"):
        both.mop_objects(code)


@needs_helm
def test_a_chart_s_namespace_is_the_environment_s_not_the_kubeconfig_s(both: Both) -> None:
    both.write(
        {
            "charts/web/Chart.yaml": CHART,
            "charts/web/templates/a.yaml": TEMPLATE,
            "kubeconfig": json.dumps(KUBECONFIG),
        }
    )
    code = "std.native('helmTemplate')('web', '../../charts/web', { calledFrom: std.thisFile }).config_map_web.data"
    theirs = both.tk("eval", code, KUBECONFIG=str(both.root / "kubeconfig"))
    assert theirs["namespace"] == "of-the-machine"
    assert theirs["version"] != "v1.34.0"
    ours = both.mop(code)
    assert (ours["namespace"], ours["version"]) == ("apps", "v1.34.0")


@needs_helm
def test_two_charts_at_one_relative_path_are_two(both: Both) -> None:
    for library in ("one", "two"):
        both.write({
            f"lib/{library}/main.libsonnet": (
                "std.native('helmTemplate')('web', './chart', { calledFrom: std.thisFile })"
                ".config_map_web.data.who"
            ),
            f"lib/{library}/chart/Chart.yaml": CHART,
            f"lib/{library}/chart/values.yaml": f"who: {library}\n",
            f"lib/{library}/chart/templates/a.yaml": TEMPLATE,
        })  # fmt: skip
    code = "[import 'one/main.libsonnet', import 'two/main.libsonnet']"
    assert both.mop(code) == ["one", "two"]
    # The key of tk's cache in memory has the path as it was written, and not who called.
    assert both.tk("eval", code) == ["one", "one"]


def test_kustomizations_are_not_fetched(both: Both) -> None:
    both.write({"app/kustomization.yaml": "resources: ['https://example.com/app?ref=v1']\n"})
    code = "std.native('kustomizeBuild')('../../app', { calledFrom: std.thisFile })"
    with pytest.raises(
        EvaluationError, match=r"names 'https://example.com/app[?]ref=v1', and there is no such file"
    ):
        both.mop(code)
