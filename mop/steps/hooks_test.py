"""`hooks.test`: runs the `test` hooks of what is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from mop.engines.protocols import Cluster
from mop.manifest import ObjectRef
from mop.masking import mask_text, secret_values
from mop.model import Environment, Ready
from mop.results import Progress, silent
from mop.rollout.applyset import Owner
from mop.rollout.concurrent import Stop
from mop.rollout.history import latest, manifests_of, revisions
from mop.rollout.hooking import HookRunner
from mop.rollout.lock import Lock


def run_tests(
    cluster: Cluster,
    environment: Environment,
    components: Sequence[str],
    *,
    ready: Mapping[str, Ready] | None = None,
    progress: Progress = silent,
    stop: Stop | None = None,
) -> dict[str, list[ObjectRef]]:
    """Run the test hooks of each component's newest revision; gives what ran, by component.

    Raises NotReady with the last log lines of the first that fails; Locked, Denied, Unreachable.
    """
    newest = latest(revisions(cluster, environment.name, environment.namespace))
    ran: dict[str, list[ObjectRef]] = {}
    with Lock(cluster, environment.name, environment.namespace) as lock:
        for name in (each for each in components if each in newest):
            owner = Owner(environment.name, name, environment.namespace)
            manifests = manifests_of(cluster, owner, newest[name])
            values = frozenset(value for manifest in manifests for value in secret_values(manifest))
            hide = partial(mask_text, values=values)
            hooks = HookRunner(cluster, progress, stop or Stop(), lock.check, hide)
            ran[name] = hooks.run(owner, manifests, "test", (ready or {}).get(name, Ready()))
    return ran
