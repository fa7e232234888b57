"""Each check has an example that breaks it and one that is sound: tests/projects/checks/<check>/.

A broken example says what must be found, one line a Problem, in its own comments:

    # problem: Service/shop/web spec.selector: the selector matches no pod of this environment

`# settings: {…}` gives the environment's `validate:` settings, `# components: true` reads the key `component`
of each document (otherwise all are of one component).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mop.checks import CHECKS
from mop.checks.objects import Objects
from mop.problem import Problem
from tests.unit.platforms import environment

EXAMPLES = Path(__file__).parents[2] / "projects" / "checks"
RUN = {check.name: check.run for check in CHECKS}


def read(path: Path) -> tuple[Objects, list[str]]:
    """The objects of an example, and the lines that say what is wrong with them."""
    text = path.read_text()
    settings: dict[str, Any] = {}
    expected = []
    for line in text.splitlines():
        if line.startswith("# settings: "):
            settings = yaml.safe_load(line.removeprefix("# settings: "))
        if line.startswith("# problem: "):
            expected.append(line.removeprefix("# problem: "))
    components: dict[str, list[dict[str, Any]]] = {}
    for document in yaml.safe_load_all(text):
        components.setdefault(document.pop("component", "web"), []).append(document)
    protected = settings.pop("protected", False)
    env = environment("test", components, namespace="shop", validate=settings, protected=protected)
    return Objects(env, components), expected


def line(problem: Problem) -> str:
    return f"{problem.object} {problem.path}: {problem.message}"


def found(name: str, kind: str) -> tuple[list[str], list[str]]:
    objects, expected = read(EXAMPLES / name / f"{kind}.yaml")
    return sorted(line(problem) for problem in RUN[name](objects)), sorted(expected)


@pytest.mark.parametrize("name", sorted(RUN))
def test_the_broken_example_shows_exactly_what_the_check_is_for(name: str) -> None:
    problems, expected = found(name, "broken")
    assert expected, "the example does not say what is wrong with it"
    assert problems == expected


@pytest.mark.parametrize("name", sorted(RUN))
def test_the_sound_example_has_no_problem(name: str) -> None:
    problems, expected = found(name, "sound")
    assert expected == []
    assert problems == []


def test_every_folder_of_examples_belongs_to_a_check() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == set(RUN)


@pytest.mark.parametrize("name", sorted(RUN))
@pytest.mark.parametrize("kind", ["broken", "sound"])
def test_a_check_gives_the_same_problems_again(name: str, kind: str) -> None:
    assert found(name, kind) == found(name, kind)
