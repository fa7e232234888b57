"""The packaged Kubernetes schemas and CRDs: what they refuse, in which words, and what they let through."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import threading
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mop.cache import Cache
from mop.engines import schema_definitions
from mop.engines.schema import PackagedSchemas
from mop.errors import ConfigError
from mop.problem import Problem

#: Definitions are prepared once for all tests; kubernetes-validate's files are what they are made from.
CACHE = Path(tempfile.mkdtemp(prefix="mop-schemas-"))
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
SCHEMAS = PackagedSchemas(CACHE)


def deployment(**container: Any) -> dict[str, Any]:
    """A sound Deployment; `container` adds fields to its one container."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1", **container}]},
            },
        },
    }


def secret(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": data}


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def check(*manifests: dict[str, Any], version: str = "1.34", crds: tuple[Any, ...] = ()) -> list[Problem]:
    return SCHEMAS.validate(version, list(manifests), crds)


@pytest.mark.parametrize("version", SCHEMAS.versions())
def test_every_packaged_version_accepts_a_sound_object_and_refuses_an_unknown_field(version: str) -> None:
    assert check(deployment(), version=version) == []
    problem = only(check(deployment(imagePulPolicy="Always"), version=version))
    assert problem.path == "spec.template.spec.containers[0].imagePulPolicy"
    assert problem.hint == "did you mean imagePullPolicy?"
    assert problem.object == "Deployment/shop/web"
    assert problem.check == "schema"


@pytest.mark.parametrize(
    ("container", "path", "words"),
    [
        (
            {"ports": [{"containerPort": "80"}]},
            "ports[0].containerPort",
            'wrong type: integer, not string "80"',
        ),
        ({"ports": [{"name": "http"}]}, "ports[0].containerPort", "required field is missing: integer, not "),
        (
            {"ports": [{"containerPort": 2**31}]},
            "ports[0].containerPort",
            "out of range: at most 65535, not integer 2147483648",
        ),
        (
            {"resources": {"limits": {"cpu": "5GB"}}},
            "resources.limits.cpu",
            'wrong format: a quantity such as 500m, 2 or 4Gi, not string "5GB"',
        ),
        (
            {"livenessProbe": {"httpGet": {"port": 1.5}}},
            "livenessProbe.httpGet.port",
            "wrong type: integer or string, not number 1.5",
        ),
        ({"command": "run"}, "command", "wrong type: array, not string"),
    ],
)
def test_a_mistake_says_where_what_was_expected_and_what_was_found(
    container: dict[str, Any], path: str, words: str
) -> None:
    problem = only(check(deployment(**container)))
    assert problem.path == f"spec.template.spec.containers[0].{path}"
    assert f"{problem.message}: {problem.expected}, not {problem.found}" == words


@pytest.mark.parametrize(
    "quantity", ["1", 1, 0.5, "1.5Gi", ".5", "5.", "-1", "+2k", "1e3", "1E-3", " 1 ", "100m", "1n"]
)
def test_what_go_parses_as_a_quantity_is_one(quantity: Any) -> None:
    assert check(deployment(resources={"limits": {"memory": quantity}})) == []


@pytest.mark.parametrize("quantity", ["", "1 Gi", "GB", "1GB", "1.2.3", "1KI", "e3", "--1", "1ei", True, [1]])
def test_what_go_does_not_parse_as_a_quantity_is_none(quantity: Any) -> None:
    assert only(check(deployment(resources={"limits": {"memory": quantity}}))).path.endswith("limits.memory")


@pytest.mark.parametrize("value", ["", "aGVsbG8=", "YQ==", "YWJj", "aGVs\nbG8=\n"])
def test_base64_is_accepted_as_go_does(value: str) -> None:
    assert check(secret(key=value)) == []


@pytest.mark.parametrize("value", ["hunter2!", "a", "YQ=", "YQ", "aGVsbG8", "=", 7])
def test_what_is_not_base64_is_refused_without_showing_it(value: Any) -> None:
    problem = only(check(secret(key=value)))
    assert problem.path == "data.key"
    assert str(value) not in problem.found


@given(value=st.text(min_size=6, alphabet="abcdefgh!?_"), where=st.sampled_from(["data", "stringData"]))
@settings(max_examples=40, deadline=None)
def test_no_problem_ever_shows_what_a_secret_holds(value: str, where: str) -> None:
    manifest = {**secret(), where: {"password": {value: value}, "list": [value], "other": value}}
    shown = [json.dumps([p.message, p.expected, p.found, p.hint]) for p in check(manifest)]
    assert shown
    assert not any(value in text for text in shown)


def test_null_is_as_good_as_nothing() -> None:
    manifest = deployment(ports=None, resources={"limits": {"cpu": None}})
    manifest["metadata"]["creationTimestamp"] = None
    manifest["status"] = None
    assert check(manifest) == []


def test_a_label_that_is_no_text_is_found_with_its_key_in_brackets() -> None:
    manifest = deployment()
    manifest["metadata"]["labels"]["app.kubernetes.io/version"] = 1.2
    assert only(check(manifest)).path == 'metadata.labels["app.kubernetes.io/version"]'


def test_problems_come_in_the_order_of_the_objects() -> None:
    manifests = [secret(a="!"), deployment(nam=1), secret(b="?"), deployment(imag=1)]
    assert [p.path.rpartition(".")[2] for p in check(*manifests)] == ["a", "nam", "b", "imag"]


class TestKinds:
    """Kinds that this Kubernetes does not have."""

    def test_a_removed_version_names_its_replacement(self) -> None:
        ingress = {"apiVersion": "extensions/v1beta1", "kind": "Ingress", "metadata": {"name": "web"}}
        problem = only(check(ingress))
        assert problem.message == "extensions/v1beta1 Ingress was removed in Kubernetes 1.22"
        assert problem.hint == "use networking.k8s.io/v1"
        assert problem.check == "api-versions"

    def test_a_version_that_goes_soon_is_a_warning(self) -> None:
        manifest = {
            "apiVersion": "autoscaling/v2beta2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web"},
        }
        warning = only([p for p in check(manifest, version="1.25") if p.level == "warning"])
        assert warning.message == "autoscaling/v2beta2 HorizontalPodAutoscaler is removed in Kubernetes 1.26"
        assert warning.hint == "use autoscaling/v2"
        gone = only(check(manifest, version="1.26"))
        assert (gone.level, gone.hint) == ("error", "use autoscaling/v2")

    def test_a_version_that_is_yet_to_come_says_since_when(self) -> None:
        manifest = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "p"},
        }
        assert (
            "comes with Kubernetes 1.30; this environment runs 1.29"
            in only(check(manifest, version="1.29")).message
        )
        assert check(manifest, version="1.30") == []

    def test_the_right_kind_in_the_wrong_group_is_recognised(self) -> None:
        manifest = {**deployment(), "apiVersion": "v1"}
        assert only(check(manifest)).hint == "did you mean apps/v1 Deployment?"

    def test_a_subresource_is_no_object(self) -> None:
        scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}}
        assert only(check(scale)).check == "unknown-kinds"

    def test_an_unknown_kubernetes_says_which_are_known(self) -> None:
        with pytest.raises(ConfigError, match=r"Kubernetes 1\.99 has no schemas here; known are 1\.25 to"):
            check(deployment(), version="1.99")

    @pytest.mark.parametrize("version", ["34", "1.34.1", "2.0", "v1.34", ""])
    def test_what_is_no_version_is_said_to_be_none(self, version: str) -> None:
        with pytest.raises(ConfigError, match="is no Kubernetes version"):
            SCHEMAS.namespaced(version)


