"""`diff --save` and `apply --plan`: a delivery whose plan is looked at before it is carried out, maybe elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mop.commands.deploying import Delivery
from mop.errors import UsageError
from mop.graph import Consent
from mop.report.terminal import terminal
from mop.runner.run import open_workspace
from mop.selection import Selected, select
from mop.steps import saved
from mop.steps.apply import Options
from mop.steps.diff import Options as Planning
from mop.steps.diff import plan as make_plans


def comparable(delivery: Delivery, how: Planning) -> Planning:
    """`how`, with fingerprints by a key that `apply --plan` will have too."""
    return replace(how, fingerprint=saved.fingerprint(delivery.workspace.outputs.folder))


def save(delivery: Delivery, how: Planning, file: str) -> None:
    """Write the plans that the diff showed."""
    builder = delivery.tasks.builder
    parts = [
        saved.part(
            part.environment,
            part.components,
            builder.plans[part.environment.name],
            options={"prune": how.prune, "everything": how.everything, "adopt": how.adopt},
            elsewhere=builder.elsewhere(part.environment, part.components),
            origins=builder.origins(part.environment, part.components),
            fingerprint=how.fingerprint,
        )
        for part in delivery.selected
    ]
    saved.write(Path(file), parts)
    delivery.terminal.note(f"saved to {file}; `inv apply --plan {file}` does this, and nothing else")


def carry_out(file: str, chosen: Options, jobs: int) -> int:
    """Do what the plan in `file` says. Raises UsageError, or Stale if the live side moved since."""
    parts = saved.read(Path(file))
    out = terminal()
    workspace = open_workspace(start_cluster=True, progress=out.note)
    selected = tuple(
        Selected(each.environment, tuple(part.components), named=True)
        for part in parts
        for each in select(workspace.platform, part.environment, ",".join(part.components))
    )
    _same_targets(parts, selected)
    delivery = Delivery(workspace, selected, out, quiet=True)
    anew = any(part.rendered_anew for part in parts)
    if anew and not delivery.prepare(("vendor", "evaluate", "render"), jobs):
        return delivery.finish()
    builder = delivery.tasks.builder
    recorded = {part.environment: part.origins for part in parts}
    delivery.tasks.builder = replace(builder, recorded=recorded)
    for part, each in zip(parts, selected, strict=True):
        fingerprint = saved.fingerprint(workspace.outputs.folder)
        fresh = delivery.manifests_of(each) if part.rendered_anew else {}
        options = Planning(
            part.prune, part.everything, part.refs, part.adopt, part.adopt, fingerprint=fingerprint
        )
        cluster = workspace.tools.cluster(each.environment)
        objects = saved.manifests(part, fresh, fingerprint)
        plans = make_plans(cluster, each.environment, objects, options)
        saved.check_unmoved(part, plans)
        builder.plans[each.environment.name] = plans
    delivery.show_diff(summary=True)
    return delivery.apply_plans(chosen, Consent(yes=True, planned=True))


def _same_targets(parts: list[saved.Part], selected: tuple[Selected, ...]) -> None:
    for part, each in zip(parts, selected, strict=True):
        if str(each.environment.target) != part.target:
            raise UsageError(
                f"the plan is for another cluster than the one that {part.environment} names now",
                hint="save the plan anew",
            )
