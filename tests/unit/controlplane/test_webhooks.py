"""Which webhooks are muted: those that a Service, so a simulated pod, would answer."""

from __future__ import annotations

from typing import Any

from mop.controlplane.webhooks import CONDITION, muted

KIND = "ValidatingWebhookConfiguration"
SERVICE = {"service": {"name": "operator", "namespace": "monitoring"}}


def configuration(*hooks: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "guard"}, "webhooks": list(hooks)}


def test_webhooks_of_services_get_a_condition_that_never_holds() -> None:
    patch = muted(
        KIND, configuration({"name": "a", "clientConfig": SERVICE}, {"name": "b", "clientConfig": SERVICE})
    )
    assert patch is not None
    assert patch["kind"] == KIND
    assert patch["metadata"] == {"name": "guard"}
    assert patch["webhooks"] == [{"name": name, "matchConditions": [CONDITION]} for name in ("a", "b")]


def test_webhooks_by_url_are_left_alone() -> None:
    url = {"name": "a", "clientConfig": {"url": "https://127.0.0.1/"}}
    assert muted(KIND, configuration(url)) is None
    patch = muted(KIND, configuration(url, {"name": "b", "clientConfig": SERVICE}))
    assert patch is not None
    assert [hook["name"] for hook in patch["webhooks"]] == ["b"]


def test_what_is_muted_is_not_written_again() -> None:
    hook = {
        "name": "a",
        "clientConfig": SERVICE,
        "matchConditions": [{"name": "own", "expression": "true"}, CONDITION],
    }
    assert muted(KIND, configuration(hook)) is None
    assert muted(KIND, {"metadata": {"name": "empty"}}) is None
