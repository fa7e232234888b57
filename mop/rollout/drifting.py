"""What counts as drift, and what is meant to move. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mop.manifest import Manifest
from mop.results import Change, ComponentDiff
from mop.rollout.plan import Plan
from mop.rollout.prune import OWNED


@dataclass(frozen=True, slots=True)
class Ignored:
    """A rule: fields of objects that may move. `kind`, `name` and `path` are patterns as of a shell."""

    path: str
    kind: str = "*"
    name: str = "*"

    def covers(self, change: Change, path: str) -> bool:
        """Whether a field of a change is meant."""
        return (
            fnmatchcase(change.ref.kind, self.kind)
            and fnmatchcase(change.ref.name, self.name)
            and fnmatchcase(path, self.path)
        )


def scaled_by_autoscalers(manifests: Iterable[Manifest]) -> list[Ignored]:
    """Rules for the replicas of every workload that a HorizontalPodAutoscaler scales."""
    rules = []
    for manifest in manifests:
        target = (manifest.get("spec") or {}).get("scaleTargetRef")
        if manifest["kind"] == "HorizontalPodAutoscaler" and isinstance(target, dict):
            rules.append(Ignored("spec.replicas", str(target.get("kind")), str(target.get("name"))))
    return rules


def drifted(plan: Plan, rules: Sequence[Ignored]) -> ComponentDiff:
    """The plan of what was last applied, as drift: without the fields that may move, with what others added."""
    added = tuple(
        Change("delete", it, note="bears the label of this component, which did not apply it")
        for it, reason in plan.kept
        if reason != OWNED
    )
    changes = tuple(_without(change, rules) for change in plan.changes)
    return ComponentDiff(plan.environment, plan.component, (*changes, *added))


def _without(change: Change, rules: Sequence[Ignored]) -> Change:
    if change.action != "update":
        return change
    fields = tuple(
        field for field in change.fields if not any(rule.covers(change, field.path) for rule in rules)
    )
    if fields:
        return replace(change, fields=fields)
    return Change("keep", change.ref, warnings=change.warnings)
