"""The revisions of components in their cluster: written as an apply goes, read for history, rollback and promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from mop.engines.protocols import Cluster
from mop.errors import ClusterError, UsageError
from mop.manifest import Manifest, ObjectRef
from mop.results import Origin, Outcome, Revision
from mop.rollout.applyset import Owner
from mop.rollout.names import COMPONENT
from mop.rollout.revisions import HISTORY, PART, decode, encode, read, secret_name

#: Kept for each component.
KEPT = 10


def revisions(cluster: Cluster, environment: str, namespace: str, component: str = "") -> list[Revision]:
    """The revisions of an environment, or of one component, newest first. Raises Denied, Unreachable."""
    labels = f"{HISTORY}={environment},{PART}=0" + (f",{COMPONENT}={component}" if component else "")
    found = [read(secret) for secret in cluster.list("v1", "Secret", namespace, labels, brief=True)]
    return sorted(found, key=lambda revision: (revision.component, -revision.number))


def latest(found: Sequence[Revision]) -> dict[str, Revision]:
    """The newest revision of each component."""
    newest: dict[str, Revision] = {}
    for revision in found:
        if revision.component not in newest or revision.number > newest[revision.component].number:
            newest[revision.component] = revision
    return newest


def manifests_of(cluster: Cluster, owner: Owner, revision: Revision) -> list[Manifest]:
    """What was rendered for `revision`. Raises ClusterError if it is not whole any more."""
    refs = [_ref(owner, revision.number, part) for part in range(revision.parts)]
    return decode([cluster.get(it) for it in refs])


def previous(found: Sequence[Revision], owner: Owner, number: int | None = None) -> Revision:
    """The revision to go back to: `number`, or the newest ready one before the newest.

    `found` are the component's, newest first. Raises UsageError that names what there is.
    """
    ready = [revision for revision in found[1:] if revision.outcome == "ready"]
    chosen = [each for each in found if each.number == number] if number is not None else ready[:1]
    if chosen:
        return chosen[0]
    where, have = (
        f"{owner.environment}/{owner.component}",
        ", ".join(str(each.number) for each in found) or "none",
    )
    wanted = f"revision {number}" if number is not None else "no earlier revision that was ready"
    raise UsageError(f"{where} has {wanted if number is None else f'no {wanted}'}; kept are: {have}")


def same_origin(revision: Revision | None, origin: Origin) -> bool:
    """Whether a revision was rendered from the same charts, libraries and Jsonnet."""
    return revision is not None and dict(revision.origin.digests) == dict(origin.digests)


def check_promoted(
    found: Sequence[Revision], after: str, components: Sequence[str], origins: Mapping[str, Origin]
) -> None:
    """`after: staging`: raises UsageError unless `after` runs each component ready and of the same origin.

    `found`: the revisions of `after`; `origins`: of what is about to be applied, by component.
    """
    newest = latest(found)
    for component in components:
        revision = newest.get(component)
        if revision is None or revision.outcome != "ready":
            state = f"is {revision.outcome}" if revision else "has no revision"
            raise UsageError(f"{after}/{component} {state}, and this environment comes after it")
        theirs, ours = revision.origin.digests, origins.get(component, Origin()).digests
        # Inputs are recorded for an environment: what only one of the two reads may be another component's.
        both = theirs.keys() & ours.keys()
        differs = sorted(k for k in both or {*theirs, *ours} if theirs.get(k) != ours.get(k))
        if differs:
            raise UsageError(
                f"{after}/{component} runs something else than what is to be applied: {', '.join(differs[:5])} differ",
                hint=f"apply this to {after} first",
            )


@dataclass(slots=True)
class Record:
    """The revision of one component while it is applied."""

    owner: Owner
    revision: Revision
    manifests: Sequence[Manifest] = field(repr=False)
    older: Sequence[Revision] = ()

    def write(self, cluster: Cluster, outcome: Outcome) -> None:
        """Keep the revision with `outcome`; the second time only the outcome changes."""
        self.revision = replace(self.revision, outcome=outcome)
        for secret in encode(self.owner, self.revision, self.manifests):
            cluster.apply(secret, force=True)

    def trim(self, cluster: Cluster) -> None:
        """Let go of the oldest; the newest ready one stays in any case, as what a rollback would go to."""
        ready = [each.number for each in self.older if each.outcome == "ready"][:1]
        forget(cluster, self.owner, [old for old in self.older[KEPT - 1 :] if old.number not in ready])


def begin(owner: Owner, manifests: Sequence[Manifest], older: Sequence[Revision], origin: Origin) -> Record:
    """The next revision of a component; `older` are its revisions, newest first. Nothing is written yet."""
    number = max((each.number for each in older), default=0) + 1
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = len(encode(owner, Revision("", "", number, time, "pending", 0), manifests))
    revision = Revision(
        owner.environment, owner.component, number, time, "pending", len(manifests), parts, origin
    )
    return Record(owner, revision, manifests, older)


def forget(cluster: Cluster, owner: Owner, found: Sequence[Revision]) -> None:
    """Delete all revisions of a component that is gone."""
    for revision in found:
        for part in range(revision.parts):
            cluster.delete(_ref(owner, revision.number, part))


def _ref(owner: Owner, number: int, part: int) -> ObjectRef:
    return ObjectRef("v1", "Secret", owner.namespace, secret_name(owner, number, part))


def record_failure(cluster: Cluster, records: Sequence[Record], outcome: Outcome) -> str:
    """Keep `outcome` of unfinished revisions; what could not be kept, in words, for the error that is on its way."""
    for record in records:
        if record.revision.outcome == "pending":
            try:
                record.write(cluster, outcome)
            except ClusterError as error:
                return f"its outcome could not be kept: {error.message}"
    return ""
