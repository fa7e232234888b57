"""The model's own rules."""

from __future__ import annotations

import pytest

from mop.model import TankaEnvironment


def environment(**fields: object) -> TankaEnvironment:
    return TankaEnvironment("environments/default", "environments/default/main.jsonnet", **fields)  # type: ignore[arg-type]


def test_the_environment_label_is_tankas() -> None:
    """The value that `tk` puts on objects of `environments/default`."""
    assert environment().label == "ef8004c80176691d8a0f3688c077aa401e0b6083174fa72e"


def test_the_environment_label_may_be_made_from_other_fields() -> None:
    by_name = environment(label_fields=(".metadata.name",))
    by_team = environment(
        label_fields=(".metadata.labels.team", ".spec.injectLabels"), labels={"team": "logs"}
    )

    assert len({environment().label, by_name.label, by_team.label}) == 3
    for wrong in (".spec.contextNames", ".metadata.labels.team", ".spec.unknown"):
        with pytest.raises(ValueError, match=wrong):
            assert environment(label_fields=(wrong,)).label


def test_import_tk_shows_an_environment_as_go_writes_it() -> None:
    assert environment().document() == {
        "apiVersion": "tanka.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": "environments/default", "namespace": "environments/default/main.jsonnet"},
        "spec": {"namespace": "default", "resourceDefaults": {}, "expectVersions": {}},
    }
