"""A MopError as text: message, problems, hint. The only place that decides how a mistake looks."""

from __future__ import annotations

from mop.errors import MopError
from mop.problem import Problem


def error_text(error: MopError) -> str:
    """What people read on standard error; no trailing newline."""
    lines = [f"error: {error.message}"]
    for problem in error.problems:
        lines += [f"  {line}" for line in problem_text(problem).splitlines()]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    return "\n".join(lines)


def problem_text(problem: Problem) -> str:
    """One Problem on as many lines as it has parts: where and what, then expected and found, then the remedy."""
    where = " ".join(part for part in (problem.location, problem.object) if part)
    path = f"{problem.path}: " if problem.path and problem.path != "$" else ""
    check = f" [{problem.check}]" if problem.check else ""
    lines = [f"{where}: {path}{problem.message}{check}" if where else f"{path}{problem.message}{check}"]
    if problem.expected:
        found = f", found {problem.found}" if problem.found else ""
        lines.append(f"  expected {problem.expected}{found}")
    elif problem.found and not problem.check and problem.found not in problem.message:
        # Of an object of a cluster: the last lines of its log.
        lines += [f"  | {line}" for line in problem.found.splitlines()]
    if problem.hint:
        lines.append(f"  {problem.hint}")
    return "\n".join(lines)
