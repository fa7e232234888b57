"""Two environments side by side: what is told, in which order, and what is no difference."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema

from mop.manifest import Manifest
from mop.report.compare import compare_json, compare_text
from mop.steps.compare import Difference, differences
from tests.unit.objects import config_map, deployment, secret
from tests.unit.platforms import environment

STAGING, PRODUCTION = environment("staging", namespace="stage"), environment("production", namespace="prod")


def compared(left: list[Manifest], right: list[Manifest]) -> list[Difference]:
    return differences([STAGING, PRODUCTION], [{"web": left}, {"web": right}])


def at(manifest: Manifest, namespace: str) -> Manifest:
    moved = deepcopy(manifest)
    moved["metadata"]["namespace"] = namespace
    return moved


def test_equal_environments_have_no_difference_though_their_namespaces_differ() -> None:
    left = [at(deployment(), "stage"), at(config_map(url="http://loki.stage.svc:3100"), "stage")]
    right = [at(deployment(), "prod"), at(config_map(url="http://loki.prod.svc:3100"), "prod")]
    assert compared(left, right) == []
    assert compare_text(["staging", "production"], []) == "staging, production render the same"


def test_images_replicas_and_resources_come_first() -> None:
    right: Any = deployment(replicas=3, image="web:2")
    right["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "1Gi"}}
    right["spec"]["paused"] = False
    assert [(row.topic, row.path, row.values) for row in compared([deployment()], [right])] == [
        ("image", "spec.template.spec.containers[web].image", ("web:1", "web:2")),
        ("replicas", "spec.replicas", ("1", "3")),
        ("resources", "spec.template.spec.containers[web].resources.limits.memory", (None, "1Gi")),
        ("other", "spec.paused", (None, "false")),
    ]


def test_configuration_differs_by_key() -> None:
    left = config_map(**{"loki.yaml": "limits:\n  retention: 24h\n  rate: 1\n"})
    right = config_map(**{"loki.yaml": "limits:\n  rate: 1\n  retention: 48h\n"})
    (row,) = compared([left], [right])
    assert (row.path, row.values) == ('data["loki.yaml"]: limits.retention', ("24h", "48h"))


def test_an_object_that_one_side_lacks_is_one_row() -> None:
    (row,) = compared([deployment(), config_map()], [deployment()])
    assert (row.object, row.topic, row.values) == ("ConfigMap/settings", "object", ("there", None))


def test_secrets_differ_without_being_shown() -> None:
    rows = compared([secret(password="hunter22")], [secret(password="swordfish")])
    assert [row.path for row in rows] == ["stringData.password"]
    shown = compare_text(["a", "b"], rows) + compare_json(["a", "b"], rows)
    assert "hunter22" not in shown
    assert "swordfish" not in shown
    assert compared([secret(password="hunter22")], [secret(password="hunter22")]) == []


def test_the_table_and_its_json() -> None:
    rows = compared([deployment(replicas=1), config_map()], [deployment(replicas=3)])
    assert compare_text(["staging", "production"], rows).splitlines() == [
        "web                   staging  production",
        "  ConfigMap/settings  there    —",
        "  Deployment/web",
        "    spec.replicas     1        3",
        "",
        "2 differences in 2 objects",
    ]
    document = json.loads(compare_json(["staging", "production"], rows))
    schema = Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "compare.json"
    jsonschema.validate(document, json.loads(schema.read_text()))
    assert document["differences"][1]["values"] == {"staging": "1", "production": "3"}
