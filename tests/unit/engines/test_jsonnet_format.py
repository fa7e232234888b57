"""The formatter changes the layout of a file, never its meaning, and is done after one pass."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.jsonnet_capi import Vm
from mop.engines.jsonnet_format import formatted
from mop.errors import EvaluationError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab'\"-$ é", max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def value(text: str) -> object:
    def refuse(_base: bytes, asked: bytes) -> tuple[bytes, bytes]:
        raise FileNotFoundError(asked)

    with Vm(100, refuse, lambda _name, _arguments: b"", lambda _line: None) as vm:
        return json.loads(vm.evaluate("it.jsonnet", text))


@given(JSON, st.sampled_from([None, 1, 4]))
def test_formatting_keeps_the_value_and_is_stable(document: object, indent: int | None) -> None:
    once = formatted("it.jsonnet", json.dumps(document, indent=indent))
    assert value(once) == document
    assert formatted("it.jsonnet", once) == once


def test_the_style_is_that_of_tk_fmt() -> None:
    untidy = 'local a=import "x.libsonnet";\n# note\n{"b":[1,2],c:: a,}'
    assert formatted("it.jsonnet", untidy) == (
        "local a = import 'x.libsonnet';\n// note\n{ b: [1, 2], c:: a }\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [("{\n  a: [1,\n}", "x.jsonnet:3:1-2 Unexpected"), ("{ a: \0 }", "x.jsonnet: a NUL character")],
)
def test_what_does_not_parse_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(EvaluationError) as failed:
        formatted("x.jsonnet", text)
    assert failed.value.message.startswith(message)
