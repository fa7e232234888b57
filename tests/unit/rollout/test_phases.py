"""What goes before what."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from mop.manifest import KIND_ORDER, kind_rank
from mop.rollout.applyset import PART_OF, Owner
from mop.rollout.labels import is_hook, selector, sent
from mop.rollout.names import COMPONENT, ENVIRONMENT
from mop.rollout.phases import PHASES, defined_kinds, namespaces, waves
from tests.unit.objects import config_map, definition, deployment, namespace, obj, secret, widget

OWNER = Owner("staging", "web", "monitoring")
KINDS = st.sampled_from([*KIND_ORDER, "Widget", "Prometheus"])


@given(st.lists(KINDS))
def test_every_object_belongs_to_exactly_one_phase(kinds: list[str]) -> None:
    for kind in kinds:
        version = "apiextensions.k8s.io/v1" if kind == "CustomResourceDefinition" else "v1"
        assert sum(phase.holds(obj(version, kind, "x")) for phase in PHASES) == 1


def test_namespaces_come_before_definitions_before_the_rest() -> None:
    order = [
        next(phase.name for phase in PHASES if phase.holds(manifest))
        for manifest in (namespace(), definition(), config_map())
    ]
    assert order == ["namespaces", "definitions", "objects"] == [phase.name for phase in PHASES]
    assert [phase.settles for phase in PHASES] == [True, True, False]


@given(st.lists(KINDS, max_size=20))
def test_waves_keep_every_object_and_rise_in_rank(kinds: list[str]) -> None:
    manifests = [obj("v1", kind, f"x{number}") for number, kind in enumerate(kinds)]
    found = waves(manifests)
    assert sorted(m["metadata"]["name"] for wave in found for m in wave) == sorted(
        m["metadata"]["name"] for m in manifests
    )
    ranks = [{kind_rank(m["kind"]) for m in wave} for wave in found]
    assert all(len(rank) == 1 for rank in ranks)
    assert [min(rank) for rank in ranks] == sorted({kind_rank(kind) for kind in kinds})


def test_what_a_run_creates_is_known() -> None:
    everything = [namespace("a"), definition("Widget", "example.com"), widget()]
    assert namespaces(everything) == {"a"}
    assert defined_kinds(everything) == {("example.com", "Widget")}


def test_labels_stand_on_the_object_and_not_on_its_pods() -> None:
    manifest = sent(deployment(), OWNER)
    assert manifest["metadata"]["labels"] == {
        ENVIRONMENT: "staging",
        COMPONENT: "web",
        PART_OF: OWNER.set_id,
    }
    assert manifest["spec"] == deployment()["spec"]
    assert "labels" not in deployment()["metadata"]
    assert selector("staging", "web") == f"{ENVIRONMENT}=staging,{COMPONENT}=web"


def test_string_data_is_sent_as_data_and_wins_there() -> None:
    manifest = {**secret(a="new"), "data": {"a": "b2xk", "b": "a2VwdA=="}}
    assert sent(manifest, OWNER)["data"] == {"a": base64.b64encode(b"new").decode(), "b": "a2VwdA=="}
    assert "stringData" not in sent(manifest, OWNER)


def test_string_data_that_the_server_would_refuse_is_left_for_it_to_refuse() -> None:
    manifest = obj("v1", "Secret", "s", stringData={"port": 5432})
    assert sent(manifest, OWNER)["stringData"] == {"port": 5432}


def test_hooks_are_told_by_their_annotation() -> None:
    def annotated(value: str) -> bool:
        return is_hook(obj("batch/v1", "Job", "j", metadata={"annotations": {"helm.sh/hook": value}}))

    assert annotated("pre-install,pre-upgrade")
    assert annotated("test")
    assert not annotated("crd-install")
    assert not is_hook(config_map())
