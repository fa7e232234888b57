"""What rules of readiness are made of: a verdict, and looks into a status that may hold anything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mop.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Readiness:
    """`failed`: it will not become ready by waiting. `reason` is empty for `ready`."""

    state: Literal["ready", "waiting", "failed"]
    reason: str = ""


READY = Readiness("ready")


def waiting(reason: str) -> Readiness:
    """Not ready yet, because of `reason`."""
    return Readiness("waiting", reason)


def failed(reason: str) -> Readiness:
    """Never ready without a change, because of `reason`."""
    return Readiness("failed", reason)


def conditions(manifest: Manifest) -> dict[str, Mapping[str, Any]]:
    """Conditions by type; one that speaks of an older generation counts as unknown."""
    generation = manifest["metadata"].get("generation") or 0
    found: dict[str, Mapping[str, Any]] = {}
    for condition in status_of(manifest).get("conditions") or []:
        if isinstance(condition, Mapping) and isinstance(condition.get("type"), str):
            observed = condition.get("observedGeneration")
            stale = isinstance(observed, int) and 0 < observed < generation
            found[condition["type"]] = {**condition, "status": "Unknown"} if stale else condition
    return found


def status_of(manifest: Manifest) -> Mapping[str, Any]:
    """The status; empty if there is none, or it is no mapping."""
    status = manifest.get("status")
    return status if isinstance(status, Mapping) else {}


def spec_of(manifest: Manifest) -> Mapping[str, Any]:
    """The spec; empty if there is none, or it is no mapping."""
    spec = manifest.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def number(values: Mapping[str, Any], key: str, default: int = 0) -> int:
    """A whole number of `values`; `default` where it is missing or something else."""
    value = values.get(key)
    return value if isinstance(value, int) else default


def short(what: str, have: int, want: int) -> Readiness:
    """Waiting with `pods ready 1/3`."""
    return waiting(f"{what} {have}/{want}")


def is_true(condition: Mapping[str, Any] | None) -> bool:
    """Whether a condition is there and holds."""
    return condition is not None and condition.get("status") == "True"


def words(condition: Mapping[str, Any], default: str) -> str:
    """A condition's message, else its reason, else `default`."""
    return str(condition.get("message") or condition.get("reason") or default).strip()
