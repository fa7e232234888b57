"""The rule of client-go's csaupgrade: an old manager's entry becomes ours, or is united with it."""

from __future__ import annotations

from typing import Any

from mop.manifest import Manifest
from mop.rollout.adopting import migrated, released, tools_of


def entry(manager: str, operation: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def config_map(*entries: dict[str, Any], **data: str) -> Manifest:
    metadata = {"name": "settings", "managedFields": list(entries)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_an_update_becomes_our_apply() -> None:
    live = config_map(entry("kubectl-client-side-apply", "Update", {"f:data": {"f:a": {}}}))
    assert migrated(live) == [entry("mop", "Apply", {"f:data": {"f:a": {}}})]


def test_entries_are_united_with_ours_and_controllers_stay() -> None:
    status = entry("kubectl-client-side-apply", "Update", {"f:status": {}}, subresource="status")
    other = entry("kube-controller-manager", "Update", {"f:data": {"f:c": {}}})
    live = config_map(
        entry("helm", "Update", {"f:data": {"f:a": {}}}),
        entry("mop", "Apply", {"f:data": {"f:b": {}}}),
        other,
        status,
    )
    assert migrated(live) == [entry("mop", "Apply", {"f:data": {"f:a": {}, "f:b": {}}}), other, status]
    assert tools_of(live) == ["helm"]


def test_what_only_they_own_goes_and_what_we_share_stays() -> None:
    dry = config_map(
        entry("helm", "Apply", {"f:data": {"f:a": {}, "f:b": {}}}),
        entry("mop", "Apply", {"f:data": {"f:b": {}}}),
        a="1",
        b="2",
        c="3",
    )
    assert released(dry)["data"] == {"b": "2", "c": "3"}
    assert dry["data"] == {"a": "1", "b": "2", "c": "3"}


def test_items_of_lists_go_by_their_keys_and_values() -> None:
    theirs = {"f:spec": {'k:{"name":"old"}': {".": {}}, 'v:"x"': {}}}
    dry = config_map(
        entry("helm", "Update", {"f:list": theirs["f:spec"]}), entry("mop", "Apply", {"f:list": {}})
    )
    dry["list"] = [{"name": "old"}, {"name": "new"}, "x"]
    assert released(dry)["list"] == [{"name": "new"}]
