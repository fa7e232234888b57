"""From an evaluated value to objects, by Tanka's rules; the examples are those of its own tests and more."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from mop import extract
from mop.errors import ManifestError
from mop.extract import Scopes
from mop.manifest import ObjectRef, sort_key
from mop.model import TankaEnvironment


def make(kind: str = "Service", name: str = "web", version: str = "v1", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def names(value: Any) -> list[str]:
    return [it["metadata"]["name"] for it in extract.extract(value)]


class TestExtract:
    def test_objects_at_any_depth_in_the_order_of_their_paths(self) -> None:
        value = {
            "b": {"x": [make(name="3"), [make(name="4")]]},
            "a": make(name="1"),
            "aa": {"z": make(name="2")},
        }
        assert names(value) == ["1", "2", "3", "4"]

    def test_an_object_by_itself_and_none(self) -> None:
        assert names(make()) == ["web"]
        assert extract.extract({}) == extract.extract([]) == extract.extract({"a": {"b": []}}) == []

    def test_what_is_in_an_object_is_its_own(self) -> None:
        assert names(make(spec={"template": make(name="inner")})) == ["web"]

    def test_null_fields_are_passed_over(self) -> None:
        assert names({"a": None, "b": {"c": None, "d": make()}}) == ["web"]

    def test_ksonnet_s_own_field_is_dropped(self) -> None:
        value = {"__ksonnet": {"checksum": 1}, "a": {**make(), "__ksonnet": "x"}}
        assert extract.extract(value) == [make()]

    def test_lists_give_their_items(self) -> None:
        inner = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [make(name="2"), make(name="3")]}
        value = {
            "a": make(name="1"),
            "list": {"apiVersion": "v1", "kind": "List", "items": [inner, make(name="4")]},
        }
        assert names(value) == ["1", "2", "3", "4"]

    def test_the_value_stays_as_it_was(self) -> None:
        value = {"a": [{**make(), "__ksonnet": 1}, {"apiVersion": "v1", "kind": "List", "items": [make()]}]}
        before = copy.deepcopy(value)
        extract.extract(value)
        assert value == before


class TestStrayValues:
    @pytest.mark.parametrize(
        ("value", "path", "found"),
        [
            ({"a": {"b": "text"}}, ".a.b", "a string"),
            ({"a": {"b": [1]}}, ".a.b[0]", "the number 1"),
            ({"a": [True]}, ".a[0]", "the boolean true"),
            ({"a": [None]}, ".a[0]", "nothing"),
            ([{"loki": {"service": [make(), 0.5]}}], "[0].loki.service[1]", "the number 0.5"),
            (3, ".", "the number 3"),
        ],
    )
    def test_the_path_and_what_stands_there(self, value: Any, path: str, found: str) -> None:
        with pytest.raises(ManifestError) as caught:
            extract.extract(value)
        assert caught.value.message.startswith(f"{path}: expected Kubernetes objects, found {found}.")

    @pytest.mark.parametrize(
        ("around", "why"),
        [
            ({"kind": "Service", "spec": {}}, "it has no apiVersion"),
            ({"apiVersion": "v1"}, "it has no kind"),
            ({"apiVersion": 1, "kind": "Service"}, "its apiVersion is not a string, it is the number 1"),
            ({"apiVersion": "v1", "kind": ""}, "its kind is empty"),
        ],
    )
    def test_why_what_is_around_it_is_no_object(self, around: dict[str, Any], why: str) -> None:
        with pytest.raises(ManifestError, match=f"at .loki\\) is no Kubernetes object: {why}") as caught:
            extract.extract({"loki": around})
        assert "hide a field that is only configuration" in caught.value.hint

    def test_secrets_are_masked_where_the_object_is_shown(self) -> None:
        value = {"a": {"password": "hunter2", "user": "me", "n": {f"x{i}": i for i in range(30)}}}
        with pytest.raises(ManifestError) as caught:
            extract.extract(value)
        assert "hunter2" not in caught.value.message
        assert "..." in caught.value.message.splitlines()[-1]


class TestVerify:
    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"metadata": None}, "metadata: expected an object, found nothing"),
            ({"metadata": []}, "metadata: expected an object, found an array"),
            ({"metadata": {}}, "metadata.name: expected a name, found nothing"),
            ({"metadata": {"name": ""}}, "metadata.name: expected a name, found an empty string"),
            ({"metadata": {"name": 3}}, "metadata.name: expected a name, found the number 3"),
            ({"metadata": {"generateName": "x-"}}, "metadata.name: missing; generateName is not enough"),
            (
                {"metadata": {"name": "x", "labels": {"a": 1}}},
                "metadata.labels: expected strings, but a is the number 1",
            ),
            (
                {"metadata": {"name": "x", "annotations": {"a": None}}},
                "metadata.annotations: expected strings, but a is nothing",
            ),
            (
                {"metadata": {"name": "x", "annotations": "x"}},
                "metadata.annotations: expected an object, found a string",
            ),
        ],
    )
    def test_each_fault_with_the_object_s_path(self, change: dict[str, Any], fault: str) -> None:
        with pytest.raises(ManifestError) as caught:
            extract.extract({"a": [{**make(), **change}]})
        assert caught.value.message.startswith(".a[0] is not a usable Kubernetes object:\n")
        assert fault in caught.value.message

    def test_items_of_lists_have_paths_of_their_own(self) -> None:
        with pytest.raises(ManifestError, match=r"^\.a\.items\[1\] is not a usable"):
            extract.extract({"a": {"apiVersion": "v1", "kind": "List", "items": [make(), {"kind": "x"}]}})
        with pytest.raises(
            ManifestError, match=r"^\.a\.items\[0\]: expected a Kubernetes object in the list, found a string"
        ):
            extract.extract({"a": {"apiVersion": "v1", "kind": "List", "items": ["x"]}})

    def test_null_labels_are_none(self) -> None:
        assert names(make(metadata={"labels": None, "annotations": None})) == ["web"]

    def test_a_secret_is_never_shown(self) -> None:
        secret = make(
            "Secret", stringData={"x": "hunter2"}, data={"y": "aHVudGVyMg=="}, metadata={"labels": 1}
        )
        with pytest.raises(ManifestError) as caught:
            extract.extract(secret)
        assert "hunter2" not in caught.value.message
        assert "aHVudGVyMg==" not in caught.value.message


BUILTIN = {
    ("v1", "Service"): True,
    ("v1", "Namespace"): False,
    ("networking.k8s.io/v1", "IngressClass"): False,
}
SCOPES = Scopes(BUILTIN, {("example.com", "Thing"): False, ("example.com", "Item"): True})


class TestNamespace:
    @pytest.mark.parametrize(
        ("manifest", "namespace"),
        [
            (make(), "monitoring"),
            (make(metadata={"namespace": "own"}), "own"),
            (make(metadata={"namespace": ""}), ""),
            (make(metadata={"namespace": None}), "monitoring"),
            (make("Namespace"), None),
            (make("IngressClass", version="networking.k8s.io/v1"), None),
            (make("Thing", version="example.com/v1"), None),
            (make("Item", version="example.com/v2"), "monitoring"),
            (make("Unknown", version="other.io/v1"), "monitoring"),
            (make("PodSecurityPolicy", version="policy/v1beta1"), None),
            (make("Namespace", metadata={"annotations": {extract.NAMESPACED: "true"}}), "monitoring"),
            (make(metadata={"annotations": {extract.NAMESPACED: "false"}}), None),
        ],
        ids=lambda it: it["kind"] if isinstance(it, dict) else str(it),
    )
    def test_who_gets_one(self, manifest: dict[str, Any], namespace: str | None) -> None:
        assert (
            extract.with_namespace(manifest, "monitoring", SCOPES)["metadata"].get("namespace") == namespace
        )

    def test_without_one_nobody_does(self) -> None:
        assert extract.with_namespace(make(), "", SCOPES) == make()

    @pytest.mark.parametrize("annotations", [{}, None])
    def test_empty_annotations_go_as_with_tk(self, annotations: Any) -> None:
        done = extract.with_namespace(make(metadata={"annotations": annotations}), "x", SCOPES)
        assert "annotations" not in done["metadata"]

    def test_the_object_given_stays_as_it_was(self) -> None:
        manifest = make()
        extract.with_namespace(manifest, "x", SCOPES)
        assert manifest == make()


class TestCustomScopes:
    def test_every_definition_in_the_value(self) -> None:
        def crd(kind: str, scope: str) -> dict[str, Any]:
            spec = {"group": "example.com", "names": {"kind": kind}, "scope": scope}
            return make("CustomResourceDefinition", f"{kind}s", "apiextensions.k8s.io/v1", spec=spec)

        items = {"apiVersion": "v1", "kind": "List", "items": [crd("B", "Namespaced")]}
        value = {"x": [crd("A", "Cluster"), items], "y": make(spec={"z": crd("C", "Cluster")})}
        assert extract.crd_scopes(value) == {("example.com", "A"): False, ("example.com", "B"): True}

    def test_a_definition_that_is_none_says_nothing(self) -> None:
        assert extract.crd_scopes([{"kind": "CustomResourceDefinition", "spec": 3}, None, "x"]) == {}


class TestTanka:
    def test_label_and_defaults(self) -> None:
        environment = TankaEnvironment(
            name="environments/default",
            entrypoint="environments/default/main.jsonnet",
            inject_labels=True,
            default_annotations={"a": "default", "b": "default"},
            default_labels={"team": "default"},
        )
        manifest = make(metadata={"annotations": {"a": "own"}, "labels": {"team": "own"}})
        metadata = extract.with_tanka(manifest, environment)["metadata"]
        assert metadata["annotations"] == {"a": "own", "b": "default"}
        # The value that Tanka's own tests have for this environment.
        label = "ef8004c80176691d8a0f3688c077aa401e0b6083174fa72e"
        assert metadata["labels"] == {"team": "own", extract.ENVIRONMENT_LABEL: label}

    def test_without_them_nothing_appears(self) -> None:
        assert extract.with_tanka(make(), TankaEnvironment("a", "b")) == make()


class TestInline:
    VALUE = {  # noqa: RUF012
        "apiVersion": "tanka.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": "env", "labels": {"a": "b"}},
        "spec": {
            "namespace": "apps",
            "injectLabels": True,
            "tankaEnvLabelFromFields": [".metadata.name"],
            "resourceDefaults": {"labels": {"x": "y"}},
        },
        "data": {"service": make()},
    }

    def test_data_and_spec(self) -> None:
        found = extract.inline(self.VALUE, "environments/x/main.jsonnet")
        assert found is not None
        data, spec = found
        assert data == {"service": make()}
        assert (spec.name, spec.namespace, spec.entrypoint) == ("env", "apps", "environments/x/main.jsonnet")
        assert (spec.inject_labels, spec.label_fields, spec.default_labels) == (
            True,
            (".metadata.name",),
            {"x": "y"},
        )

    def test_tanka_s_default_namespace(self) -> None:
        found = extract.inline({**self.VALUE, "spec": {}}, "x")
        assert found is not None
        assert found[1].namespace == "default"

    @pytest.mark.parametrize("value", [{}, [], make(), {**VALUE, "apiVersion": "example.com/v1"}])
    def test_other_values_are_none(self, value: Any) -> None:
        assert extract.inline(value, "x") is None

    def test_a_spec_of_the_wrong_shape(self) -> None:
        with pytest.raises(ManifestError, match="expected injectLabels to be a boolean, found a string"):
            extract.inline({**self.VALUE, "spec": {"injectLabels": "yes"}}, "x")


KINDS = (
    "Namespace",
    "Secret",
    "ConfigMap",
    "CustomResourceDefinition",
    "ClusterRole",
    "Service",
    "Deployment",
)


class TestOrder:
    def test_kinds_then_namespace_then_name_whatever_the_order_was(self) -> None:
        expected = [
            make(kind, name, metadata={"namespace": ns}) for kind in KINDS for ns in "ab" for name in "xy"
        ]
        expected += [make("Alpha"), make("Beta", version="a/v1"), make("Beta", version="b/v1")]
        shuffled = random.Random(1).sample(expected, len(expected))  # noqa: S311
        assert sorted(shuffled, key=sort_key) == expected


def test_duplicates_are_named() -> None:
    error = extract.duplicate(ObjectRef("v1", "Service", "x", "web"), "staging/loki")
    assert error.message == "staging/loki: two objects are Service/x/web (v1)"


class TestNumbers:
    def test_integers_beyond_float64_are_what_tk_prints(self) -> None:
        text = '{"a": 18446744073709551616, "b": [9007199254740993, -10000000000000000000000], "c": "18446744073709551616"}'  # noqa: E501
        assert json.dumps(extract.parse(text)) == (
            '{"a": 18446744073709552000, "b": [9007199254740992, -1e+22], "c": "18446744073709551616"}'
        )

    def test_others_stay(self) -> None:
        assert extract.parse("[1, 1.0, 1e3, 0.10000000000000001, 9007199254740991]") == [
            1,
            1.0,
            1000.0,
            0.1,
            9007199254740991,
        ]
