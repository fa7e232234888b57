"""Tasks and what they wait for, as text, Graphviz dot or mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mop.graph import TaskSpec


def graph_text(specs: Sequence[TaskSpec]) -> str:
    """A line for each task in an order in which they can run, and below it, indented, what it waits for."""
    edges = _edges(specs)
    lines = (
        (f"{spec.name}  {spec.doc}", *(f"  after {need}" for need in edges[spec.name])) for spec in specs
    )
    return "\n".join(line for block in lines for line in block)


def graph_dot(specs: Sequence[TaskSpec]) -> str:
    """For Graphviz."""
    nodes = [f'  "{spec.name}";' for spec in specs]
    arrows = [f'  "{need}" -> "{name}";' for name, needs in _edges(specs).items() for need in needs]
    return "\n".join(["digraph mop {", "  rankdir=LR; node [shape=box];", *nodes, *arrows, "}"])


def graph_mermaid(specs: Sequence[TaskSpec]) -> str:
    """For Markdown viewers."""
    ids = {spec.name: f"t{index}" for index, spec in enumerate(specs)}
    nodes = [f'  {ids[spec.name]}["{spec.name}"]' for spec in specs]
    arrows = [f"  {ids[need]} --> {ids[name]}" for name, needs in _edges(specs).items() for need in needs]
    return "\n".join(["flowchart LR", *nodes, *arrows])


def _edges(specs: Iterable[TaskSpec]) -> dict[str, list[str]]:
    """For each task what it waits for, without what another of these waits for already."""
    above: dict[
        str, set[str]
    ] = {}  # all that a task waits for, directly or not; tasks come after their needs
    edges: dict[str, list[str]] = {}
    for spec in specs:
        needs = [need for need in spec.needs if need in above]
        implied = set().union(*(above[need] for need in needs))
        above[spec.name] = implied.union(needs)
        edges[spec.name] = [need for need in needs if need not in implied]
    return edges
