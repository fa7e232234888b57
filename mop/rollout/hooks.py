"""Helm hooks: which run when, and what becomes of them after (Helm: pkg/action/hooks.go). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mop.manifest import Manifest, ObjectRef, ref, sort_key
from mop.rollout.applyset import Owner
from mop.rollout.labels import HOOK
from mop.rollout.names import COMPONENT, DOMAIN, ENVIRONMENT

_WEIGHT = "helm.sh/hook-weight"
_POLICY = "helm.sh/hook-delete-policy"
#: On a hook that was run, so that `delete` finds it; hooks are members of no set.
RAN = f"{DOMAIN}/hook"

BEFORE_CREATION, SUCCEEDED, FAILED = "before-hook-creation", "hook-succeeded", "hook-failed"
#: Helm 2's names.
_ALIASES = {"test-success": "test"}


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook of a component."""

    manifest: Manifest = field(repr=False)
    events: frozenset[str]
    weight: int
    policies: frozenset[str]

    @property
    def ref(self) -> ObjectRef:
        """The object that it is."""
        return ref(self.manifest)


def hooks_for(manifests: Iterable[Manifest], event: str) -> list[Hook]:
    """The hooks of `event` (`pre-install`, `test` …) in the order in which they run: weight, kind, name."""
    found = [_hook(manifest) for manifest in manifests]
    return sorted(
        (hook for hook in found if event in hook.events),
        key=lambda hook: (hook.weight, sort_key(hook.manifest)),
    )


def labelled(hook: Hook, owner: Owner) -> Manifest:
    """The hook as it is sent."""
    metadata = hook.manifest["metadata"]
    ours = {ENVIRONMENT: owner.environment, COMPONENT: owner.component, RAN: "true"}
    return {**hook.manifest, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **ours}}}


def _hook(manifest: Manifest) -> Hook:
    annotations = manifest["metadata"].get("annotations") or {}
    events = _words(annotations.get(HOOK))
    return Hook(
        manifest,
        frozenset(_ALIASES.get(event, event) for event in events),
        _number(annotations.get(_WEIGHT)),
        frozenset(_words(annotations.get(_POLICY)) or [BEFORE_CREATION]),
    )


def _words(text: object) -> list[str]:
    return [word.strip() for word in str(text or "").split(",") if word.strip()]


def _number(text: object) -> int:
    """A weight that is no number counts as 0, as in Helm."""
    try:
        return int(str(text))
    except ValueError:
        return 0
