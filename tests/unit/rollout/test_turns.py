"""Zones of one group never roll together."""

from __future__ import annotations

import pytest

from mop.manifest import Manifest, ref
from mop.results import Action, Change, FieldChange
from mop.rollout.plan import Planned
from mop.rollout.turns import rollout_group, rolls, turns
from tests.unit.objects import obj


def zone(name: str, label: str = "", strategy: str = "RollingUpdate") -> Manifest:
    metadata = {"labels": {"rollout-group": label}} if label else {}
    return obj("apps/v1", "StatefulSet", name, metadata=metadata, spec={"updateStrategy": {"type": strategy}})


def planned(manifest: Manifest, action: Action = "update", path: str = "spec.template.spec.x") -> Planned:
    return Planned(manifest, Change(action, ref(manifest), (FieldChange("update", path, 1, 2),)), write=True)


def names(*items: Planned) -> list[list[str]]:
    return [[item.change.ref.name for _, item in turn] for turn in turns([("web", item) for item in items])]


@pytest.mark.parametrize(
    ("manifest", "group"),
    [
        (zone("mimir-ingester-zone-a", "ingester"), "monitoring/ingester"),
        (zone("mimir-ingester-zone-a"), "monitoring/mimir-ingester"),
        (zone("loki-zone-aware"), "monitoring/loki"),
        (zone("loki"), ""),
    ],
)
def test_a_group_is_a_label_or_a_name(manifest: Manifest, group: str) -> None:
    assert rollout_group(manifest) == group


def test_zones_take_turns_and_others_do_not_wait_for_them() -> None:
    a, b, c = (planned(zone(f"ingester-zone-{letter}")) for letter in "abc")
    gateway, alone = planned(zone("gateway-zone-a")), planned(zone("compactor"))
    assert names(a, b, gateway, c, alone) == [
        ["ingester-zone-a", "gateway-zone-a", "compactor"],
        ["ingester-zone-b"],
        ["ingester-zone-c"],
    ]


@pytest.mark.parametrize(
    "item",
    [
        planned(zone("x-zone-a"), "add"),
        planned(zone("x-zone-a"), "keep"),
        planned(zone("x-zone-a"), path="spec.replicas"),
        planned(zone("x-zone-a", strategy="OnDelete")),
    ],
    ids=["new", "unchanged", "scaled", "restarted by an operator"],
)
def test_what_restarts_no_pod_needs_no_turn(item: Planned) -> None:
    assert not rolls(item)
    assert names(item, planned(zone("x-zone-b"))) == [["x-zone-a", "x-zone-b"]]
