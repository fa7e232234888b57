"""How a delivery goes: plan everything, show it, ask, carry exactly that out, say what happened."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

from mop.commands.pipeline import Pipeline
from mop.errors import UsageError
from mop.graph import Consent
from mop.rollout.plan import Plan
from mop.selection import Selected
from mop.steps.apply import Options, authorise

_BEFORE = ("evaluate", "render", "validate", "diff")


def options(*, wait: bool, force: bool, timeout: str) -> Options:
    """The flags of an apply; raises UsageError for a timeout that is none."""
    from mop.durations import seconds

    patience = None
    if timeout:
        try:
            patience = seconds(timeout)
        except ValueError as error:
            raise UsageError(f"--timeout: {error}", hint="for example --timeout 10m") from None
    return Options(wait=wait, force=force, timeout=patience)


class Delivery(Pipeline):
    """A pipeline that reaches a cluster."""

    def prepare(self, stages: Iterable[str], jobs: int) -> bool:
        """Run `stages`; False if any task failed."""
        self.run(stages, jobs)
        return not self.failed

    def plan(self, stages: Iterable[str], jobs: int) -> bool:
        """Run `stages`, of which the last is the diff; False if any task failed."""
        return self.prepare(stages, jobs)

    @property
    def plans(self) -> list[Plan]:
        """The plans of all environments, in their order."""
        return [p for part in self.selected for p in self.tasks.builder.plans.get(part.environment.name, [])]

    @property
    def changed(self) -> bool:
        """Whether an apply would write anything."""
        return any(plan.diff.changed for plan in self.plans)

    def show_diff(self, *, json: bool = False, summary: bool = False) -> None:
        """The plans, on standard output."""
        from mop.report.diff import diff_json, diff_text

        diffs = [plan.diff for plan in self.plans]
        if json:
            self.terminal.result(diff_json(diffs))
        else:
            self.terminal.result(diff_text(diffs, summary=summary, colour=self.terminal.colour_out))
        self._note_simulated()

    def show_status(self, *, json: bool) -> int:
        """Where every component stands; 1 if one is not ready."""
        from mop.report.status import status_json, status_text
        from mop.steps.status import status

        found = [
            state
            for part in self.selected
            for state in status(
                self.workspace.tools.cluster(part.environment), part.environment, self.manifests_of(part)
            )
        ]
        if json:
            self.terminal.result(status_json(found))
        else:
            self.terminal.result(status_text(found, colour=self.terminal.colour_out))
        self._note_simulated()
        return 0 if all(state.ready for state in found) else 1

    def deploy(self, chosen: Options, *, yes: bool, confirm: str, jobs: int, ask: bool) -> int:
        """Plan, show, ask, apply. The exit code."""
        if not ask:
            self._authorise(yes=yes, confirm=confirm)
        if not self.plan(_BEFORE, jobs):
            return self.finish()
        self.show_diff(summary=not ask)
        if ask and self.changed and not (yes or confirm):
            yes = self._asked()
        self._authorise(yes=yes or not self.changed, confirm=confirm)
        return self._apply(chosen, Consent(yes or not self.changed, confirm))

    def _apply(self, chosen: Options, consent: Consent) -> int:
        from mop.report.apply import Progress, apply_text

        progress = Progress(self.terminal)
        tasks = self.tasks
        for part in self.selected:
            agreed = replace(consent, named=part.named)
            tasks.builder = replace(tasks.builder, consent=agreed, options=chosen, progress=progress)
            # In this thread: Ctrl-C must reach the apply itself, which then ends in order.
            tasks.execute(tasks.specs([part], ["apply"]), jobs=1)
        results = [
            result
            for part in self.selected
            for result in tasks.ledger.result(f"apply:{part.environment.name}").outcome or ()
        ]
        if results:
            self.terminal.result(apply_text(results, colour=self.terminal.colour_out))
        self._note_simulated()
        return self.finish()

    def _authorise(self, *, yes: bool, confirm: str) -> None:
        for part in self.selected:
            authorise(part.environment, yes=yes, confirm=confirm, named=part.named)

    def _asked(self) -> bool:
        """A person's answer. Without a terminal there is nobody to ask."""
        names = ", ".join(part.environment.name for part in self.selected)
        if not sys.stdin.isatty():
            raise UsageError(
                f"nobody is there to agree to change {names}", hint="write --yes, or --confirm with its name"
            )
        self.terminal.note(f"change {names}? Only `yes` does it: ")
        if sys.stdin.readline().strip() != "yes":
            raise UsageError("nothing was applied", hint="answer `yes` to apply what the diff shows")
        return True

    def manifests_of(self, part: Selected) -> dict[str, list[dict[str, object]]]:
        """Rendered objects of one environment by component."""
        load = self.workspace.outputs.load_manifests
        return {component: load(part.environment.name, component) for component in part.components}

    def _note_simulated(self) -> None:
        if any(part.environment.target.kind == "embedded" for part in self.selected):
            self.terminal.note("the embedded cluster is simulated: its objects are real, its containers do not run")
