"""`drift`: the live objects against what was last applied, not against the working tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mop.engines.protocols import Cluster
from mop.masking import Fingerprint
from mop.model import Environment
from mop.results import ComponentDiff
from mop.rollout.applyset import Owner
from mop.rollout.drifting import Ignored, drifted, scaled_by_autoscalers
from mop.rollout.history import latest, manifests_of, revisions
from mop.rollout.planning import Options, plan


def drift(
    cluster: Cluster,
    environment: Environment,
    components: Sequence[str],
    *,
    ignored: Sequence[Ignored] = (),
    fingerprint: Fingerprint | None = None,
) -> list[ComponentDiff]:
    """What an apply of each component's newest revision would undo: its changes name what others did.

    `update`: fields that somebody changed; `add`: objects that somebody deleted; `delete`: objects that bear the set's
    label and are not of the revision. Components without a revision are left out. Replicas that an autoscaler sets,
    and what `ignored` names, are no drift. Raises Denied, Unreachable.
    """
    newest = latest(revisions(cluster, environment.name, environment.namespace))
    manifests: Mapping[str, list[dict[str, object]]] = {
        name: manifests_of(cluster, Owner(environment.name, name, environment.namespace), newest[name])
        for name in components
        if name in newest
    }
    every = [manifest for items in manifests.values() for manifest in items]
    rules = [*ignored, *scaled_by_autoscalers(every)]
    options = Options(everything=True, elsewhere=(), adopt=True, fingerprint=fingerprint or Fingerprint())
    plans = plan(cluster, environment, manifests, options)
    return [drifted(each, rules) for each in plans if each.component in manifests]
