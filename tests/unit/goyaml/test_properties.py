"""What MOP writes, Go reads as the same JSON; what Go writes, or anybody, MOP reads as Go does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mop import goyaml
from mop.goyaml.numbers import as_json
from tests.unit.goyaml.judge import Judge, Refused
from tests.unit.goyaml.texts import SCRAPS, TRAPS, numbers, texts, values

FEW = settings(max_examples=300, deadline=None)
MANY = settings(max_examples=1500, deadline=None)

SHAPES = ["{}\n", "a: {}\n", "- {}\n", "[{}]\n", "? {}\n", "{}: 1\n", "! {}\n", '!!int "{}"\n'] + [
    f"!!{tag} {{}}\n" for tag in ("str", "bool", "int", "float", "null", "timestamp", "binary", "other")
]
#: Inside [] and {}, libyaml takes `?` as part of a text where Go's copy of an older libyaml refuses it, and refuses
#: a `:` at the end of one, which Go takes as part of it.
FLOW_MARKS = re.compile(r"[\[{].*(?:\?|:\s*[\[\]{},])", re.DOTALL)


def exact(value: Any) -> Any:
    """`value` with numbers as encoding/json writes them: 1.0 is 1, 64-bit integers keep every digit."""
    if isinstance(value, float):
        return as_json(value)
    if isinstance(value, list):
        return [exact(item) for item in value]
    return {key: exact(item) for key, item in value.items()} if isinstance(value, dict) else value


def same_reading(go: Judge, text: str) -> None:
    """MOP reads `text` as Go does, or both refuse it."""
    try:
        expected = json.loads(go.ask("read v3", text))
    except Refused as error:
        with pytest.raises(goyaml.YamlError):
            pytest.fail(f"Go refuses it ({error}), MOP reads {goyaml.load_all(text)}")
        return
    assert exact(goyaml.load_all(text)) == exact(expected)


def same_reading_v2(go: Judge, text: str) -> None:
    """The same for what kubectl and Helm read. They stop after the first document, so it must be the only one."""
    try:
        expected = json.loads(go.ask("read sigs", text))
    except Refused as error:
        with pytest.raises(goyaml.YamlError):
            pytest.fail(f"Go refuses it ({error}), MOP reads {goyaml.load_all_v2(text)}")
        return
    try:
        assert exact(next(iter(goyaml.load_all_v2(text)), None)) == exact(expected)
    except goyaml.YamlError as error:
        # Go stops reading before the colon of `[]: 1` and does not look at the rest.
        assert "cannot be a key" in error.problem


def one_document(text: str) -> bool:
    """Whether all of `text` is one document, or none."""
    try:
        return (
            sum(
                isinstance(event, yaml.DocumentStartEvent)
                for event in yaml.parse(text, Loader=yaml.CSafeLoader)
            )
            < 2
        )
    except yaml.YAMLError:
        return False


class TestWriting:
    @FEW
    @given(values)
    def test_yaml_v3_reads_it_back(self, go: Judge, value: Any) -> None:
        assert exact(json.loads(go.ask("read v3", goyaml.dump(value)))) == [exact(value)]

    @FEW
    @given(values)
    def test_kubectl_reads_it_back(self, go: Judge, value: Any) -> None:
        assert exact(json.loads(go.ask("read sigs", goyaml.dump(value)))) == exact(value)

    @FEW
    @given(values)
    def test_pyyaml_reads_it_back(self, value: Any) -> None:
        assert exact(yaml.load(goyaml.dump(value), Loader=yaml.CSafeLoader)) == exact(value)

    @FEW
    @given(values)
    def test_mop_reads_it_back(self, value: Any) -> None:
        assert goyaml.load_all(goyaml.dump(value)) == [exact(value)]
        assert goyaml.load_all_v2(goyaml.dump(value)) == [exact(value)]

    @FEW
    @given(values)
    def test_documents_may_follow_each_other(self, go: Judge, value: Any) -> None:
        stream = f"---\n{goyaml.dump(value)}---\n{goyaml.dump('end')}"
        assert exact(json.loads(go.ask("read v3", stream))) == [exact(value), "end"]

    @FEW
    @given(values)
    def test_equal_values_give_equal_bytes(self, value: Any) -> None:
        assert goyaml.dump(json.loads(json.dumps(value))) == goyaml.dump(value)


class TestManifestYaml:
    @FEW
    @given(values)
    def test_it_is_go_s_to_the_byte(self, go: Judge, value: Any) -> None:
        assert goyaml.dump_v3(value) == go.ask("write v3", json.dumps(value))

    @FEW
    @given(st.dictionaries(texts, numbers, max_size=8))
    def test_its_keys_stand_in_go_s_order(self, go: Judge, value: Any) -> None:
        assert goyaml.dump_v3(value) == go.ask("write v3", json.dumps(value))


class TestReading:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_scalars_that_libraries_disagree_about(self, go: Judge, shape: str) -> None:
        for trap in TRAPS:
            text = shape.replace("{}", trap)
            if not FLOW_MARKS.search(text):
                same_reading(go, text)
                if one_document(text):
                    same_reading_v2(go, text)

    @FEW
    @given(values)
    def test_what_yaml_v3_writes(self, go: Judge, value: Any) -> None:
        same_reading(go, go.ask("write v3", json.dumps(value)))

    @FEW
    @given(values)
    def test_what_kubectl_writes(self, go: Judge, value: Any) -> None:
        try:
            written = go.ask("write sigs", json.dumps(value, ensure_ascii=False))
        except Refused:  # it reads JSON as YAML, and JSON allows characters that YAML does not
            assume(False)
        same_reading(go, written)
        same_reading_v2(go, written)

    @MANY
    @given(st.lists(st.sampled_from(SCRAPS), max_size=14).map("".join))
    def test_any_text(self, go: Judge, text: str) -> None:
        assume(not FLOW_MARKS.search(text))
        same_reading(go, text)
        if one_document(text):
            same_reading_v2(go, text)
