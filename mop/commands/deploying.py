"""How a delivery goes: plan everything, show it, ask, carry exactly that out, say what happened."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

from mop.commands.pipeline import Pipeline
from mop.errors import UsageError
from mop.graph import Consent
from mop.results import Place
from mop.rollout.plan import Plan
from mop.selection import Selected
from mop.steps.apply import Options, authorise

_BEFORE = ("vendor", "evaluate", "render", "validate", "diff")


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

    @property
    def plans(self) -> list[Plan]:
        """The plans of all environments, in their order."""
        return [p for part in self.selected for p in self.tasks.builder.plans.get(part.environment.name, [])]

    @property
    def changed(self) -> bool:
        """Whether an apply would write anything."""
        return any(plan.diff.changed for plan in self.plans)

    @property
    def places(self) -> dict[str, Place]:
        """The cluster of each environment."""
        clusters = {
            e.name: self.workspace.tools.cluster(e) for e in (part.environment for part in self.selected)
        }
        return {name: Place(cluster.address, cluster.simulated) for name, cluster in clusters.items()}

    def show_diff(self, *, json: bool = False, summary: bool = False) -> None:
        """The plans, on standard output."""
        from mop.report.diff import diff_json, diff_text

        diffs = [plan.diff for plan in self.plans]
        if json:
            self.terminal.result_json(diff_json(diffs, self.places))
        else:
            paint = self.terminal.paint_out
            # Of a first apply every line is new: its objects are listed, `--whole`-ness is for `inv show`.
            self.terminal.result(diff_text(diffs, self.places, summary=summary, whole=False, paint=paint))

    def show_status(self, *, json: bool) -> int:
        """Where every component stands; 1 if one is not ready."""
        from mop.report.status import status_json_report, status_text
        from mop.steps.status import status

        found = [
            state
            for part in self.selected
            for state in status(
                self.workspace.tools.cluster(part.environment), part.environment, self.manifests_of(part)
            )
        ]
        if json:
            self.terminal.result_json(status_json_report(found, self.places))
        else:
            self.terminal.result(status_text(found, self.places, paint=self.terminal.paint_out))
        return 0 if all(state.ready for state in found) else 1

    def deploy(self, chosen: Options, *, yes: bool, confirm: str, jobs: int, ask: bool) -> int:
        """Plan, show, ask, apply. The exit code."""
        if not ask:
            self._authorise(yes=yes, confirm=confirm)
        if not self.prepare(_BEFORE, jobs):
            return self.finish()
        self.show_diff(summary=not ask)
        if ask and self.changed and not (yes or confirm):
            yes = self._asked()
        self._authorise(yes=yes or not self.changed, confirm=confirm)
        return self._apply(chosen, Consent(yes or not self.changed, confirm))

    def _apply(self, chosen: Options, consent: Consent) -> int:
        from mop.report.apply import ApplyLines, apply_text

        lines, tasks = ApplyLines(self.terminal), self.tasks
        try:
            for part in self.selected:
                agreed = replace(consent, named=part.named)
                tasks.builder = replace(tasks.builder, consent=agreed, options=chosen, progress=lines)
                # In this thread: Ctrl-C must reach the apply itself, which then ends in order.
                tasks.execute(tasks.specs([part], ["apply"]), jobs=1)
        finally:
            lines.close()
        done = [tasks.ledger.result(f"apply:{part.environment.name}").outcome or () for part in self.selected]
        results = [result for results in done for result in results]
        if results:
            self.terminal.result(apply_text(results, self.places, paint=self.terminal.paint_out))
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
