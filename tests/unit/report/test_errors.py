"""How a mistake looks: what a failing pod printed last is part of it."""

from __future__ import annotations

from mop.problem import Problem
from mop.report.errors import problem_text


def test_the_last_lines_of_a_log_are_shown() -> None:
    text = problem_text(
        Problem("pods ready 0/1", object="Deployment/shop/web", found="starting\npanic: no disk")
    )
    assert text == "Deployment/shop/web: pods ready 0/1\n  | starting\n  | panic: no disk"


def test_what_the_message_says_already_is_not_said_twice() -> None:
    text = problem_text(Problem("spec.replicas is owned by hpa", object="Deployment/shop/web", found="hpa"))
    assert text == "Deployment/shop/web: spec.replicas is owned by hpa"


def test_what_was_expected_stands_beside_what_was_found() -> None:
    assert problem_text(Problem("wrong", expected="a name", found="3")) == "wrong\n  expected a name, found 3"
