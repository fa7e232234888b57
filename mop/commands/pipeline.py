"""What the commands do in common: open the platform, run stages on what was selected, say how it went."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Self

from mop import __version__
from mop.errors import Interrupted, ValidationError
from mop.files import write_atomic
from mop.manifest import Manifest
from mop.problem import Problem
from mop.report.tasks import TaskLines
from mop.report.terminal import Terminal, terminal
from mop.runner.run import Run, Workspace, open_workspace
from mop.selection import Selected, select, shard


class Pipeline:
    """One command's run over one selection."""

    def __init__(
        self,
        workspace: Workspace,
        selected: tuple[Selected, ...],
        out: Terminal,
        *,
        quiet: bool,
        findings: bool = True,
    ) -> None:
        self.workspace = workspace
        self.selected = selected
        self.terminal = out
        self.lines = TaskLines(out, quiet=quiet, findings=findings)
        self._quiet = quiet
        self.tasks = Run(workspace, self.lines)

    @classmethod
    def open(
        cls,
        env: str,
        component: str,
        *,
        shard: str = "",
        quiet: bool = False,
        start_cluster: bool = False,
        findings: bool = True,
    ) -> Self:
        """Read mop.yaml and what `--env`, `--component` and `--shard` mean. Raises ConfigError, UsageError."""
        out = terminal()
        workspace = open_workspace(start_cluster=start_cluster, progress=out.note)
        selected = select(workspace.platform, env, component)
        return cls(workspace, _sharded(selected, shard), out, quiet=quiet, findings=findings)

    def forget(self) -> None:
        """Drop the records of what is selected: everything is made again."""
        outputs = self.workspace.outputs
        for part in self.selected:
            for component in part.components:
                outputs.forget(outputs.evaluated(part.environment.name, component))
                outputs.forget(outputs.manifests(part.environment.name, component))

    def run(self, stages: Iterable[str], jobs: int = 0) -> None:
        """Run the tasks of `stages`; what fails is kept for `finish`."""
        try:
            self.tasks.execute(self.tasks.specs(self.selected, stages, jobs), jobs)
        except KeyboardInterrupt:
            done = self.lines.states["done"]
            raise Interrupted(
                f"interrupted: {done} tasks done, the rest not run; no file is half-written"
            ) from None

    @property
    def failed(self) -> bool:
        """Whether any task failed."""
        return bool(self.tasks.errors)

    def finish(self) -> int:
        """Print the total; the exit code."""
        if not self._quiet or self.failed:
            self.lines.total()
        return 1 if self.failed else 0

    def finish_findings(self, *, json: bool, sarif: str, junit: str, skip: Collection[str]) -> int:
        """Report what validation found, on standard output and to files; the exit code.

        `skip`: names of checks whose findings do not count.
        """
        from mop.report import problems as report

        found = [problem for problem in self._findings() if problem.check not in skip]
        cases = [(part.environment.name, c) for part in self.selected for c in (*part.components, "")]
        if sarif:
            write_atomic(Path(sarif), report.problems_sarif(found, __version__))
        if junit:
            write_atomic(Path(junit), report.problems_junit(found, cases))
        if json:
            self.terminal.result(report.problems_json(found))
        elif not self._broken or found:
            self.terminal.result(report.problems_text(found))
        if not self._quiet:
            self.lines.total()
        return 1 if self._broken or any(problem.level == "error" for problem in found) else 0

    def _findings(self) -> list[Problem]:
        from mop.steps.validate import findings, shared

        outputs = self.workspace.outputs
        found = []
        checked = []
        for part in self.selected:
            for component in (*part.components, *([""] if part.whole else [])):
                name = f"validate:{part.environment.name}" + (f":{component}" if component else "")
                if self.tasks.ledger.result(name).state in ("done", "current") or self._found(name):
                    found += findings(part.environment, component, outputs)
                    if not component:
                        checked.append(part.environment)
        return found + shared(checked, outputs)

    def _found(self, task: str) -> bool:
        """Whether the task failed because of what it found, and not before it looked."""
        return isinstance(self.tasks.errors.get(task), ValidationError)

    @property
    def _broken(self) -> bool:
        """Whether anything failed otherwise than by findings."""
        return any(not isinstance(error, ValidationError) for error in self.tasks.errors.values())

    def rendered_folders(self) -> dict[str, Path]:
        """The folder of rendered files of each selected component, as `environment/component`."""
        return {
            f"{part.environment.name}/{component}": self.workspace.outputs.rendered(
                part.environment.name, component
            )
            for part in self.selected
            for component in part.components
        }

    def manifests(self) -> list[Manifest]:
        """All rendered objects of the selection, in apply order: by environment, then component, then kind."""
        return [
            manifest
            for part in self.selected
            for component in part.components
            for manifest in self.workspace.outputs.load_manifests(part.environment.name, component)
        ]


def _sharded(selected: tuple[Selected, ...], text: str) -> tuple[Selected, ...]:
    return shard(selected, text) if text else selected
