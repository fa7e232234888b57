"""Tiny platforms, each named by its defect: tests/projects/<defect>/mop.yaml and the problems it must have."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from mop import config
from mop.errors import ConfigError
from mop.problem import Problem

PROJECTS = Path(__file__).parent.parent / "projects"
DEFECTS = sorted(path.parent for path in PROJECTS.glob("*/problems.txt"))


def problems_of(project: Path, copy: Path) -> tuple[Problem, ...]:
    shutil.copytree(project, copy)
    try:
        config.load(copy / "mop.yaml")
    except ConfigError as error:
        return error.problems
    return ()


def described(problems: Iterable[Problem]) -> str:
    """Each problem as people would want to read it in a review of these files."""
    lines = []
    for problem in problems:
        lines.append(f"{problem.location} {problem.path} {problem.message}".replace("  ", " "))
        if problem.expected:
            lines.append(f"  expected {problem.expected}")
        if problem.found:
            lines.append(f"  found {problem.found}")
        if problem.hint:
            lines.append(f"  hint: {problem.hint}")
    return "".join(f"{line}\n" for line in lines)


def test_there_are_defects_to_look_at() -> None:
    assert len(DEFECTS) > 50


@pytest.mark.parametrize("project", DEFECTS, ids=lambda path: path.name)
def test_every_mistake_is_told_with_its_place_and_a_way_out(project: Path, tmp_path: Path) -> None:
    problems = problems_of(project, tmp_path / "platform")

    assert described(problems) == (project / "problems.txt").read_text()


@pytest.mark.parametrize("project", DEFECTS, ids=lambda path: path.name)
def test_a_mistaken_platform_is_left_as_it_is(project: Path, tmp_path: Path) -> None:
    before = sorted(path.relative_to(project) for path in project.rglob("*"))

    problems_of(project, tmp_path / "platform")

    copy = tmp_path / "platform"
    assert sorted(path.relative_to(copy) for path in copy.rglob("*")) == before


def test_ten_mistakes_in_one_file_are_ten_problems(tmp_path: Path) -> None:
    problems = problems_of(PROJECTS / "ten-mistakes", tmp_path / "platform")

    assert len(problems) == 10
    assert len({problem.path for problem in problems}) == len(problems)
