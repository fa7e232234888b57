"""Runs hooks one after another: each done before the next; one that fails ends the apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mop.engines.protocols import Cluster
from mop.errors import NotReady
from mop.manifest import Manifest, ObjectRef
from mop.model import Ready
from mop.results import Progress, silent
from mop.rollout.applyset import Owner
from mop.rollout.concurrent import Stop
from mop.rollout.gone import await_gone
from mop.rollout.hooks import BEFORE_CREATION, FAILED, SUCCEEDED, Hook, hooks_for, labelled
from mop.rollout.wait import Awaited, wait_ready

#: Seconds that an old hook may take to go before its successor is made.
_GONE = 120.0


@dataclass(frozen=True, slots=True)
class HookRunner:
    """Runs the hooks of components. `guard` raises where nothing more may be written."""

    cluster: Cluster
    progress: Progress = silent
    stop: Stop = field(default_factory=Stop)
    guard: Callable[[], None] = lambda: None
    hide: Callable[[str], str] = str

    def run(self, owner: Owner, manifests: Iterable[Manifest], event: str, ready: Ready) -> list[ObjectRef]:
        """Run the hooks of `event`; gives what was run. Raises NotReady if one fails or takes longer than `ready`."""
        chosen = hooks_for(manifests, event)
        for hook in chosen:
            self._run(owner, hook, event, ready)
        self._delete([hook for hook in chosen if SUCCEEDED in hook.policies])
        return [hook.ref for hook in chosen]

    def _run(self, owner: Owner, hook: Hook, event: str, ready: Ready) -> None:
        if BEFORE_CREATION in hook.policies:
            self._delete([hook])
            await_gone(self.cluster, [hook.ref], _GONE, stop=self.stop)
        self.guard()
        self.cluster.create(labelled(hook, owner))
        try:
            wait_ready(
                self.cluster,
                owner.environment,
                [Awaited(owner.component, [hook.ref], ready)],
                progress=self.progress,
                stop=self.stop,
                hide=self.hide,
            )
        except NotReady as error:
            if FAILED in hook.policies:
                self._delete([hook])
            message = f"the {event} hook {hook.ref} of {owner.environment}/{owner.component} failed: {error.message}"
            raise NotReady(message, hint=error.hint, problems=error.problems) from error

    def _delete(self, hooks: Iterable[Hook]) -> None:
        for hook in hooks:
            if self.cluster.knows(hook.ref.api_version, hook.ref.kind) is not None:
                self.guard()
                self.cluster.delete(hook.ref)
