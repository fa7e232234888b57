"""Validation as a step: what is checked when, what is remembered, and what switches a finding off."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from mop import goyaml
from mop.engines.protocols import Cluster, Jsonnet
from mop.errors import ValidationError
from mop.files import Digests
from mop.manifest import Manifest
from mop.model import Environment, Target
from mop.outputs import Outputs
from mop.problem import Problem
from mop.steps import validate
from tests.unit.platforms import environment

DEPLOYMENT: Manifest = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1", "imagePulPolicy": "Always"}]},
        },
    },
}


@dataclass
class FakeSchemas:
    """Implements `protocols.Schemas`: objects with the field `bad` break it, kinds but Deployment are unknown."""

    files: list[Manifest] = field(default_factory=list)
    calls: int = 0

    def namespaced(self, kubernetes: str) -> Mapping[tuple[str, str], bool]:
        return {("apps/v1", "Deployment"): True, ("v1", "ConfigMap"): True}

    def validate(
        self, kubernetes: str, manifests: Sequence[Manifest], crds: Iterable[Manifest] = ()
    ) -> list[Problem]:
        self.calls += 1
        known = {kind for _, kind in self.namespaced(kubernetes)} | {c["spec"]["names"]["kind"] for c in crds}
        found = []
        for manifest in manifests:
            metadata = manifest["metadata"]
            where = f"{manifest['kind']}/{metadata['namespace']}/{metadata['name']}"
            if manifest["kind"] not in known:
                found.append(Problem("no such kind", check="unknown-kinds", object=where))
            if "bad" in manifest:
                found.append(Problem("unknown field", check="schema", object=where, path="bad"))
        return found

    def crds(self, folders: Iterable[Path], kinds: Collection[tuple[str, str]]) -> list[Manifest]:
        return self.files


@dataclass
class Tools:
    """A toolbox with schemas alone."""

    only: FakeSchemas

    def schemas(self) -> FakeSchemas:
        return self.only

    def jsonnet(self) -> Jsonnet:
        raise AssertionError("validation evaluates nothing")

    def cluster(self, environment: Environment) -> Cluster:
        raise AssertionError("validation asks no cluster")


def settings(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        **fields,
    }


@dataclass
class Place:
    """A platform whose components were rendered."""

    outputs: Outputs
    env: Environment
    tools: Tools = field(default_factory=lambda: Tools(FakeSchemas()))

    def render(self, component: str, *manifests: Manifest) -> None:
        text = json.dumps(list(manifests))
        self.outputs.write(self.outputs.manifests(self.env.name, component), text, "key")
        folder = self.outputs.rendered(self.env.name, component)
        self.outputs.write_files(folder, manifests, [goyaml.dump(manifest) for manifest in manifests])

    def check(self, component: str) -> validate.Outcome:
        return validate.component(self.env, component, self.outputs, cast(Any, self.tools))

    def errors(self, component: str) -> list[Problem]:
        with pytest.raises(ValidationError) as caught:
            self.check(component) if component else validate.across(self.env, self.outputs)
        return list(caught.value.problems)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    outputs = Outputs(tmp_path, Digests(tmp_path))
    place = Place(outputs, environment("test", ("web", "db"), namespace="shop"))
    place.render("web", settings("a"))
    place.render("db", settings("b"))
    return place


def test_a_sound_component_is_checked_once(place: Place) -> None:
    assert not validate.component_current(place.env, "web", place.outputs)
    assert place.check("web") == validate.Outcome((), 1)
    assert validate.component_current(place.env, "web", place.outputs)
    place.check("web")
    assert place.tools.only.calls == 1


def test_a_component_that_changed_is_checked_again_and_the_other_is_not(place: Place) -> None:
    place.check("web"), place.check("db")
    place.render("web", settings("a", data={"x": "y"}))
    assert not validate.component_current(place.env, "web", place.outputs)
    assert validate.component_current(place.env, "db", place.outputs)


def test_another_kubernetes_version_or_setting_checks_again(place: Place) -> None:
    place.check("web")
    for changed in ({"kubernetes": "1.33"}, {"validate": {"images": "pinned"}}, {"protected": True}):
        assert not validate.component_current(replace(place.env, **changed), "web", place.outputs)


def test_errors_are_told_again_without_being_looked_for_again(place: Place) -> None:
    place.render("web", settings("a", bad=1))
    first = place.errors("web")
    assert place.errors("web") == first
    assert place.tools.only.calls == 1
    assert not validate.component_current(place.env, "web", place.outputs)


def test_a_problem_says_where_it_stands(place: Place) -> None:
    place.render("web", settings("a", bad=1))
    (problem,) = place.errors("web")
    assert problem.environment == "test"
    assert problem.component == "web"
    assert problem.file == ".mop/rendered/test/web/v1.ConfigMap-a.yaml"
    text = (place.outputs.root / problem.file).read_text().splitlines()
    assert text[problem.line - 1] == "bad: 1"


def test_equal_manifests_of_two_environments_are_checked_once(place: Place) -> None:
    place.render("web", settings("a", bad=1))
    (first,) = place.errors("web")
    place.env = environment("other", ("web", "db"), namespace="shop")
    place.render("web", settings("a", bad=1))
    (second,) = place.errors("web")
    assert place.tools.only.calls == 1
    assert (first.environment, first.file) == ("test", ".mop/rendered/test/web/v1.ConfigMap-a.yaml")
    assert (second.environment, second.file) == ("other", ".mop/rendered/other/web/v1.ConfigMap-a.yaml")
    place.env = environment("third", ("web", "db"), namespace="shop", kubernetes="1.33")
    place.render("web", settings("a", bad=1))
    place.errors("web")
    assert place.tools.only.calls == 2


def test_a_sound_set_of_components_is_checked_once(place: Place) -> None:
    assert validate.across(place.env, place.outputs) == validate.Outcome((), 2)
    assert validate.across_current(place.env, place.outputs)
    place.render("db", settings("c"))
    assert not validate.across_current(place.env, place.outputs)


def test_two_components_with_one_object(place: Place) -> None:
    place.render("db", settings("a"))
    (problem,) = place.errors("")
    assert problem.check == "duplicates"
    assert problem.component == "db"


def test_charts_are_told_of_with_the_environment(place: Place) -> None:
    unused, random = (
        ["loki", "ingester.replcas", "ingester.replicas"],
        "grafana: templates/secret.yaml: randAlphaNum",
    )
    evaluated = place.outputs.evaluated("test", "web")
    place.outputs.write(evaluated, "{}", "key", facts={"unused": [unused], "random": [random]})
    problems = validate.across(place.env, place.outputs).problems
    assert [(p.check, p.level) for p in problems] == [
        ("random-values", "warning"),
        ("chart-values", "warning"),
    ]
    assert problems[1].hint == "did you mean ingester.replicas?"
    place.outputs.write(evaluated, "{}", "key", facts={})
    assert not validate.across_current(place.env, place.outputs)
    assert validate.across(place.env, place.outputs).problems == ()


def test_environments_of_one_cluster_share_no_object(place: Place) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "reader"},
    }
    first = place.env
    place.render("web", role, settings("a"))
    second = environment("second", ("web",), namespace="other")
    place.env = second
    place.render("web", role, {**settings("a"), "metadata": {"name": "a", "namespace": "other"}})
    elsewhere = environment("elsewhere", ("web",), target=Target("context", context="far"))
    place.env = elsewhere
    place.render("web", role)
    (problem,) = validate.shared([first, second, elsewhere], place.outputs)
    assert (problem.environment, problem.object, problem.check) == ("second", "ClusterRole/reader", "sharing")
    assert problem.message == "environment test applies it to the same cluster (component web)"
    assert problem.file.startswith(".mop/rendered/second/web/")


class TestUnknownKinds:
    """Kinds whose schema may be in a file outside the render."""

    WIDGET: ClassVar[Manifest] = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "shop"},
    }
    CRD: ClassVar[Manifest] = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": [{"name": "v1"}]},
    }

    def test_they_are_errors(self, place: Place) -> None:
        place.render("web", self.WIDGET)
        assert [p.check for p in place.errors("web")] == ["unknown-kinds"]

    def test_they_are_allowed_where_the_environment_says_so(self, place: Place) -> None:
        place.env = replace(place.env, validate={"unknown-kinds": "allow"})
        place.render("web", self.WIDGET)
        assert place.check("web").problems == ()

    def test_a_schema_that_comes_later_is_found(self, place: Place) -> None:
        place.render("web", self.WIDGET)
        place.errors("web")
        place.tools.only.files = [self.CRD]
        assert place.check("web").problems == ()

    def test_a_schema_file_that_changes_is_looked_at_again(self, place: Place) -> None:
        schemas = place.outputs.root / "schemas"
        schemas.mkdir()
        (schemas / "widget.json").write_text("{}")
        place.tools.only.files = [self.CRD]
        place.render("web", self.WIDGET)
        place.check("web")
        assert validate.component_current(place.env, "web", place.outputs)
        (schemas / "widget.json").write_text('{"type": "object"}')
        place.outputs.digests.fresh()
        assert not validate.component_current(place.env, "web", place.outputs)

    def test_the_crd_of_another_component_serves(self, place: Place) -> None:
        crd = {**self.CRD, "metadata": {"name": "widgets.example.com", "namespace": "shop"}}
        place.render("db", crd)
        evaluated = place.outputs.evaluated("test", "db")
        place.outputs.write(evaluated, "{}", "key", facts={"scopes": [["example.com", "Widget", True]]})
        place.render("web", self.WIDGET)
        assert place.check("web").problems == ()


class TestSwitchingOff:
    """An object, or an environment, switches a check off."""

    @pytest.mark.parametrize("text", ["schema — we know", "names, schema - we know", "schema -- we know"])
    def test_an_object_with_its_reason(self, place: Place, text: str) -> None:
        bad = settings("a", bad=1)
        bad["metadata"]["annotations"] = {"mop.raibid-labs.dev/skip-checks": text}
        place.render("web", bad)
        assert place.check("web").problems == ()

    @pytest.mark.parametrize("text", ["schema", "schema —", "names — we know", ""])
    def test_not_without_a_reason_nor_for_another_check(self, place: Place, text: str) -> None:
        bad = settings("a", bad=1)
        bad["metadata"]["annotations"] = {"mop.raibid-labs.dev/skip-checks": text}
        place.render("web", bad)
        assert "schema" in [p.check for p in place.errors("web")]

    def test_an_environment_makes_a_check_a_warning_or_nothing(self, place: Place) -> None:
        place.render("web", settings("a", bad=1))
        place.env = replace(place.env, validate={"checks": {"schema": "warning"}})
        assert [p.level for p in place.check("web").problems] == ["warning"]
        place.env = replace(place.env, validate={"checks": {"schema": "off"}})
        assert place.check("web").problems == ()

    def test_a_protected_environment_is_told_more(self, place: Place) -> None:
        sound: Any = json.loads(json.dumps(DEPLOYMENT))
        place.render("web", sound)
        assert place.check("web").problems == ()
        place.env = replace(place.env, protected=True)
        assert {p.check for p in place.check("web").problems} == {"requests"}
