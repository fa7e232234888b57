"""Which claims get a volume, which volume, and which volumes are removed."""

from __future__ import annotations

from typing import Any

import pytest

from mop.controlplane.volumes import LABEL, is_released, volume_for, wants_volume


def claim(spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A claim as the API server has it."""
    whole = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "volumeMode": "Filesystem",
    }
    metadata = {"name": "data-loki-0", "namespace": "monitoring", "uid": "u-1"}
    return {"metadata": metadata, "spec": whole | (spec or {}), "status": status or {"phase": "Pending"}}


@pytest.mark.parametrize("name", ["simulated", "gp3", "a-class-that-does-not-exist"])
def test_a_pending_claim_of_any_class_is_provided_for(name: str) -> None:
    wanting = claim({"storageClassName": name})

    assert wants_volume(wanting)
    assert volume_for(wanting)["spec"]["storageClassName"] == name


def test_a_claim_without_any_class_is_provided_for() -> None:
    assert wants_volume(claim())
    assert "storageClassName" not in volume_for(claim())["spec"]


@pytest.mark.parametrize(
    "spec", [{"volumeName": "mine"}, {"selector": {"matchLabels": {"a": "b"}}}, {"storageClassName": ""}]
)
def test_a_claim_that_is_meant_for_a_volume_made_by_hand_is_left_alone(spec: dict[str, Any]) -> None:
    assert not wants_volume(claim(spec))


def test_a_bound_claim_and_one_that_goes_are_left_alone() -> None:
    going = claim()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert not wants_volume(claim(phase="Bound"))
    assert not wants_volume(going)


def test_the_volume_is_bound_to_that_very_claim() -> None:
    volume = volume_for(claim())

    assert volume["spec"]["claimRef"]["uid"] == "u-1"
    assert volume["metadata"]["name"] == "pvc-u-1", (
        "a later claim of the same name has another uid, and volume"
    )
    assert volume["spec"]["capacity"] == {"storage": "5Gi"}
    assert volume["spec"]["volumeMode"] == "Filesystem"


@pytest.mark.parametrize(
    ("labels", "phase", "released"),
    [
        ({LABEL: "true"}, "Released", True),
        ({LABEL: "true"}, "Bound", False),
        ({LABEL: "true"}, "Available", False),
        ({}, "Released", False),
    ],
)
def test_only_released_volumes_of_ours_are_removed(
    labels: dict[str, str], phase: str, released: bool
) -> None:
    assert is_released({"metadata": {"name": "v", "labels": labels}, "status": {"phase": phase}}) is released