class TestScopes:
    """Which kinds live in a namespace; Tanka's own list of 23 gets IngressClass wrong."""

    @pytest.mark.parametrize("version", SCHEMAS.versions())
    def test_the_kinds_that_everybody_uses(self, version: str) -> None:
        scopes = SCHEMAS.namespaced(version)
        for namespaced in ("Deployment", "StatefulSet", "DaemonSet"):
            assert scopes["apps/v1", namespaced]
        for kind in ("Namespace", "Node", "PersistentVolume"):
            assert not scopes["v1", kind]
        assert not scopes["networking.k8s.io/v1", "IngressClass"]
        assert not scopes["rbac.authorization.k8s.io/v1", "ClusterRole"]
        assert scopes["rbac.authorization.k8s.io/v1", "Role"]
        assert not scopes["apiextensions.k8s.io/v1", "CustomResourceDefinition"]
        assert not scopes["storage.k8s.io/v1", "StorageClass"]

    @pytest.mark.parametrize("version", SCHEMAS.versions())
    def test_every_kind_with_a_scope_has_a_schema(self, version: str) -> None:
        kinds = schema_definitions.load(version, Cache(CACHE)).kinds
        assert {" ".join(kind) for kind in SCHEMAS.namespaced(version)} <= kinds.keys()

    def test_the_data_knows_the_newest_packaged_version(self) -> None:
        """If this fails, kubernetes-validate brought a new version: run tools/kubernetes_kinds.py."""
        from mop.engines import schema_kinds

        assert SCHEMAS.versions()[-1] == f"1.{schema_kinds.newest()}"


