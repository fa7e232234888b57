"""How a delivery goes: plan everything, show it, ask, carry exactly that out, say what happened."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mop.commands.pipeline import Pipeline
from mop.errors import UsageError
from mop.files import PRIVATE_FILE, write_atomic
from mop.graph import Consent
from mop.results import ApplyResult, ComponentStatus, Place
from mop.rollout.plan import Plan
from mop.selection import Selected
from mop.steps.apply import Options, authorise
from mop.steps.diff import Options as Planning

#: Seconds between two looks of `status --watch`.
_LOOK = 2.0
_BEFORE = ("vendor", "evaluate", "render", "validate", "diff")


def options(
    *,
    wait: bool = True,
    force: bool = False,
    timeout: str = "",
    prune_limit: int = 0,
    rollback_on_failure: bool = False,
) -> Options:
    """The flags of an apply; raises UsageError for a timeout that is none."""
    from mop.durations import seconds

    patience = None
    if timeout:
        try:
            patience = seconds(timeout)
        except ValueError as error:
            raise UsageError(f"--timeout: {error}", hint="for example --timeout 10m") from None
    return Options(
        wait=wait,
        force=force,
        timeout=patience,
        prune_limit=prune_limit or None,
        rollback_on_failure=rollback_on_failure,
    )


def planning(*, prune: bool = True, everything: bool = False, adopt: bool = False) -> Planning:
    """The flags of a plan; raises UsageError for two that contradict each other."""
    if everything and not prune:
        raise UsageError("--no-prune and --prune-all contradict each other")
    return Planning(prune=prune, everything=everything, adopt=adopt, migrate=adopt)


class Delivery(Pipeline):
    """A pipeline that reaches a cluster."""

    def prepare(self, stages: Iterable[str], jobs: int, chosen: Planning | None = None) -> bool:
        """Run `stages`, planning as `chosen`; False if any task failed."""
        self.tasks.builder = replace(self.tasks.builder, planning=chosen)
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

    def write_html(self, file: str) -> None:
        """The plans as one HTML page, for its owner alone: it names what a cluster holds."""
        from mop.report.diff_html import diff_html

        write_atomic(
            Path(file), diff_html([plan.diff for plan in self.plans], self.places), mode=PRIVATE_FILE
        )

    def show_status(self, *, json: bool, watch: bool = False) -> int:
        """Where every component stands; 1 if one is not ready. `watch`: again at each change, until Ctrl-C."""
        found = self._statuses()
        self._show_statuses(found, json=json)
        while watch:
            time.sleep(_LOOK)
            now = self._statuses()
            if now != found:
                found = now
                self._show_statuses(found, json=json)
        return 0 if all(state.ready for state in found) else 1

    def _statuses(self) -> list[ComponentStatus]:
        from mop.steps.status import status

        return [
            state
            for part in self.selected
            for state in status(
                self.workspace.tools.cluster(part.environment), part.environment, self.manifests_of(part)
            )
        ]

    def _show_statuses(self, found: list[ComponentStatus], *, json: bool) -> None:
        from mop.report.status import status_json_report, status_text

        if json:
            self.terminal.result_json(status_json_report(found, self.places))
        else:
            self.terminal.result(status_text(found, self.places, paint=self.terminal.paint_out))

    def deploy(self, chosen: Options, how: Planning, *, yes: bool, confirm: str, jobs: int, ask: bool) -> int:
        """Plan, show, ask, apply. The exit code."""
        if not ask:
            self.authorise(yes=yes, confirm=confirm)
        if not self.prepare(_BEFORE, jobs, how):
            return self.finish()
        self.show_diff(summary=not ask)
        if ask and self.changed and not (yes or confirm):
            yes = self.asked()
        self.authorise(yes=yes or not self.changed, confirm=confirm)
        return self.apply_plans(chosen, Consent(yes or not self.changed, confirm))

    def apply_plans(self, chosen: Options, consent: Consent) -> int:
        """Carry out the plans of all environments. The exit code."""
        from mop.report.apply import ApplyLines

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
        self.show_results([result for results in done for result in results])
        return self.finish()

    def show_results(self, results: Sequence[ApplyResult]) -> None:
        """What was done, on standard output."""
        from mop.report.apply import apply_text

        if results:
            self.terminal.result(apply_text(results, self.places, paint=self.terminal.paint_out))

    def authorise(self, *, yes: bool, confirm: str) -> None:
        """Raises UsageError unless changing each environment was agreed to."""
        for part in self.selected:
            authorise(part.environment, yes=yes, confirm=confirm, named=part.named)

    def asked(self) -> bool:
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
