"""What an apply of one component does, decided before anything is written. Values only.

`diff` shows a plan, `apply` carries it out: what was shown is what is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mop.manifest import Manifest, ObjectRef, ref
from mop.results import Change, ComponentDiff
from mop.rollout.applyset import Extent, Owner
from mop.rollout.phases import defined_kinds, namespaces


@dataclass(frozen=True, slots=True)
class Planned:
    """One object: what is sent (of a delete, what is there), and the fact about it.

    `write`: whether sending it changes anything. `version`: the live object's resourceVersion that the plan saw.
    `adopts`: other tools' fields become ours first. `replaces`: `recreate` or `orphan`, the live object of `uid` goes
    first, for a field of it cannot change.
    """

    manifest: Manifest = field(repr=False)
    change: Change
    write: bool
    version: str = ""
    adopts: bool = False
    replaces: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All objects of one component, in apply order, and what it no longer renders, in the order of removal.

    `hooks`: its Helm hooks, which no diff shows. `rendered`: all of it as it was rendered, for its revision.
    `kept`: what it renders no more and is never removed, and why. `parent`: the live parent of its set. `extent`:
    where its members are to be found once this is done; None if what is there was not looked at, so that nothing
    may be forgotten.
    """

    owner: Owner
    items: tuple[Planned, ...]
    hooks: tuple[Manifest, ...] = field(default=(), repr=False)
    rendered: tuple[Manifest, ...] = field(default=(), repr=False)
    doomed: tuple[Planned, ...] = ()
    kept: tuple[tuple[ObjectRef, str], ...] = ()
    members: int = 0
    parent: Manifest | None = field(default=None, repr=False)
    extent: Extent | None = None

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.owner.environment

    @property
    def component(self) -> str:
        """The component's name."""
        return self.owner.component

    @property
    def writes(self) -> bool:
        """Whether carrying it out changes anything at all."""
        return bool(self.doomed) or any(item.write for item in self.items)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything that happens, in its order."""
        return tuple(item.change for item in (*self.items, *self.doomed))

    @property
    def diff(self) -> ComponentDiff:
        """The plan as facts that anybody may see."""
        return ComponentDiff(self.environment, self.component, self.changes)

    @property
    def conflicts(self) -> tuple[Planned, ...]:
        """The objects of which another manager owns fields."""
        return tuple(item for item in self.items if item.change.conflicts)

    @property
    def reach(self) -> Extent:
        """Where objects of the component are, before or after."""
        return Extent.of(ref(item.manifest) for item in (*self.items, *self.doomed))


@dataclass(frozen=True, slots=True)
class Created:
    """What the same run creates before this component's objects are sent, so that they are no mistakes.

    `namespaces` by name; `kinds` as (group, kind).
    """

    namespaces: frozenset[str] = frozenset()
    kinds: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def by(cls, manifests: Iterable[Manifest], *also: str) -> Created:
        """By a run that applies all of `manifests`, and creates the namespaces `also`."""
        everything = list(manifests)
        return cls(namespaces(everything) | frozenset(also), defined_kinds(everything))
