"""`delete`: removes what MOP applied, in reverse order, and waits until it is gone."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mop.engines.protocols import Cluster
from mop.errors import Interrupted, MopError
from mop.manifest import Manifest, ref
from mop.masking import Fingerprint
from mop.model import Environment, Ready
from mop.results import ApplyResult, Progress, silent
from mop.rollout.applyset import Owner
from mop.rollout.concurrent import Stop
from mop.rollout.gone import await_gone
from mop.rollout.history import latest, manifests_of, revisions
from mop.rollout.hooking import HookRunner
from mop.rollout.hooks import RAN
from mop.rollout.labels import selector
from mop.rollout.lock import Lock
from mop.rollout.plan import Plan
from mop.rollout.planning import removal
from mop.rollout.run import Options, Run, Setting

#: Seconds that objects may take to go.
TIMEOUT = 300.0


def plan(
    cluster: Cluster,
    environment: Environment,
    components: Sequence[str],
    *,
    everything: bool = False,
    fingerprint: Fingerprint | None = None,
) -> list[Plan]:
    """What a delete of `components` removes, last component first; namespaces, claims and CRDs only if `everything`.

    Raises Denied where members of a set cannot be listed.
    """
    return removal(
        cluster, environment, components, everything=everything, fingerprint=fingerprint or Fingerprint()
    )


def delete(
    cluster: Cluster,
    environment: Environment,
    plans: Sequence[Plan],
    *,
    timeout: float = TIMEOUT,
    progress: Progress = silent,
    stop: Stop | None = None,
) -> list[ApplyResult]:
    """Carry out `plans`: pre-delete hooks, objects, post-delete hooks, one component after another.

    The set and the revisions of a component go when nothing of it is left. Raises NotReady, naming the finalizers,
    if objects do not go in time; Locked, Denied, Unreachable; Interrupted after what was in flight.
    """
    name, namespace = environment.name, environment.namespace
    stop = stop if stop is not None else Stop()
    if not plans:
        return []
    with Lock(cluster, name, namespace) as lock:
        found = revisions(cluster, name, namespace)
        setting = Setting(
            cluster,
            environment,
            Options(wait=False),
            older=found,
            progress=progress,
            stop=stop,
            guard=lock.check,
        )
        run = Run(setting, plans)
        hooks = HookRunner(cluster, progress, stop, lock.check)
        results = []
        try:
            for each in plans:
                results.append(_component(setting, run, hooks, each, timeout))
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted: {run.account}; the next delete goes on from here") from None
        except MopError as error:
            raise type(error)(
                f"{error.message}\n{run.account}", hint=error.hint, problems=error.problems
            ) from error
        return results


def _component(setting: Setting, run: Run, hooks: HookRunner, plan: Plan, timeout: float) -> ApplyResult:
    started = time.monotonic()
    manifests = _last_manifests(setting, plan.owner)
    patience = Ready(timeout, timeout)
    hooks.run(plan.owner, manifests, "pre-delete", patience)
    run.remove([plan])
    await_gone(setting.cluster, [item.change.ref for item in plan.doomed], timeout, stop=setting.stop)
    hooks.run(plan.owner, manifests, "post-delete", patience)
    _forget_hooks(setting, plan, manifests)
    run.close([plan])
    changes = run.result(plan).changes
    return ApplyResult(plan.environment, plan.component, changes, (), time.monotonic() - started)


def _last_manifests(setting: Setting, owner: Owner) -> list[Manifest]:
    newest = latest([each for each in setting.older if each.component == owner.component]).get(
        owner.component
    )
    return manifests_of(setting.cluster, owner, newest) if newest else []


def _forget_hooks(setting: Setting, plan: Plan, manifests: Sequence[Manifest]) -> None:
    """Hooks that their policies left behind belong to no set: they bear a label of their own."""
    labels = f"{selector(plan.environment, plan.component)},{RAN}"
    kinds = {(m["apiVersion"], m["kind"], m["metadata"].get("namespace", "")) for m in manifests}
    for api_version, kind, namespace in sorted(kinds):
        if setting.cluster.knows(api_version, kind) is None:
            continue
        for live in setting.cluster.list(api_version, kind, namespace, labels, brief=True):
            setting.guard()
            setting.cluster.delete(ref(live), uid=live["metadata"]["uid"])
