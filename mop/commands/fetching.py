"""How vendoring goes: which charts and libraries, what may change, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mop.errors import MopError, UsageError
from mop.graph import Builder, TaskSpec
from mop.model import Platform
from mop.report.tasks import TaskLines
from mop.report.terminal import Terminal, terminal
from mop.runner.run import Run, Workspace, cores, open_workspace
from mop.selection import select
from mop.steps import vendor, vendor_libraries
from mop.steps.vendor import Options

#: At once, unless `--jobs` says otherwise: downloads wait for the network, not for a core.
_DOWNLOADS = 8


@dataclass(frozen=True, slots=True)
class Vendoring:
    """`charts`, `libraries`: names, in the order of mop.yaml.

    `everything`: nothing was selected, so the lock is tidied, and written for jsonnet-bundler and Tanka, as well.
    """

    workspace: Workspace
    terminal: Terminal
    charts: tuple[str, ...]
    libraries: tuple[str, ...]
    everything: bool

    @classmethod
    def open(cls, env: str, component: str) -> Vendoring:
        """Read mop.yaml and what is selected. Raises ConfigError, UsageError."""
        out = terminal()
        workspace = open_workspace(progress=out.note)
        platform = workspace.platform
        if not env and not component:
            return cls(workspace, out, tuple(platform.charts), tuple(platform.libraries), True)
        chosen = {name for part in select(platform, env or "*", component) for name in part.components}
        components = [platform.components[name] for name in chosen]
        named = {name for each in components for name in (*each.charts, *each.libraries)}
        charts, libraries = (
            tuple(name for name in declared if name in named)
            for declared in (platform.charts, platform.libraries)
        )
        return cls(workspace, out, charts, libraries, False)

    def vendor(self, *, update: str | bool, locked: bool, force: bool, jobs: int) -> int:
        """Run the tasks; the exit code."""
        updates = _updates(update, self.workspace.platform)
        if locked and updates != ():
            raise UsageError("--update changes mop.lock, which --locked forbids", hint="add --no-locked")
        options = Options(locked=locked, update=updates, force=force)
        if self.everything:
            for name in vendor.forget(self.workspace.platform, options):
                self.terminal.note(f"{name}: removed from mop.lock, for mop.yaml does not declare it")
        lines = TaskLines(self.terminal)
        builder = replace(self.workspace.builder, vendoring=options)
        tasks = [
            *(builder.chart(name) for name in self.charts),
            *(builder.library(name) for name in self.libraries),
        ]
        failed = not self._all_current(tasks, lines) and self._run(builder, tasks, lines, jobs)
        if self.everything and not failed:
            self._tidy(options)
        lines.total()
        return 1 if failed else 0

    def _all_current(self, tasks: list[TaskSpec], lines: TaskLines) -> bool:
        """Whether there is nothing to do: then doit need not be loaded, which takes half of such a run."""
        try:
            current = all(task.current is not None and task.current() for task in tasks)
        except MopError:
            return False  # its own action says why
        if current:
            lines.states["current"] += len(tasks)
            self.workspace.outputs.digests.save()
        return current

    def _run(self, builder: Builder, tasks: list[TaskSpec], lines: TaskLines, jobs: int) -> bool:
        """Run the tasks; whether any failed."""
        run = Run(self.workspace, lines)
        run.builder = builder
        run.execute(tasks, jobs or max(cores(), _DOWNLOADS))
        return bool(run.errors)

    def _tidy(self, options: Options) -> None:
        """What can be done once all is there."""
        from mop.steps import interop

        for path in vendor_libraries.forget(self.workspace.platform, options):
            self.terminal.note(f"{path}: removed from mop.lock, for nothing asks for it")
        for note in interop.write(self.workspace.platform):
            self.terminal.note(note)

    def check(self) -> int:
        """Compare; what differs on standard output. The exit code."""
        from mop.report.problems import problems_text

        problems = vendor.check(self.workspace.platform, self.charts)
        problems += vendor_libraries.check(self.workspace.platform, self.libraries)
        if problems:
            self.terminal.result(problems_text(problems))
        self.terminal.note(
            f"{len(self.charts)} charts and {len(self.libraries)} libraries compared with mop.lock, by content"
        )
        return 1 if problems else 0


def _updates(update: str | bool, platform: Platform) -> tuple[str, ...] | None:
    """What `--update` means: () for nothing, None for everything, else names."""
    if update is True:
        return None
    names = tuple(name.strip() for name in str(update or "").split(",") if name.strip())
    known = [*platform.charts, *platform.libraries]
    for name in names:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            raise UsageError(
                f"--update: mop.yaml declares no chart or library {name!r}",
                hint=f"did you mean {near[0]}?" if near else f"it declares {', '.join(known) or 'none'}",
            )
    return names
