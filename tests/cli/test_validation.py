"""validate and compare over several environments, as their users run them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from tests.cli.conftest import MOP_YAML, WEB, Mop, write

SCHEMA = Path(__file__).parents[2] / "docs/reference/schemas/compare.json"
TWO = f"{MOP_YAML}  prod: {{target: embedded, namespace: shop-prod, components: [web]}}\n"
PROD = "{ web: (import 'web.libsonnet') + { deployment+: { spec+: { replicas: 3 } } } }"


def test_compare_shows_what_differs_in_one_table(platform: Path, mop: Mop) -> None:
    write(platform, {"mop.yaml": TWO, "environments/prod/main.jsonnet": PROD})
    result = mop(platform, "compare", "--env", "dev,prod")
    assert result.code == 0, result.err
    rows = [line.split() for line in result.out.splitlines() if line]
    assert rows == [
        ["web", "dev", "prod"],
        ["Deployment/web"],
        ["spec.replicas", "2", "3"],
        ["1", "differences", "in", "1", "objects"],
    ]
    told = json.loads(mop(platform, "compare", "--env", "*", "--json").out)
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    assert [row["values"] for row in told["differences"]] == [{"dev": "2", "prod": "3"}]


def test_compare_needs_two_environments(platform: Path, mop: Mop) -> None:
    result = mop(platform, "compare")
    assert result.code == 1
    assert "found dev alone" in result.err
    assert "--env staging,production" in result.err


def test_environments_of_one_cluster_that_share_an_object_are_told(platform: Path, mop: Mop) -> None:
    write(platform, {"mop.yaml": TWO.replace("shop-prod", "shop"), "environments/prod/main.jsonnet": PROD})
    assert mop(platform, "validate", "--env", "prod").code == 0
    result = mop(platform, "validate", "--env", "*")
    assert result.code == 1
    assert "environment dev applies it to the same cluster (component web)" in result.out
    assert mop(platform, "validate", "--env", "*", "--skip", "sharing").code == 0


def test_a_check_that_there_is_not_cannot_be_skipped(platform: Path, mop: Mop) -> None:
    result = mop(platform, "validate", "--skip", "probe")
    assert result.code == 1
    assert "no check is called probe" in result.err
    assert "did you mean probes?" in result.err


def test_mop_yaml_says_how_grave_a_check_is_and_what_is_external(platform: Path, mop: Mop) -> None:
    lost = WEB.replace("readinessProbe:", "envFrom: [{ secretRef: { name: 'team' } }], readinessProbe:")
    write(platform, {"lib/web.libsonnet": lost})
    assert "Secret/team" in mop(platform, "validate").out
    for said in ('{checks: {references: "off"}}', "{external: [Secret/te*]}"):
        write(platform, {"mop.yaml": f"{MOP_YAML}    validate: {said}\n"})
        result = mop(platform, "validate")
        assert (result.code, "Secret/team" in result.out) == (0, False), result.out
    write(platform, {"mop.yaml": f"{MOP_YAML}    validate: {{checks: {{references: warning}}}}\n"})
    result = mop(platform, "validate")
    assert result.code == 0
    assert "warning" in result.out and "Secret/team" in result.out


def test_a_protected_environment_wants_secrets_from_outside(platform: Path, mop: Mop) -> None:
    write(platform, {"mop.yaml": f"{MOP_YAML}    protected: true\n"})
    result = mop(platform, "validate")
    assert result.code == 1
    assert "Secret/shop/web" in result.out
    write(platform, {"mop.yaml": f"{MOP_YAML}    protected: true\n    validate: {{secrets: any}}\n"})
    assert mop(platform, "validate").code == 0


def test_a_misspelt_chart_value_is_told_also_where_the_render_is_cached(platform: Path, mop: Mop) -> None:
    write(
        platform,
        {
            "charts/demo/Chart.yaml": "apiVersion: v2\nname: demo\nversion: 1.0.0\n",
            "charts/demo/values.yaml": "colour: blue\n",
            "charts/demo/templates/a.yaml": CONFIG,
            "lib/web.libsonnet": "std.native('helmTemplate')('demo', '../charts/demo',"
            " { calledFrom: std.thisFile, values: { color: 'red' } })",
        },
    )
    for _ in range(2):
        result = mop(platform, "validate")
        assert result.code == 0, result.err
        assert "the chart demo does nothing with the value color" in result.out
        assert "did you mean colour?" in result.out
        assert mop(platform, "clean").code == 0


CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: demo}
data: {colour: "{{ .Values.colour }}"}
"""
