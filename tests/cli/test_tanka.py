"""Tanka environments taken as they are: `whole: true`, with a spec.json or inline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mop, write

MAP = "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { env: std.toString(env) } }"


@pytest.fixture
def tanka(tmp_path: Path) -> Path:
    root = tmp_path / "tanka"
    write(
        root,
        {
            "jsonnetfile.json": '{"version": 1, "dependencies": []}',
            "mop.yaml": MOP_YAML,
            "environments/static/spec.json": json.dumps(SPEC),
            "environments/static/main.jsonnet": f"local env = (import 'tk').env.metadata.name; {{ deep: [{MAP}] }}",
            "environments/inline/main.jsonnet": INLINE,
        },
    )
    return root


def objects(mop: Mop, root: Path, environment: str) -> list[dict[str, object]]:
    shown = mop(root, "show", "--env", environment, "--json")
    assert shown.code == 0, shown.err
    return json.loads(shown.out)  # type: ignore[no-any-return]


def test_a_static_environment_has_its_specs_namespace_labels_and_defaults(tanka: Path, mop: Mop) -> None:
    (found,) = objects(mop, tanka, "static")
    metadata = found["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["namespace"] == "from-spec"
    assert set(metadata["labels"]) == {"tanka.dev/environment", "team"}
    assert len(metadata["labels"]["tanka.dev/environment"]) == 48
    assert found["data"] == {"env": "environments/static"}
    assert (tanka / ".mop/rendered/static/static/v1.ConfigMap-a.yaml").is_file()


def test_an_inline_environment_is_found_by_its_name(tanka: Path, mop: Mop) -> None:
    assert [o["metadata"] for o in objects(mop, tanka, "blue")] == [{"name": "blue", "namespace": "colours"}]


def test_two_sayings_about_one_namespace_are_refused(tanka: Path, mop: Mop) -> None:
    write(tanka, {"mop.yaml": MOP_YAML.replace("colours", "other")})
    result = mop(tanka, "render", "--env", "blue")
    assert result.code == 1
    assert "mop.yaml says namespace other" in result.err


def test_an_edit_of_the_spec_is_a_change(tanka: Path, mop: Mop) -> None:
    objects(mop, tanka, "static")
    changed = {**SPEC, "spec": {**SPEC["spec"], "namespace": "elsewhere"}}
    write(tanka, {"environments/static/spec.json": json.dumps(changed)})
    (found,) = objects(mop, tanka, "static")
    assert found["metadata"]["namespace"] == "elsewhere"  # type: ignore[index]


SPEC = {
    "apiVersion": "tanka.dev/v1alpha1",
    "kind": "Environment",
    "metadata": {"name": "environments/static"},
    "spec": {
        "namespace": "from-spec",
        "injectLabels": True,
        "resourceDefaults": {"labels": {"team": "platform"}},
    },
}

INLINE = """
local environment(name) = {
  apiVersion: 'tanka.dev/v1alpha1', kind: 'Environment', metadata: { name: name },
  spec: { namespace: 'colours' },
  data: { map: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name } } },
};
{ all: [environment('red'), environment('blue')] }
"""

MOP_YAML = """\
version: 1
platform: shop
kubernetes: "1.34"
environments:
  static: {target: embedded, path: environments/static, whole: true}
  blue: {target: embedded, path: environments/inline, whole: true, namespace: colours}
"""
