"""Every mistake of a user has its message and exit 1: no traceback (the fixture looks), nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import MOP_YAML, WEB, Mop, write


def test_no_mop_yaml(tmp_path: Path, mop: Mop) -> None:
    result = mop(tmp_path, "render")
    assert result.code == 1
    assert "mop.yaml" in result.err
    assert "mop init" in result.err


def test_yaml_that_does_not_parse(platform: Path, mop: Mop) -> None:
    write(platform, {"mop.yaml": "version: 1\nplatform: [shop\ncomponents: {}\n"})
    result = mop(platform, "render")
    assert result.code == 1
    assert "mop.yaml:3" in result.err


def test_ten_mistakes_are_said_at_once(platform: Path, mop: Mop) -> None:
    write(platform, {"mop.yaml": TEN_MISTAKES})
    result = mop(platform, "render")
    assert result.code == 1
    places = {line.split()[0] for line in result.err.splitlines() if line.strip().startswith("mop.yaml:")}
    assert len(places) >= 10, result.err


def test_unknown_names_come_with_the_nearest(platform: Path, mop: Mop) -> None:
    result = mop(platform, "render", "--env", "dve")
    assert result.code == 1
    assert "no environment dve (did you mean dev?)" in result.err
    result = mop(platform, "render", "--component", "wbe")
    assert "no component wbe (did you mean web?)" in result.err


def test_a_jsonnet_error_deep_in_a_library_shows_its_stack(platform: Path, mop: Mop) -> None:
    write(
        platform,
        {
            "lib/web.libsonnet": "local deep = import 'deep/a.libsonnet';\n{ x: deep.m(3) }",
            "lib/deep/a.libsonnet": "{\n  m(n)::\n    if n == 0 then error 'no more turns' else self.m(n - 1),\n}",
        },
    )
    result = mop(platform, "render")
    assert result.code == 1
    assert "no more turns" in result.err
    assert "lib/deep/a.libsonnet:3" in result.err
    assert str(platform) not in result.err, "paths are relative to the platform"


def test_a_syntax_error_names_its_line(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": "{\n  a: 1,\n  b: ;\n}"})
    result = mop(platform, "render")
    assert result.code == 1
    assert "lib/web.libsonnet:3" in result.err


def test_a_missing_import_says_where_it_was_looked_for(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": "import 'nowhere.libsonnet'"})
    result = mop(platform, "render")
    assert result.code == 1
    assert "nowhere.libsonnet" in result.err
    assert "vendor" in result.err


def test_no_main_jsonnet(platform: Path, mop: Mop) -> None:
    (platform / "environments/dev/main.jsonnet").unlink()
    result = mop(platform, "render")
    assert result.code == 1
    assert "expected environments/dev/main.jsonnet" in result.err


def test_fields_that_are_not_the_components_are_named_on_both_sides(platform: Path, mop: Mop) -> None:
    write(platform, {"environments/dev/main.jsonnet": "{ wbe: {} }"})
    result = mop(platform, "render")
    assert result.code == 1
    assert "web: in mop.yaml, but no visible field" in result.err
    assert "wbe: a visible field" in result.err


@pytest.mark.parametrize(
    ("object_", "expected"),
    [
        ("{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }", "metadata.name"),
        ("{ apiVersion: 'v1', kind: 'ConfigMap' }", "metadata"),
        ("{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { b: 1 } } }", "labels"),
        ("{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'a-' } }", "generateName"),
        ("{ kind: 'ConfigMap', metadata: { name: 'a' } }", "apiVersion"),
    ],
)
def test_values_that_are_no_objects_are_named_by_their_path(
    platform: Path, mop: Mop, object_: str, expected: str
) -> None:
    write(platform, {"lib/web.libsonnet": f"{{ parts: [{object_}] }}"})
    result = mop(platform, "render")
    assert result.code == 1
    assert ".parts[0]" in result.err
    assert expected in result.err


def test_two_objects_with_one_identity(platform: Path, mop: Mop) -> None:
    one = "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'same' } }"
    write(platform, {"lib/web.libsonnet": f"{{ a: {one}, b: {one} }}"})
    result = mop(platform, "render")
    assert result.code == 1
    assert "ConfigMap/shop/same" in result.err


def test_a_chart_that_is_not_there(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": _chart("../charts/web", "{}")})
    result = mop(platform, "render")
    assert result.code == 1
    assert "charts/web" in result.err
    assert "inv vendor" in result.err


def test_a_template_that_fails_names_chart_template_and_line(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": _chart("../charts/web", "{}"), **CHART})
    result = mop(platform, "render")
    assert result.code == 1
    for part in ("web/templates/fails.yaml", "3", "a port is needed"):
        assert part in result.err


def test_values_that_break_the_charts_schema(platform: Path, mop: Mop) -> None:
    write(platform, {"lib/web.libsonnet": _chart("../charts/web", "{ port: 'eighty' }"), **CHART})
    result = mop(platform, "render")
    assert result.code == 1
    assert "port" in result.err
    assert "integer" in result.err


def test_a_failed_render_leaves_the_last_good_one(platform: Path, mop: Mop) -> None:
    mop(platform, "render")
    rendered = platform / ".mop/rendered/dev/web"
    before = {path.name: path.read_bytes() for path in rendered.iterdir()}
    write(platform, {"lib/web.libsonnet": WEB.replace("name: 'web' }", "name: error 'no name' }", 1)})
    assert mop(platform, "render").code == 1
    assert {path.name: path.read_bytes() for path in rendered.iterdir()} == before


def test_an_apply_that_nobody_agreed_to(platform: Path, mop: Mop) -> None:
    result = mop(platform, "apply")
    assert result.code == 1
    assert "--yes or --confirm dev" in result.err


def test_an_api_server_that_does_not_answer(platform: Path, mop: Mop) -> None:
    write(
        platform,
        {
            "mop.yaml": MOP_YAML.replace("embedded", "{kubeconfig: kubeconfig, context: down}"),
            "kubeconfig": KUBECONFIG,
        },
    )
    result = mop(platform, "diff")
    assert result.code == 1
    assert "127.0.0.1:1" in result.err


def test_a_context_that_is_not_there_is_never_replaced_by_the_current_one(platform: Path, mop: Mop) -> None:
    write(
        platform,
        {
            "mop.yaml": MOP_YAML.replace("embedded", "{kubeconfig: kubeconfig, context: wodn}"),
            "kubeconfig": KUBECONFIG,
        },
    )
    result = mop(platform, "diff")
    assert result.code == 1
    assert "wodn" in result.err
    assert "down" in result.err


def test_the_embedded_cluster_is_not_started_by_a_diff(platform: Path, mop: Mop) -> None:
    result = mop(platform, "diff")
    assert result.code == 1
    assert "the embedded cluster is stopped" in result.err
    assert "inv cluster.start" in result.err


def _chart(path: str, values: str) -> str:
    options = f"{{ values: {values}, calledFrom: std.thisFile }}"
    return f"std.native('helmTemplate')('web', '{path}', {options})"


CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "{}\n",
    "charts/web/values.schema.json": '{"type": "object", "properties": {"port": {"type": "integer"}}}',
    "charts/web/templates/fails.yaml": 'kind: Service\n\nport: {{ required "a port is needed" .Values.port }}\n',
}

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: down
contexts: [{name: down, context: {cluster: down, user: nobody}}]
clusters: [{name: down, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: not-a-secret}}]
"""

TEN_MISTAKES = """\
version: 2
platform: Not A Label
kubernetes: 1.30
componets: {}
charts:
  loki: {chart: nowhere/loki, version: 1.0.0}
components:
  web: {needs: [api]}
  db: {needs: [db]}
  slow: {ready: {timeout: soon}}
  old: {charts: [mimir]}
environments:
  dev:
    target: embeded
    components: [wbe]
    order: all-at-onc
  prod:
    target: {contxt: prod}
    components: [web]
    protected: maybe
    after: staging
"""
