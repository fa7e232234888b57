"""tests/projects/helm-component: a chart through Jsonnet, changed by deep merge, with golden objects."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mop.engines.helm_cache import CachedCharts
from mop.engines.helm_sdk import HelmSdk
from mop.engines.jsonnet import GoJsonnet
from mop.engines.protocols import Evaluated, Evaluation
from mop.errors import EvaluationError, MopError
from mop.files import Digests
from tests.unit.engines.helm_cases import GOLDEN, TESTS

PROJECT = TESTS / "projects" / "helm-component"
OBJECTS = GOLDEN / "demo.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with lib/helm.libsonnet itself in it."""
    root = shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns(".mop"))
    shutil.copyfile(TESTS.parent / "lib" / "helm.libsonnet", root / "lib" / "helm.libsonnet")
    return root


def evaluate(root: Path) -> Evaluated:
    digests = Digests(root)
    charts = CachedCharts(
        HelmSdk, digests, unstable_folder=root / ".mop" / "random", shared_folder=root / "shared"
    )
    return GoJsonnet(charts, digests).evaluate(
        Evaluation(
            root=root,
            entrypoint=root / "environments" / "demo" / "main.jsonnet",
            components=("relay",),
            namespace="telemetry",
            kube_version="v1.34.0",
        )
    )


def relay(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(evaluate(root).outputs["relay"])
    return found


def test_the_component_is_what_it_was(project: Path) -> None:
    assert relay(project) == json.loads(OBJECTS.read_text(encoding="utf-8"))


def test_a_deep_merge_changes_what_the_chart_has_no_value_for(project: Path) -> None:
    objects = relay(project)
    pod = objects["deployment_relay"]["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert pod["containers"][0]["env"] == [{"name": "ZONE", "value": "a"}]
    assert pod["containers"][0]["image"] == "example.com/relay:3.4", "and leaves the rest"
    assert objects["deployment_relay"]["spec"]["replicas"] == 2, "which values say"


def test_every_object_is_said_to_be_managed_by_mop(project: Path) -> None:
    labels = [found["metadata"]["labels"] for found in relay(project).values()]
    assert {each["app.kubernetes.io/managed-by"] for each in labels} == {"mop"}


def test_the_chart_is_an_input_and_its_second_render_a_hit(project: Path) -> None:
    first, second = evaluate(project), evaluate(project)
    assert (first.renders, first.hits) == (1, 0)
    assert (second.renders, second.hits) == (1, 1)
    assert second.outputs == first.outputs
    assert ("charts/relay", "tree") in {(found.path, found.kind) for found in first.inputs}
    (project / "charts" / "relay" / "charts" / "store" / "values.yaml").write_text("size: 9Gi\nclass: fast\n")
    assert evaluate(project).hits == 0


def test_a_wrapper_that_was_not_told_where_it_is_called_from_says_so(project: Path) -> None:
    main = project / "environments" / "demo" / "main.jsonnet"
    main.write_text("{ relay: (import 'helm.libsonnet').template('relay', '../../charts/relay') }")
    with pytest.raises(
        EvaluationError, match=r"start with \(import 'helm\.libsonnet'\)\.new\(std\.thisFile\)"
    ):
        evaluate(project)


def test_a_template_that_fails_is_told_with_the_stack_of_its_call(project: Path) -> None:
    values = project / "charts" / "relay" / "values.yaml"
    values.write_text(values.read_text().replace("replicas: 1", "replicas: few"))
    main = project / "environments" / "demo" / "main.jsonnet"
    main.write_text(main.read_text().replace("replicas: 2, ", ""))
    with pytest.raises(MopError) as caught:
        evaluate(project)
    assert "chart relay: a value breaks its schema" in caught.value.message
    assert "environments/demo/main.jsonnet" in caught.value.message
    (problem,) = caught.value.problems
    assert problem.file == "charts/relay/values.schema.json"
    assert (problem.path, problem.message) == ("$.replicas", "got string, want integer")
