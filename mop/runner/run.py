"""One run: a workspace, the tasks that a command asks for, and what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mop import config
from mop.errors import MopError
from mop.files import Digests
from mop.graph import Builder, TaskSpec
from mop.model import Platform
from mop.outputs import Outputs
from mop.runner.toolbox import RealToolbox
from mop.selection import Selected

if TYPE_CHECKING:
    from mop.results import Origin


@dataclass(frozen=True, slots=True)
class Workspace:
    """A platform on disk with its outputs and engines: what every command starts from."""

    platform: Platform
    outputs: Outputs
    tools: RealToolbox

    @property
    def builder(self) -> Builder:
        """The tasks of this workspace."""
        return Builder(self.platform, self.outputs, self.tools, source=self._source)

    def _source(self) -> Origin:
        from mop.engines import git
        from mop.results import Origin

        found = git.head(self.platform.root) or {}
        return Origin(found.get("commit", ""), found.get("author", ""), found.get("message", ""))


def open_workspace(
    start: Path | None = None,
    *,
    start_cluster: bool = False,
    progress: Callable[[str], None] = lambda _line: None,
) -> Workspace:
    """The workspace of the mop.yaml in `start` or its nearest parent. Raises ConfigError with every mistake."""
    platform = config.load(config.find(start or Path.cwd()))
    digests = Digests(platform.root, platform.root / ".mop" / "digests.json")
    outputs = Outputs(platform.root, digests)
    outputs.prune({name: env.components for name, env in platform.environments.items()})
    tools = RealToolbox(platform.root, digests, start_cluster=start_cluster, progress=progress)
    return Workspace(platform, outputs, tools)


class Run:
    """Runs tasks and keeps their results. `failed` and `errors` are there after `execute`."""

    def __init__(self, workspace: Workspace, listener: Callable[..., None] = lambda _result: None) -> None:
        from mop.runner.doit_tasks import Ledger

        self.workspace = workspace
        self.builder = workspace.builder
        self.ledger = Ledger(listener, stop=workspace.tools.stop)

    def specs(self, selected: Sequence[Selected], stages: Iterable[str], jobs: int = 0) -> list[TaskSpec]:
        """The tasks of `stages` for what is selected, to be executed with as many `jobs`."""
        wanted = set(stages)
        # Several environments keep the cores busy by themselves.
        self.builder = replace(self.builder, threads=(jobs or cores()) if len(selected) == 1 else 1)
        # By name: environments share the tasks of what is vendored.
        found = {
            spec.name: spec
            for part in selected
            for spec in self.builder.specs(part.environment, part.components, wanted)
        }
        # What is not asked for was run before (apply, after its diff was confirmed) or is not wanted (diff alone).
        return [
            replace(spec, needs=tuple(need for need in spec.needs if need in found))
            for spec in found.values()
        ]

    def execute(self, specs: Iterable[TaskSpec], jobs: int = 0) -> None:
        """Run the tasks in parallel threads; `jobs` 0: as many as there are cores.

        Raises the first defect (an exception that is no MopError); MopErrors are kept in the results.
        """
        from mop.runner.doit_tasks import execute

        specs = list(specs)
        try:
            execute(specs, self.workspace.outputs.folder / "doit.db", self.ledger, jobs or cores())
        finally:
            self.workspace.outputs.digests.save()
        for result in self.ledger.results.values():
            if result.error is not None and not isinstance(result.error, MopError):
                raise result.error

    @property
    def errors(self) -> dict[str, MopError]:
        """Failed tasks and why."""
        return {r.name: r.error for r in self.ledger.results.values() if isinstance(r.error, MopError)}


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
