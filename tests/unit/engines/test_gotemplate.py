from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.engines.gotemplate import Call, NotUnderstood, calls, operands, replaced


def names(text: str) -> list[str]:
    return [call.name for call in calls(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no action: now", []),
        ("{{ now }}", ["now"]),
        ('{{- now | date "2006" -}}', ["now", "date"]),
        ("{{ .now }}{{ .Values.now }}{{ $now }}{{ $.now.date }}", []),
        ("{{ (index . 0).now }}", ["index"]),
        ('{{ "now }} date" | quote }}', ["quote"]),
        ("{{ `now }} date` | quote }}", ["quote"]),
        (r'{{ "a \" now" | quote }}', ["quote"]),
        ("{{ splitList '\"' now }}", ["splitList", "now"]),
        ("{{/* now */}}{{- /* now }} */ -}}after", []),
        ("{{ if\n  now\n}}x{{ end }}", ["if", "now", "end"]),
        ("{{`{{ now }}`}} {{ uuidv4 }}", ["uuidv4"]),
        ("{{ 1e3 }} {{ 0x1F }} {{ randInt 1 2 }}", ["randInt"]),
        ("}} now {{ }} now", []),
    ],
)
def test_calls_are_found_where_go_would_call(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize("text", ["{{ now", "{{ (now", '{{ "a', "{{"])
def test_an_action_without_an_end_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        list(calls(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tpl .Values.a $ | indent 2 }}", [".Values.a", "$"]),
        ("tpl (toYaml (list 1 2)).x $.ctx }}", ["(toYaml (list 1 2)).x", "$.ctx"]),
        ('tpl "a )" . }}', ['"a )"', "."]),
        ("tpl(.a) (dict 1 (now))}}", ["(.a)", "(dict 1 (now))"]),
        ("tpl `raw` 5 }}", ["`raw`", "5"]),
    ],
)
def test_operands_are_found_with_their_parentheses(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in operands(text, len("tpl"), 2)] == expected


@pytest.mark.parametrize("text", ["tpl }}", "tpl .a }}", "tpl .a | quote }}", "tpl (.a }}", "tpl .a ) }}"])
def test_too_few_operands_are_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        operands(text, len("tpl"), 2)


def test_calls_are_replaced_and_everything_else_stays() -> None:
    def edit(call: Call) -> Iterator[tuple[int, int, str]]:
        if call.name == "now":
            yield call.start, call.end, "then"

    text = 'now {{ now }} {{ .now }} {{ "now" }} {{ (date now) }} now'
    assert replaced(text, edit) == 'now {{ then }} {{ .now }} {{ "now" }} {{ (date then) }} now'


@given(st.text(alphabet="{}\"`'() .$|now-/*\\\n", max_size=60))
def test_what_is_not_edited_is_the_same_text(text: str) -> None:
    try:
        assert replaced(text, lambda _call: iter(())) == text
    except NotUnderstood:
        with pytest.raises(NotUnderstood):
            list(calls(text))
