"""Fields that cannot change on a live object: what changed, and the annotation that lets MOP make it anew. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mop.errors import Rejected
from mop.manifest import Manifest
from mop.results import FieldChange
from mop.rollout.compare import field_changes
from mop.rollout.names import DOMAIN

#: `recreate`: delete the object with what it owns, then make it anew; `orphan`: its pods go on meanwhile.
ON_IMMUTABLE = f"{DOMAIN}/on-immutable"
WAYS = {"recreate": "Foreground", "orphan": "Orphan"}
_WORDS = re.compile(r"immutable|updates to statefulset spec for fields other than|may not (?:be )?change")


def is_immutable(error: Rejected) -> bool:
    """Whether the server refuses because a field cannot change."""
    return any(_WORDS.search(problem.message) for problem in error.problems)


def way(manifest: Manifest) -> str:
    """What the object's annotation asks for; "" if nothing, or something that there is not."""
    asked = str((manifest["metadata"].get("annotations") or {}).get(ON_IMMUTABLE, ""))
    return asked if asked in WAYS else ""


def changes(live: Manifest, manifest: Manifest) -> tuple[FieldChange, ...]:
    """What `manifest` sets to something else than `live` has; what the server adds to both is left out."""
    return field_changes(_restricted(live, manifest), manifest)


def explained(error: Rejected, found: tuple[FieldChange, ...]) -> Rejected:
    """`error`, saying what changed and what can be done about it."""
    paths = ", ".join(each.path for each in found if each.path.startswith("spec.")) or "its spec"
    hint = (
        f"changed are: {paths}; with the annotation {ON_IMMUTABLE}: recreate MOP deletes it and makes it anew,"
        " with orphan its pods go on meanwhile"
    )
    problems = [replace(problem, hint=hint) for problem in error.problems]
    return Rejected(error.message, hint=hint, problems=problems)


def _restricted(live: Any, manifest: Any) -> Any:
    if isinstance(live, Mapping) and isinstance(manifest, Mapping):
        return {key: _restricted(live[key], inner) for key, inner in manifest.items() if key in live}
    if isinstance(live, list) and isinstance(manifest, list):
        pairs = [_restricted(old, new) for old, new in zip(live, manifest, strict=False)]
        return [*pairs, *live[len(manifest) :]]
    return live
