"""How `affected` finds what a change touches: recorded inputs, mop.yaml then and now, or both sides rendered."""

from __future__ import annotations

import sys

from mop.errors import UsageError
from mop.report.tasks import TaskLines
from mop.report.terminal import Terminal, terminal
from mop.runner.run import Run, Workspace, open_workspace
from mop.selection import Selected, select
from mop.steps.affected import Affected, by_declaration, by_files


def find(since: str, files: str, *, exact: bool, jobs: int) -> tuple[Terminal, list[Affected]]:
    """What the change touches. Raises UsageError where it is not said which change, or renders fail."""
    if bool(since) == bool(files):
        raise UsageError(
            "which change? expected one of --since and --files", hint="for example --since origin/main"
        )
    if exact and not since:
        raise UsageError("--exact compares with a commit", hint="add --since COMMIT")
    out = terminal()
    workspace = open_workspace(progress=out.note)
    selected = select(workspace.platform, "*")
    run = Run(workspace, TaskLines(out, quiet=True))
    run.execute(
        run.specs(selected, ["vendor", "evaluate", "render"] if exact else ["vendor", "evaluate"]), jobs
    )
    if exact:
        return out, _exactly(workspace, run, since, jobs)
    if run.errors:
        raise UsageError("what an environment depends on is known only where it evaluates; see above")
    return out, _recorded(workspace, selected, since, files)


def _recorded(workspace: Workspace, selected: tuple[Selected, ...], since: str, files: str) -> list[Affected]:
    changed, before = _change(workspace, since, files)
    found: list[Affected] = []
    for environment in (part.environment for part in selected):
        records = {
            component: workspace.outputs.record(workspace.outputs.evaluated(environment.name, component))
            for component in environment.components
        }
        inputs = {component: record.inputs for component, record in records.items() if record}
        declared = by_declaration(workspace.platform, environment, before) if "mop.yaml" in changed else []
        found += declared or by_files(environment, inputs, changed)
    return found


def _change(workspace: Workspace, since: str, files: str) -> tuple[list[str], dict[str, object] | None]:
    """The changed files, and mop.yaml as it was, if it can be known and read."""
    root = workspace.platform.root
    if not since:
        text = sys.stdin.read() if files == "-" else files.replace(",", "\n")
        return [name.strip().removeprefix("./") for name in text.splitlines() if name.strip()], None
    from mop.runner.revision import change_since

    return change_since(root, since)


def _exactly(workspace: Workspace, run: Run, since: str, jobs: int) -> list[Affected]:
    from mop.runner.revision import rendered_at, rendered_now

    now, then = rendered_now(workspace, run), rendered_at(workspace.platform.root, since, jobs)
    found = []
    for environment in workspace.platform.environments.values():
        for component in environment.components:
            key = (environment.name, component)
            if now.get(key) is None or now.get(key) != then.get(key):
                reason = (
                    "does not render" if key not in now else "new" if key not in then else "renders otherwise"
                )
                found.append(Affected(*key, reason))
    return found
