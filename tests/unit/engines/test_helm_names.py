from __future__ import annotations

from typing import Any

import pytest

from mop.engines.helm_names import DEFAULT_FORMAT, by_name
from mop.engines.helm_sdk import HelmSdk
from mop.engines.protocols import HelmObject, HelmRequest
from mop.errors import ChartError


class NoHelm:
    """Names of the default format are made without Helm."""

    version = "none"

    def template(self, request: HelmRequest) -> tuple[HelmObject, ...]:
        raise AssertionError("Helm was asked")


def found(kind: Any, name: Any, template: str = "c/templates/a.yaml", **fields: Any) -> HelmObject:
    return HelmObject(template, {"kind": kind, "metadata": {"name": name}, **fields})


def test_the_default_is_kind_and_name_in_snake_case() -> None:
    objects = [found("ConfigMap", "loki-runtime"), found("Service", "loki")]
    assert list(by_name(NoHelm(), objects, None)) == ["config_map_loki_runtime", "service_loki"]
    assert by_name(NoHelm(), objects, "") == by_name(NoHelm(), objects, DEFAULT_FORMAT)
    assert by_name(NoHelm(), [], None) == {}


def test_where_a_name_is_no_text_go_says_what_it_prints() -> None:
    objects = [
        found("ConfigMap", None),
        HelmObject("c/templates/b.yaml", {"kind": "Job", "metadata": {}}),
        found("Pod", 7),
    ]
    assert list(by_name(HelmSdk(), objects, None)) == ["config_map_<_nil_>", "job_<_nil_>", "pod_7"]


@pytest.mark.parametrize(
    ("name_format", "name"),
    [
        ("{{ .kind | lower }}-{{ .metadata.name }}", "configmap-loki"),
        ('{{ print .metadata.namespace "/" .metadata.name }}', "logs/loki"),
        ("{{ .spec.replicas }}{{ if .spec.paused }}!{{ end }}", "3!"),
        ('{{ printf "%s_%s" .kind .metadata.name | snakecase | trunc 8 }}', "config_m"),
        ("fixed é", "fixed é"),
    ],
)
def test_a_name_format_is_a_go_template_with_sprigs_functions(name_format: str, name: str) -> None:
    manifest = {
        "kind": "ConfigMap",
        "metadata": {"name": "loki", "namespace": "logs"},
        "spec": {"replicas": 3, "paused": True},
    }
    assert by_name(HelmSdk(), [HelmObject("c/templates/a.yaml", manifest)], name_format) == {name: manifest}


def test_two_objects_with_one_name_are_told_with_both_templates() -> None:
    objects = [found("Job", "a-b", "c/templates/one.yaml"), found("Job", "a_b", "c/templates/two.yaml")]
    with pytest.raises(ChartError) as caught:
        by_name(NoHelm(), objects, None)
    assert caught.value.message == (
        "two objects are named 'job_a_b': one of c/templates/one.yaml, one of c/templates/two.yaml"
    )
    assert "nameFormat" in caught.value.hint


@pytest.mark.parametrize("name_format", ["{{ nosuch }}", "{{ .kind", "{{ .kind.name.more }}"])
def test_a_name_format_that_is_no_template_is_told(name_format: str) -> None:
    with pytest.raises(ChartError, match="nameFormat"):
        by_name(HelmSdk(), [found("Job", "a")], name_format)
