"""What happened, or would happen: frozen facts. Steps give them, `mop.report` turns them into text and JSON.

Every value in them may be shown to anybody: secrets were masked when the fact was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mop.manifest import Manifest, ObjectRef

Action = Literal["add", "update", "delete", "keep"]
State = Literal["ready", "waiting", "failed", "absent"]
Area = Literal["program", "engine", "tool", "cache", "platform", "target"]

ACTIONS: tuple[Action, ...] = ("add", "update", "delete", "keep")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; `path` is like `spec.containers[loki].image`. `old` is None for add, `new` for delete."""

    action: Literal["add", "update", "delete"]
    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another field manager owns and that the apply would take."""

    manager: str
    path: str


@dataclass(frozen=True, slots=True)
class Change:
    """What an apply does, or did, to one object.

    `before` and `after` are the live object and what the server makes of the apply, without the fields that
    only the server writes; None where there is no such object, or nothing changed.
    `note` says what the fields do not show.
    """

    action: Action
    ref: ObjectRef
    fields: tuple[FieldChange, ...] = ()
    before: Manifest | None = None
    after: Manifest | None = None
    conflicts: tuple[Conflict, ...] = ()
    warnings: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ComponentDiff:
    """What an apply of one component would change, in the order in which it would."""

    environment: str
    component: str
    changes: tuple[Change, ...]

    @property
    def changed(self) -> bool:
        """Whether anything but `keep` is in it."""
        return any(change.action != "keep" for change in self.changes)

    def count(self, action: Action) -> int:
        """How many objects have that action."""
        return sum(change.action == action for change in self.changes)


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """Where one object stands, and why it is not ready. `logs`: the last lines of the pod that fails."""

    ref: ObjectRef
    state: State
    reason: str = ""
    logs: str = ""


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What an apply of one component did; `objects` is empty where it did not wait. Times in seconds."""

    environment: str
    component: str
    changes: tuple[Change, ...]
    objects: tuple[ObjectStatus, ...] = ()
    seconds: float = 0.0
    revision: Revision | None = None

    def count(self, action: Action) -> int:
        """How many objects have that action."""
        return sum(change.action == action for change in self.changes)

    @property
    def written(self) -> int:
        """How many objects were written or deleted."""
        return len(self.changes) - self.count("keep")


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component as the cluster has it now."""

    environment: str
    component: str
    objects: tuple[ObjectStatus, ...]
    revision: Revision | None = None

    @property
    def ready(self) -> bool:
        """Whether every object is there and ready."""
        return all(status.state == "ready" for status in self.objects)

    @property
    def unready(self) -> tuple[ObjectStatus, ...]:
        """The objects that are not ready."""
        return tuple(status for status in self.objects if status.state != "ready")


Outcome = Literal["pending", "applied", "ready", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What was rendered, and by whom. `digests`: of charts, libraries and Jsonnet, by their name or path."""

    commit: str = ""
    author: str = ""
    message: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Revision:
    """One apply of a component, as the cluster keeps it. `time` is RFC 3339, UTC; `parts`: Secrets that hold it."""

    environment: str
    component: str
    number: int
    time: str
    outcome: Outcome
    objects: int
    parts: int = 1
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Place:
    """The cluster of an environment: `address` as people know it; `simulated`: no container runs there."""

    address: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Progress: an object was dealt with; `done` of `total` in its component."""

    environment: str
    component: str
    change: Change
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Progress: `ready` of `total` objects are ready after `seconds`; `unready` says why others are not."""

    environment: str
    component: str
    ready: int
    total: int
    unready: tuple[ObjectStatus, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `inv doctor` looked at: a version or an address, or why there is none and how to get it.

    `absent`: MOP can do without, or the target does not answer now. `broken`: nothing works until it is mended.
    """

    area: Area
    name: str
    state: Literal["good", "absent", "broken"]
    detail: str
    hint: str = ""


#: Called from the thread that works, sometimes from several at once.
Progress = Callable[[Written | Waiting], None]


def silent(_: Written | Waiting) -> None:
    """A Progress that nobody watches."""
