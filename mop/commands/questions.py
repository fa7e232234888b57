"""`affected`, `compare`, `graph`: questions about the platform that change nothing."""

from __future__ import annotations

from typing import Any

from mop.commands.base import COMPONENT, ENV, JOBS, JSON, command


@command(
    help={
        "since": "compare the working tree with this commit",
        "files": "these files instead, with commas; - reads them from standard input, one a line",
        "exact": "render both sides and compare them, instead of trusting that an input that changed matters",
        "json": JSON,
        "jobs": JOBS,
    }
)
def affected(
    _context: Any, since: str = "", files: str = "", exact: bool = False, json: bool = False, jobs: int = 0
) -> int:
    """
    Name the environments and components that a change touches: Jsonnet, charts, values, mop.yaml.

    Example: inv affected --since origin/main
    """
    from mop.commands.affecting import find
    from mop.report.affected import affected_json, affected_text

    out, found = find(since, files, exact=exact, jobs=jobs)
    if json:
        out.result_json(affected_json(found))
    elif found:
        out.result(affected_text(found))
    else:
        out.note("nothing is affected")
    return 0


@command(help={"env": ENV, "component": COMPONENT, "json": JSON, "jobs": JOBS})
def compare(_context: Any, env: str = "", component: str = "", json: bool = False, jobs: int = 0) -> int:
    """
    Show what differs between environments: images, replicas, resources, configuration, everything else.

    Example: inv compare --env staging,production
    """
    from dataclasses import replace

    from mop.commands.pipeline import Pipeline
    from mop.errors import UsageError
    from mop.report.compare import compare_json, compare_text
    from mop.steps.compare import compare as differences

    pipeline = Pipeline.open(env, component, quiet=True)
    if len(pipeline.selected) < 2:
        raise UsageError(
            f"compare takes several environments, found {pipeline.selected[0].environment.name} alone",
            hint="for example --env staging,production",
        )
    pipeline.run(["vendor", "evaluate", "render"], jobs)
    if pipeline.failed:
        return pipeline.finish()
    sides = [replace(part.environment, components=part.components) for part in pipeline.selected]
    found = differences(sides, pipeline.workspace.outputs)
    text = compare_json if json else compare_text
    pipeline.terminal.result(text([side.name for side in sides], found))
    return 0


@command(help={"env": ENV, "component": COMPONENT, "format": "text, dot, mermaid, or svg (with Graphviz)"})
def graph(_context: Any, env: str = "", component: str = "", format: str = "text") -> int:
    """
    Show the tasks and what each waits for.

    Example: inv graph --env local --format mermaid
    """
    from mop.commands.pipeline import Pipeline
    from mop.errors import UsageError
    from mop.graph import STAGES
    from mop.report.graph import graph_dot, graph_mermaid, graph_text

    formats = {"text": graph_text, "dot": graph_dot, "mermaid": graph_mermaid}
    if format not in (*formats, "svg"):
        raise UsageError(f"--format: expected text, dot, mermaid or svg, found {format!r}")
    pipeline = Pipeline.open(env, component)
    specs = pipeline.tasks.specs(pipeline.selected, STAGES)
    if format == "svg":
        from mop.runner.toolbox import graph_svg

        pipeline.terminal.result(graph_svg(graph_dot(specs)))
    else:
        pipeline.terminal.result(formats[format](specs))
    return 0
