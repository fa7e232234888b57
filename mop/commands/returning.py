"""How the commands on earlier applies go: they ask the cluster alone, and render nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mop.commands.deploying import Delivery
from mop.engines.protocols import Cluster
from mop.errors import UsageError
from mop.files import write_atomic
from mop.rollout.plan import Plan
from mop.selection import Selected
from mop.steps.apply import Options, apply

if TYPE_CHECKING:
    from mop.report.apply import ApplyLines


class Past(Delivery):
    """A delivery of what the cluster keeps."""

    def show_history(self, *, json: bool) -> int:
        """The revisions of what is selected."""
        from mop.report.history import history_json, history_text
        from mop.steps.history import history

        found = [
            each
            for part in self.selected
            for each in history(self._cluster(part), part.environment, part.components)
        ]
        if json:
            self.terminal.result_json(history_json(found, self.places))
        else:
            self.terminal.result(history_text(found, self.places, paint=self.terminal.paint_out))
        return 0

    def show_drift(self, *, json: bool, metrics: str) -> int:
        """What others did since the last apply; 2 if anything."""
        from mop.report.drift import drift_json, drift_metrics, drift_text
        from mop.steps.drift import drift

        found = [
            each
            for part in self.selected
            for each in drift(self._cluster(part), part.environment, part.components)
        ]
        if metrics:
            write_atomic(Path(metrics), drift_metrics(found))
        if json:
            self.terminal.result_json(drift_json(found, self.places))
        else:
            self.terminal.result(drift_text(found, self.places, paint=self.terminal.paint_out))
        return 2 if any(each.changed for each in found) else 0

    def rollback(self, to: int, chosen: Options, *, yes: bool, confirm: str) -> int:
        """Show the way back, ask, take it."""
        from mop.steps.rollback import rollback

        if to and [len(part.components) for part in self.selected] != [1]:
            raise UsageError("--to is a revision of one component", hint="name it with --component")
        found = [
            rollback(self._cluster(part), part.environment, part.components, to=to or None)
            for part in self.selected
        ]
        self._keep([list(each.plans) for each in found])
        for revision in (revision for each in found for revision in each.revisions):
            self.terminal.note(
                f"{revision.environment}/{revision.component}: back to revision {revision.number} of {revision.time}"
            )
        if not self._agreed(yes=yes, confirm=confirm):
            return 0
        ready = {name: component.ready for name, component in self.workspace.platform.components.items()}
        with self._lines() as lines:
            for part, back in zip(self.selected, found, strict=True):
                self.show_results(
                    apply(
                        self._cluster(part),
                        part.environment,
                        back.plans,
                        ready=ready,
                        origins=back.origins,
                        options=replace(chosen, rollback=True),
                        progress=lines,
                    )
                )
        return 0

    def delete(self, *, yes: bool, confirm: str, everything: bool, timeout: float | None) -> int:
        """Show what goes, ask, remove it."""
        from mop.steps import delete as step

        found = [
            step.plan(self._cluster(part), part.environment, part.components, everything=everything)
            for part in self.selected
        ]
        self._keep(found)
        if not self._agreed(yes=yes, confirm=confirm):
            return 0
        with self._lines() as lines:
            for part, plans in zip(self.selected, found, strict=True):
                patience = timeout or step.TIMEOUT
                cluster = self._cluster(part)
                self.show_results(
                    step.delete(cluster, part.environment, plans, timeout=patience, progress=lines)
                )
        return 0

    def test(self) -> int:
        """Run the test hooks; the first that fails ends it."""
        from mop.steps.hooks_test import run_tests

        ready = {name: component.ready for name, component in self.workspace.platform.components.items()}
        count = 0
        with self._lines() as lines:
            for part in self.selected:
                ran = run_tests(
                    self._cluster(part), part.environment, part.components, ready=ready, progress=lines
                )
                for component, refs in ran.items():
                    count += len(refs)
                    for it in refs:
                        self.terminal.result(f"{part.environment.name}/{component}: {it} succeeded")
        if not count:
            self.terminal.note("nothing that is applied has a test hook")
        return 0

    def _keep(self, plans: list[list[Plan]]) -> None:
        for part, mine in zip(self.selected, plans, strict=True):
            self.tasks.builder.plans[part.environment.name] = mine

    def _agreed(self, *, yes: bool, confirm: str) -> bool:
        """Show the plans and ask; False where there is nothing to do. Raises UsageError if nobody agrees."""
        self.show_diff(summary=True)
        if not self.plans:
            return False
        if not (yes or confirm):
            self.authorise(yes=True, confirm=confirm)  # a protected one is refused before anybody is asked
            yes = self.asked()
        self.authorise(yes=yes, confirm=confirm)
        return True

    @contextmanager
    def _lines(self) -> Iterator[ApplyLines]:
        from mop.report.apply import ApplyLines

        lines = ApplyLines(self.terminal)
        try:
            yield lines
        finally:
            lines.close()

    def _cluster(self, part: Selected) -> Cluster:
        return self.workspace.tools.cluster(part.environment)
