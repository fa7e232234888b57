from __future__ import annotations

from pathlib import Path

import pytest

from mop.engines.helm_errors import chart_error

CHART = Path("charts/relay")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "execution error at (relay/templates/a.yaml:2:6): need x",
            "chart relay, template relay/templates/a.yaml line 2: need x",
            "",
        ),
        (
            'Error: parse error at (relay/templates/a.yaml:2): function "nosuch" not defined',
            'chart relay, template relay/templates/a.yaml line 2: function "nosuch" not defined',
            "",
        ),
        (
            "relay/templates/a.yaml:2:6\n"
            '  executing "relay/templates/a.yaml" at <include "x" .>:\n'
            "    error calling include:\n"
            "relay/templates/_h.tpl:3:50\n"
            '  executing "x" at <.Values.a.b>:\n'
            "    nil pointer evaluating interface {}.b",
            "chart relay, template relay/templates/_h.tpl line 3:"
            " nil pointer evaluating interface {}.b (at .Values.a.b)",
            "included from relay/templates/a.yaml line 2",
        ),
        (
            "relay/templates/a.yaml:2:6\n"
            '  executing "relay/templates/a.yaml" at <include "nope" .>:\n'
            "    error calling include:\n"
            'template: no template "nope" associated with template "gotpl"',
            "chart relay, template relay/templates/a.yaml line 2:"
            ' no template "nope" associated with template "gotpl" (at include "nope" .)',
            "",
        ),
        (
            'template: relay/templates/a.yaml:2:6: executing "relay/templates/a.yaml" at <tpl .Values.t .>:'
            ' error calling tpl: error during tpl function execution for "x {{ .Values.a.b }}":'
            ' template: gotpl:1:12: executing "gotpl" at <.Values.a.b>: nil pointer evaluating interface {}.b',
            "chart relay, template relay/templates/a.yaml line 2:"
            " nil pointer evaluating interface {}.b (at .Values.a.b)",
            "",
        ),
        (
            "Error: an error occurred while checking for chart dependencies. You may need to run"
            " 'helm dependency build' to fetch missing dependencies:"
            " found in Chart.yaml, but missing in charts/ directory: store",
            "chart relay: found in Chart.yaml, but missing in charts/ directory: store",
            "`inv vendor` brings a chart with its subcharts",
        ),
        (
            "Error: library charts are not installable",
            "chart relay: library charts are not installable",
            "a library chart is for other charts to use; name one of those",
        ),
        (
            "cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON:\n"
            " yaml: line 1: did not find expected node content\n\nUse --debug flag to render out invalid YAML",
            "chart relay: cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON:"
            " yaml: line 1: did not find expected node content",
            "",
        ),
        ("", "chart relay: ", ""),
    ],
)
def test_helms_words_become_chart_template_line_and_message(text: str, message: str, hint: str) -> None:
    error = chart_error(CHART, "relay", text)
    assert (error.message, error.hint) == (message, hint)


def test_a_template_is_named_by_its_file_where_there_is_one(tmp_path: Path) -> None:
    template = tmp_path / "templates" / "a.yaml"
    template.parent.mkdir()
    template.write_text("{{ fail }}")
    (found,) = chart_error(tmp_path, "relay", "execution error at (relay/templates/a.yaml:2:6): no").problems
    assert (found.file, found.line, found.message) == (str(template), 2, "no")
    (found,) = chart_error(tmp_path, "relay", "parse error at (relay/templates/b.yaml:7): no").problems
    assert (found.file, found.line) == ("relay/templates/b.yaml", 7)


def test_every_violation_of_a_schema_is_told_in_one_order() -> None:
    text = (
        "values don't meet the specifications of the schema(s) in the following chart(s):\n"
        "relay:\n"
        "- at '/m': value must be one of 'a', 'b'\n"
        "- at '': missing property 'q'\n"
        "store:\n"
        "- at '/image/tag': got number, want string\n"
    )
    error = chart_error(CHART, "relay", text)
    assert error.message == "chart relay: 3 values break its schema"
    assert [(p.check, p.path, p.message) for p in error.problems] == [
        ("relay", "$", "missing property 'q'"),
        ("relay", "$.m", "value must be one of 'a', 'b'"),
        ("store", "$.image.tag", "got number, want string"),
    ]
    assert {p.file for p in error.problems} == {"charts/relay/values.schema.json"}
