"""Problems as text for people (by component), JSON, SARIF 2.1.0 and JUnit XML for CI systems."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from mop.problem import Problem
from mop.report.errors import problem_text

_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HELP = "docs/reference/checks.md"


def problems_text(problems: Iterable[Problem]) -> str:
    """Grouped by environment and component, errors before warnings, with a line of totals at the end."""
    ordered = sorted(problems, key=_order)
    blocks = []
    for group, members in groupby(ordered, key=_group):
        lines = [group] if group else []
        for problem in members:
            first, *rest = problem_text(problem).splitlines()
            lines += [f"  {problem.level}: {first}", *(f"  {line}" for line in rest)]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, totals(ordered)])


def totals(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning`, or `no problems`."""
    counts = [(sum(p.level == level for p in problems), level) for level in ("error", "warning")]
    parts = [f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts if count]
    return ", ".join(parts) or "no problems"


def problems_json(problems: Iterable[Problem]) -> str:
    """`{"problems": [...], "errors": n, "warnings": n}`; what a problem does not say is left out."""
    ordered = sorted(problems, key=_order)
    rows = [{key: value for key, value in asdict(problem).items() if value} for problem in ordered]
    errors = sum(problem.level == "error" for problem in ordered)
    document = {"problems": rows, "errors": errors, "warnings": len(ordered) - errors}
    return json.dumps(document, indent=2, ensure_ascii=False)


def problems_sarif(problems: Iterable[Problem], version: str) -> str:
    """SARIF 2.1.0, one run of MOP `version`; a result stands at the rendered file and names its object."""
    ordered = sorted(problems, key=_order)
    rules = sorted({problem.check or "other" for problem in ordered})
    driver = {"name": "mop", "version": version, "rules": [{"id": rule, "helpUri": _HELP} for rule in rules]}
    run = {"tool": {"driver": driver}, "results": [_sarif_result(problem) for problem in ordered]}
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def problems_junit(problems: Iterable[Problem], components: Iterable[tuple[str, str]]) -> str:
    """JUnit XML: a suite for each environment, a case for each of `components` (environment, component).

    A case fails with its errors; warnings are its output. Components without problems are cases that passed.
    """
    by_case: dict[tuple[str, str], list[Problem]] = {case: [] for case in components}
    for problem in problems:
        by_case.setdefault((problem.environment, problem.component), []).append(problem)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for environment, cases in groupby(sorted(by_case), key=lambda case: case[0]):
        members = list(cases)
        failed = sum(any(p.level == "error" for p in by_case[case]) for case in members)
        head = f"<testsuite name={quoteattr(environment)} tests={quoteattr(str(len(members)))}"
        lines.append(f"  {head} failures={quoteattr(str(failed))}>")
        for case in members:
            lines += [f"    {line}" for line in _junit_case(case, by_case[case])]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _group(problem: Problem) -> str:
    return "/".join(part for part in (problem.environment, problem.component) if part)


def _order(problem: Problem) -> tuple[Any, ...]:
    place = (problem.environment, problem.component, problem.level != "error", problem.check)
    return (*place, problem.file, problem.line, problem.object, problem.path, problem.message)


def _sarif_result(problem: Problem) -> dict[str, Any]:
    what = " ".join(part for part in (problem.object, problem.path) if part)
    parts = [f"{what}: {problem.message}" if what else problem.message]
    if problem.expected:
        parts.append(f"expected {problem.expected}" + (f", found {problem.found}" if problem.found else ""))
    parts += [problem.hint] if problem.hint else []
    location: dict[str, Any] = {}
    if problem.file:
        location["physicalLocation"] = {"artifactLocation": {"uri": problem.file}}
        if problem.line:
            region = {"startLine": problem.line, "startColumn": problem.column or 1}
            location["physicalLocation"]["region"] = region
    if problem.object:
        name = f"{_group(problem)}/{problem.object}".lstrip("/")
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return {
        "ruleId": problem.check or "other",
        "level": problem.level,
        "message": {"text": "; ".join(parts)},
        "locations": [location] if location else [],
    }


def _junit_case(case: tuple[str, str], problems: Sequence[Problem]) -> list[str]:
    environment, component = case
    name = component or "across components"
    head = f"<testcase classname={quoteattr(environment)} name={quoteattr(name)}"
    errors = [problem for problem in problems if problem.level == "error"]
    warnings = [problem for problem in problems if problem.level != "error"]
    if not problems:
        return [f"{head}/>"]
    lines = [f"{head}>"]
    if errors:
        text = _printable("\n".join(problem_text(problem) for problem in errors))
        lines.append(f"  <failure message={quoteattr(totals(errors))}>{escape(text)}</failure>")
    if warnings:
        text = _printable("\n".join(problem_text(problem) for problem in warnings))
        lines.append(f"  <system-out>{escape(text)}</system-out>")
    return [*lines, "</testcase>"]


def _printable(text: str) -> str:
    """`text` without the characters that XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text)