class TestCache:
    """The prepared definitions on disk."""

    def test_it_gives_what_was_made_from_the_package(self, tmp_path: Path) -> None:
        made = schema_definitions.load("1.34", Cache(tmp_path))
        assert schema_definitions.load("1.34", Cache(tmp_path)) == made

    def test_a_damaged_entry_is_made_again(self, tmp_path: Path) -> None:
        made = schema_definitions.load("1.34", Cache(tmp_path))
        entry = next(path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > 1000)
        whole = entry.read_bytes()
        for damage in (whole[:-9], whole.replace(b"apps/v1", b"apps/v2"), b"", b"\xff\xfe"):
            entry.write_bytes(damage)
            assert schema_definitions.load("1.34", Cache(tmp_path)) == made
            assert entry.read_bytes() == whole

    def test_threads_may_share_one(self, tmp_path: Path) -> None:
        schemas, found = PackagedSchemas(tmp_path), []
        threads = [
            threading.Thread(target=lambda: found.append(schemas.validate("1.34", [deployment(nam=1)])))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert all(problems == found[0] for problems in found)


def crd(schema: dict[str, Any], **version: Any) -> dict[str, Any]:
    """A CRD of the kind Widget in example.com/v1."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    **version,
                }
            ],
        },
    }


def widget(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, **fields}


def spec_of(schema: dict[str, Any]) -> dict[str, Any]:
    return crd({"type": "object", "properties": {"spec": schema}})


class TestCustomResources:
    """Structural schemas, as the API server reads them."""

    PORT: ClassVar[dict[str, Any]] = {
        "type": "object",
        "required": ["port"],
        "properties": {"port": {"type": "integer", "maximum": 9}},
    }

    def test_without_its_crd_a_kind_is_unknown_and_with_it_it_is_checked(self) -> None:
        assert only(check(widget())).check == "unknown-kinds"
        assert check(widget(spec={"port": 1}), crds=(spec_of(self.PORT),)) == []

    def test_fields_are_strict_down_to_the_metadata(self) -> None:
        broken = widget(spec={"prot": 1, "port": 10})
        broken["metadata"]["lables"] = {}
        problems = {p.path: p for p in check(broken, crds=(spec_of(self.PORT),))}
        assert problems["spec.prot"].hint == "did you mean port?"
        assert problems["spec.port"].expected == "at most 9"
        assert problems["metadata.lables"].hint == "did you mean labels?"

    def test_an_object_that_specifies_no_field_has_none(self) -> None:
        assert only(check(widget(spec={"a": 1}), crds=(spec_of({"type": "object"}),))).path == "spec.a"

    def test_preserved_fields_are_free_but_those_specified_still_hold(self) -> None:
        schema = {**self.PORT, "x-kubernetes-preserve-unknown-fields": True}
        assert check(widget(spec={"port": 1, "any": {"thing": [1]}}), crds=(spec_of(schema),)) == []
        assert only(check(widget(spec={"port": "x"}), crds=(spec_of(schema),))).path == "spec.port"

    def test_int_or_string(self) -> None:
        schema = {
            "type": "object",
            "properties": {
                "p": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
            },
        }
        assert check(widget(spec={"p": 1}), widget(spec={"p": "1"}), crds=(spec_of(schema),)) == []
        assert check(widget(spec={"p": 1.5}), crds=(spec_of(schema),)) != []

    def test_an_embedded_resource_is_a_whole_object(self) -> None:
        schema = {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "properties": {"spec": {"type": "object"}},
        }
        whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}
        assert check(widget(spec=whole), crds=(spec_of(schema),)) == []
        assert only(check(widget(spec={**whole, "data": {}}), crds=(spec_of(schema),))).path == "spec.data"

    def test_null_needs_leave(self) -> None:
        plain = {"type": "object", "properties": {"a": {"type": "string"}}}
        free = {"type": "object", "properties": {"a": {"type": "string", "nullable": True, "enum": ["x"]}}}
        default = {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}
        assert only(check(widget(spec={"a": None}), crds=(spec_of(plain),))).path == "spec.a"
        assert check(widget(spec={"a": None}), crds=(spec_of(free),)) == []
        assert check(widget(spec={"a": None}), crds=(spec_of(default),)) == []

    def test_conditions_specify_no_fields_and_forbid_none(self) -> None:
        schema = {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"], "properties": {"b": {"pattern": "^x"}}}],
        }
        assert check(widget(spec={"a": "1"}), widget(spec={"b": "x"}), crds=(spec_of(schema),)) == []
        assert only(check(widget(spec={}), crds=(spec_of(schema),))).message.startswith("matches none")
        assert check(widget(spec={"a": "1", "b": "x"}), crds=(spec_of(schema),)) != []

    def test_exclusive_bounds_of_openapi(self) -> None:
        schema = {
            "type": "object",
            "properties": {"n": {"type": "integer", "minimum": 1, "exclusiveMinimum": True}},
        }
        assert only(check(widget(spec={"n": 1}), crds=(spec_of(schema),))).expected == "more than 1"
        assert check(widget(spec={"n": 2}), crds=(spec_of(schema),)) == []

    def test_a_version_that_is_not_served_is_unknown(self) -> None:
        unserved = crd({"type": "object"}, served=False)
        assert only(check(widget(), crds=(unserved,))).check == "unknown-kinds"

    def test_two_crds_of_one_kind_are_kept_apart(self) -> None:
        schemas = PackagedSchemas(CACHE)
        strict, free = (
            spec_of({"type": "object"}),
            spec_of({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        )
        for _ in range(2):
            assert schemas.validate("1.34", [widget(spec={"a": 1})], [strict])
            assert not schemas.validate("1.34", [widget(spec={"a": 1})], [free])

    def test_a_crd_that_cannot_be_used_is_a_problem_and_not_a_crash(self) -> None:
        bad = spec_of({"type": "object", "properties": {"a": {"type": "string", "pattern": "(["}}})
        problem = only(check(widget(spec={"a": "x"}), crds=(bad,)))
        assert "cannot be used" in problem.message
        assert problem.level == "warning"


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_an_object_gives_problems_and_never_an_exception(data: st.DataObject) -> None:
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
    manifest = deepcopy(deployment())
    part = data.draw(st.sampled_from(["spec", "status", "data"]))
    manifest[part] = data.draw(junk)
    for problem in check(manifest):
        assert problem.path
        assert problem.message


class TestEnumerations:
    """The values that an API server allows, which the packaged schemas do not say."""

    def test_a_value_that_is_none_of_them_is_refused_with_the_nearest(self) -> None:
        problem = only(check(deployment(imagePullPolicy="IfNotPresnt")))
        assert problem.message == "not an allowed value"
        assert problem.expected == "one of Always, IfNotPresent, Never"
        assert problem.hint == "did you mean IfNotPresent?"

    @pytest.mark.parametrize("unset", ["", None])
    def test_unset_is_allowed(self, unset: Any) -> None:
        assert check(deployment(imagePullPolicy=unset)) == []

    def test_items_of_lists_have_them_too(self) -> None:
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOne"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        assert only(check(claim)).path == "spec.accessModes[0]"

    @pytest.mark.parametrize("version", SCHEMAS.versions())
    def test_each_of_them_belongs_to_a_field_of_that_version_or_of_a_later_one(self, version: str) -> None:
        text = schema_definitions.load(version, Cache(CACHE)).text["io.k8s.api.core.v1.Container"]
        assert json.loads(text)["properties"]["imagePullPolicy"]["enum"] == [
            "Always", "IfNotPresent", "Never", "", None,
        ]  # fmt: skip
