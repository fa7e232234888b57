from __future__ import annotations

from typing import Any

import pytest

from mop.engines.helm_output import (
    Document,
    arrange,
    objects,
    require_chart,
    split_manifests,
    split_stream,
)
from mop.errors import ChartError


def shown(files: dict[str, str], **flags: Any) -> list[str]:
    """Kind and name of what is arranged."""
    found = objects(arrange(files, **{"skip_tests": False, "no_hooks": False, **flags}))
    return [f"{it.manifest.get('kind')}/{it.manifest.get('metadata', {}).get('name')}" for it in found]


def manifest(kind: str, name: str = "x", **annotations: str) -> str:
    noted = ", ".join(f'"helm.sh/{key.replace("_", "-")}": "{value}"' for key, value in annotations.items())
    return f"kind: {kind}\nmetadata: {{name: {name}, annotations: {{{noted}}}}}\n"


def test_objects_come_by_kind_then_by_template_then_as_they_stand() -> None:
    files = {
        "c/templates/b.yaml": manifest("Service", "b") + "---\n" + manifest("Zebra") + "---\n" + manifest("Secret"),
        "c/templates/a.yaml": manifest("Service", "a1") + "---\n" + manifest("Service", "a2"),
        "c/charts/s/templates/z.yaml": manifest("Service", "sub") + "---\n" + manifest("Ape"),
        "c/templates/n.yaml": manifest("Namespace"),
    }  # fmt: skip
    assert shown(files) == [
        "Namespace/x", "Secret/x", "Service/sub", "Service/a1", "Service/a2", "Service/b", "Ape/x", "Zebra/x",
    ]  # fmt: skip


def test_crds_come_first_as_they_are_and_hooks_last() -> None:
    files = {
        "c/templates/a.yaml": manifest("Job", "late", hook="post-install"),
        "c/templates/b.yaml": manifest("ConfigMap"),
        "c/templates/c.yaml": manifest("ServiceAccount", "early", hook="pre-install, PRE-UPGRADE"),
    }
    crds = [("c/crds/one.yaml", "kind: CustomResourceDefinition\nmetadata: {name: '{{ kept }}'}\n")]
    assert shown(files, crds=crds)[0] == "CustomResourceDefinition/{{ kept }}"
    assert shown(files) == ["ConfigMap/x", "ServiceAccount/early", "Job/late"]
    assert shown(files, no_hooks=True) == ["ConfigMap/x"]


def test_tests_are_hooks_that_can_be_left_out() -> None:
    files = {
        "c/templates/a.yaml": manifest("Pod", "old", hook="test-success"),
        "c/templates/b.yaml": manifest("Pod", "new", hook="test"),
        "c/templates/c.yaml": manifest("Pod", "both", hook="pre-install,test"),
        "c/templates/d.yaml": manifest("Pod", "plain"),
    }
    assert shown(files) == ["Pod/plain", "Pod/old", "Pod/new", "Pod/both"]
    assert shown(files, skip_tests=True) == ["Pod/plain"]


def test_an_object_with_an_event_that_helm_does_not_know_is_left_out() -> None:
    files = {
        "c/templates/a.yaml": manifest("Job", hook="pre-install,crd-install"),
        "c/templates/b.yaml": manifest("Job", "kept"),
    }
    assert shown(files) == ["Job/kept"]


def test_notes_partials_and_empty_documents_are_no_objects() -> None:
    files = {
        "c/templates/NOTES.txt": "this: is: no YAML",
        "c/templates/_partial.yaml": "{{",
        "c/templates/a.yaml": "\n---\n# a comment\n---\n\n---\n{}\n---\n" + manifest("ConfigMap") + "---\nnull\n",
        "c/templates/b.yaml": "  \n",
    }  # fmt: skip
    assert shown(files) == ["ConfigMap/x"]


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("a: 1\n---\nb: 2\n", ["a: 1", "b: 2\n"]),
        ("---a: 1\n---b: 2", ["a: 1", "b: 2"]),
        ("\n\n--- \n a: 1\n   \n---\n", ["a: 1"]),
        ("a: |\n  x\n\n\n---\nb: 1", ["a: |\n  x", "b: 1"]),
        ("a: ---\nb: x---\n", ["a: ---\nb: x---\n"]),
        ("a: 1\n---\n\n---\nb: 2", ["a: 1", "---\nb: 2"]),
        ("", []),
    ],
)
def test_documents_are_split_by_helms_own_rule(text: str, documents: list[str]) -> None:
    assert split_manifests(text) == documents


def test_a_printed_stream_is_split_by_its_source_comments() -> None:
    text = "---\n# Source: c/crds/a.yaml\na: 1\n---\nb: 2\n---\n# Source: c/templates/b.yaml\nc: 3\n"
    documents = split_stream(text)
    assert [d.template for d in documents] == ["c/crds/a.yaml", "c/templates/b.yaml"]
    assert [it.manifest for it in objects(documents)] == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert split_stream("") == []


def test_the_end_of_the_stream_is_trimmed_before_the_hooks_as_helm_does() -> None:
    kept = "kind: A\ntext: |+\n  x\n\n\n"
    files = {"c/templates/a.yaml": kept, "c/templates/b.yaml": kept.replace("A", "B")}
    first, second = objects(arrange(files, skip_tests=False, no_hooks=False))
    assert first.manifest["text"] == "x\n\n\n\n"
    assert second.manifest["text"] == "x\n"


def test_values_mean_what_go_makes_of_them() -> None:
    text = "a: yes\nb: 0o17\nc: 1e3\nd: 12:30\ne: 017\nf: 18446744073709551615\n"
    (found,) = objects([Document("c/templates/a.yaml", text)])
    assert found.manifest == {
        "a": "yes",
        "b": 15,
        "c": 1000,
        "d": "12:30",
        "e": 15,
        "f": 18446744073709551615,
    }


def test_what_tanka_refuses_is_read_as_helm_and_kubectl_read_it() -> None:
    text = "kind: A\nkind: B\ndata: {8080: x}\n"
    (found,) = objects([Document("c/templates/a.yaml", text)])
    assert found.manifest == {"kind": "B", "data": {"8080": "x"}}


def test_text_that_is_no_yaml_is_told_with_template_line_and_text() -> None:
    with pytest.raises(ChartError) as caught:
        arrange({"c/templates/a.yaml": "kind: A\nb: [\nc: }\n"}, skip_tests=False, no_hooks=False)
    assert caught.value.message.startswith(
        "chart c, template c/templates/a.yaml: rendered text that is no YAML: line 3"
    )
    assert caught.value.hint == "line 3 of its rendered text is: c: }"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("just words", "'just words'"),
        ("[1, 2]", "a list"),
        ("metadata: words", "at metadata, found 'words'"),
        ("metadata: {annotations: [a]}", "at metadata.annotations, found a list"),
    ],
)
def test_what_helm_would_refuse_as_an_object_is_refused(text: str, found: str) -> None:
    with pytest.raises(ChartError, match=r"chart c, template c/templates/a\.yaml") as caught:
        arrange({"c/templates/a.yaml": text}, skip_tests=False, no_hooks=False)
    assert found in caught.value.message


def test_a_list_in_a_crd_file_is_refused_when_it_is_read() -> None:
    with pytest.raises(ChartError, match="found a list"):
        objects([Document("c/crds/a.yaml", "[1]")])


def test_a_chart_that_is_not_there_has_a_remedy(tmp_path: Any) -> None:
    with pytest.raises(ChartError, match="no chart at") as caught:
        require_chart(tmp_path / "loki")
    assert "inv vendor" in caught.value.hint
