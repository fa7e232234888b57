"""Helm's error texts, condensed: chart, template, line, message.

Helm nests a location for each `include` on the way; people need the innermost one, and the way as an aside.
The texts are those of pkg/engine/engine.go (reformatExecErrorMsg, cleanupParseError) and of text/template.
"""

from __future__ import annotations

import re
from pathlib import Path

from mop.errors import ChartError
from mop.problem import Problem

_AT = re.compile(r"^(?:execution|parse) error (?:at|in) \((?P<place>[^)]*)\): (?P<message>.*)$", re.DOTALL)
_PRINTED = re.compile(r"^Error: ", re.MULTILINE)  # the program may log before it says this
_PLACE = re.compile(r"(?P<template>\S[^\s:]*):(?P<line>\d+)(?::\d+)?")
_NESTED_PLACE = re.compile(rf"^{_PLACE.pattern}$", re.MULTILINE)
_CHAIN = re.compile(rf"template: {_PLACE.pattern}: executing \"[^\"]*\" at <(?P<code>.*?)>: ", re.DOTALL)
_EXECUTING = re.compile(r"^\s*executing \".*\" at <(?P<code>.*)>:$", re.MULTILINE)
_SCHEMA = re.compile(
    r"values don't meet the specifications of the schema\(s\) in the following chart\(s\):\n"
)
_VIOLATION = re.compile(r"^- at '(?P<pointer>[^']*)': (?P<what>.*)$")

#: text/template's name for a text given to `tpl`, whose lines are no file's.
_TPL = "gotpl"

_SCHEMA_HINT = "the chart's values.schema.json says what each value may be"
#: What `helm template` refuses before it renders (pkg/cmd/install.go, pkg/action/install.go), and the remedy here.
_REFUSALS = (
    (
        re.compile(r"(?:.*: )?(found in Chart\.yaml, but missing in charts/ directory: .*)", re.DOTALL),
        "`inv vendor` brings a chart with its subcharts",
    ),
    (
        re.compile(r"(chart requires kubeVersion: .* which is incompatible with Kubernetes .*)"),
        "`kubernetes:` in mop.yaml sets the version, for all environments or for one",
    ),
    (
        re.compile(r"(.* charts are not installable)"),
        "a library chart is for other charts to use; name one of those",
    ),
    (
        re.compile(r"(?:release name check failed: )?(invalid release name, .*)", re.DOTALL),
        "the first argument of helmTemplate names the release",
    ),
)


def chart_error(chart: Path, name: str, text: str) -> ChartError:
    """The ChartError for what Helm said about the chart at `chart`, called `name` in its Chart.yaml."""
    printed = _PRINTED.search(text)
    text = text[printed.end() :] if printed else text
    text = text.strip().removesuffix("Use --debug flag to render out invalid YAML").strip()
    schema = _SCHEMA.search(text)
    if schema:
        return _schema_error(chart, name, text[schema.end() :])
    for pattern, remedy in _REFUSALS:
        refusal = pattern.fullmatch(text)
        if refusal:
            return _plain_error(name, refusal[1], remedy)
    places, message, code = _innermost(text)
    if not places:
        return _plain_error(name, text, "")
    template, line = places[-1]
    said = f"{message} (at {code})" if code else message
    problem = Problem(said, file=_file(chart, template), line=line)
    way = [f"{outer} line {number}" for outer, number in places[-2::-1]]
    hint = f"included from {', '.join(way)}" if way else ""
    return ChartError(f"chart {name}, template {template} line {line}: {said}", hint=hint, problems=[problem])


def _plain_error(name: str, text: str, hint: str) -> ChartError:
    return ChartError(f"chart {name}: {_one_line(text)}", hint=hint)


def _innermost(text: str) -> tuple[list[tuple[str, int]], str, str]:
    """Places from the outermost to the innermost, the message, and the code that failed."""
    simple = _AT.match(text)
    if simple:
        return _places([simple["place"]]), _one_line(simple["message"]), ""
    chain = list(_CHAIN.finditer(text))
    if chain:
        places = [(m["template"], int(m["line"])) for m in chain if m["template"] != _TPL]
        return places, _one_line(text[chain[-1].end() :]), chain[-1]["code"]
    nested = [m[0] for m in _NESTED_PLACE.finditer(text)]
    code = [m["code"] for m in _EXECUTING.finditer(text)]
    last = text.splitlines()[-1].strip() if text else ""
    return _places(nested), last.removeprefix("template: "), code[-1] if code else ""


def _places(texts: list[str]) -> list[tuple[str, int]]:
    found = [_PLACE.fullmatch(text) for text in texts]
    return [(m["template"], int(m["line"])) for m in found if m]


def _schema_error(chart: Path, name: str, text: str) -> ChartError:
    problems: list[Problem] = []
    where = name
    for line in text.splitlines():
        violation = _VIOLATION.match(line)
        if violation:
            path = "$" + "".join(f".{part}" for part in violation["pointer"].split("/")[1:])
            problems.append(
                Problem(violation["what"], file=str(chart / "values.schema.json"), path=path, check=where)
            )
        elif line.endswith(":") and not line.startswith("-"):
            where = line[:-1]
    problems.sort(
        key=lambda problem: (problem.check, problem.path, problem.message)
    )  # Helm's order is random
    count = f"{len(problems)} values break" if len(problems) != 1 else "a value breaks"
    return ChartError(f"chart {name}: {count} its schema", hint=_SCHEMA_HINT, problems=problems)


def _file(chart: Path, template: str) -> str:
    """The file behind a template's name, which starts with the chart's name; the name where there is none."""
    candidate = chart / template.partition("/")[2]
    return str(candidate) if candidate.is_file() else template


def _one_line(text: str) -> str:
    return " ".join(text.split())
