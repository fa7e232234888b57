"""Problems for people and for CI systems."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from mop.problem import Problem
from mop.report.problems import problems_json, problems_junit, problems_sarif, problems_text, totals

SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "schemas"

FIELD = Problem(
    "unknown field",
    check="schema",
    file=".mop/rendered/prod/loki/apps-v1.StatefulSet-loki.yaml",
    line=12,
    column=5,
    path="spec.replcas",
    found="replcas",
    hint="did you mean replicas?",
    environment="prod",
    component="loki",
    object="StatefulSet/logs/loki",
)
MOVES = Problem("the tag latest moves", level="warning", check="images", environment="prod", component="loki")
TWICE = Problem("rendered twice", check="duplicates", environment="prod", component="tempo")
ALL = [MOVES, TWICE, FIELD]


def test_people_read_them_by_component_errors_first() -> None:
    assert problems_text(ALL).splitlines() == [
        "prod/loki",
        "  error: .mop/rendered/prod/loki/apps-v1.StatefulSet-loki.yaml:12:5 StatefulSet/logs/loki: "
        "spec.replcas: unknown field [schema]",
        "    did you mean replicas?",
        "  warning: the tag latest moves [images]",
        "",
        "prod/tempo",
        "  error: rendered twice [duplicates]",
        "",
        "2 errors, 1 warning",
    ]


def test_nothing_found_is_said() -> None:
    assert problems_text([]) == "no problems"
    assert totals([MOVES]) == "1 warning"


def test_json_counts_and_leaves_out_what_is_empty() -> None:
    document = json.loads(problems_json(ALL))
    assert (document["errors"], document["warnings"]) == (2, 1)
    assert document["problems"][1] == {
        "message": "the tag latest moves",
        "level": "warning",
        "check": "images",
        "environment": "prod",
        "component": "loki",
    }


def test_json_is_as_its_schema_says() -> None:
    schema = json.loads((SCHEMAS / "validate.json").read_text())
    full = Problem(**{f.name: getattr(FIELD, f.name) or f.name for f in fields(FIELD)})
    for problems in ([], ALL, [full]):
        jsonschema.validate(json.loads(problems_json(problems)), schema)


def test_sarif_points_at_the_file() -> None:
    run = json.loads(problems_sarif(ALL, "1.2.3"))["runs"][0]
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["duplicates", "images", "schema"]
    result = run["results"][0]
    assert (result["ruleId"], result["level"]) == ("schema", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == FIELD.file
    assert place["region"] == {"startLine": 12, "startColumn": 5}
    assert (
        result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
        == "prod/loki/StatefulSet/logs/loki"
    )


def test_junit_has_a_case_for_each_component() -> None:
    text = problems_junit(ALL, [("prod", "loki"), ("prod", "mimir"), ("prod", "tempo")])
    root = ElementTree.fromstring(text)  # noqa: S314 - our own text
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {"loki", "mimir", "tempo"}
    assert cases["mimir"].find("failure") is None
    failure, output = cases["loki"].find("failure"), cases["loki"].find("system-out")
    assert failure is not None and failure.text is not None and "spec.replcas" in failure.text
    assert output is not None and output.text is not None and "latest" in output.text
    suite = root.find("testsuite")
    assert suite is not None and (suite.get("tests"), suite.get("failures")) == ("3", "2")


@given(message=st.text(max_size=30), found=st.text(max_size=10))
def test_any_text_gives_documents_that_parse(message: str, found: str) -> None:
    problem = Problem(message or "x", expected="y", found=found, component="c", environment="e")
    json.loads(problems_sarif([problem], "1"))
    json.loads(problems_json([problem]))
    ElementTree.fromstring(problems_junit([problem], [("e", "c")]))  # noqa: S314 - our own text
