"""A revision as Secrets: what was applied, compressed, and what is worth knowing of it, as annotations. Pure.

Its Secrets do not bear the environment's label: they are no objects of a component, and every plan lists those.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any, cast

from mop.errors import ClusterError
from mop.manifest import Manifest
from mop.results import Origin, Outcome, Revision
from mop.rollout.applyset import Owner
from mop.rollout.names import COMPONENT, DOMAIN

TYPE = f"{DOMAIN}/revision"
HISTORY = f"{DOMAIN}/history"
NUMBER = f"{DOMAIN}/revision"
PART = f"{DOMAIN}/part"
_FACTS = f"{DOMAIN}/facts"
_KEY = "manifests"
#: Bytes in one Secret: the API server takes 1 MiB of data, etcd 1.5 MiB of base64 and the rest together.
_PART_SIZE = 700_000


def encode(owner: Owner, revision: Revision, manifests: Sequence[Manifest]) -> list[Manifest]:
    """The Secrets that keep `manifests` as `revision`; the first one bears its facts."""
    text = json.dumps(list(manifests), separators=(",", ":"))
    packed = gzip.compress(text.encode(), mtime=0)
    chunks = [packed[start : start + _PART_SIZE] for start in range(0, len(packed), _PART_SIZE)]
    return [_secret(owner, revision, number, len(chunks), chunk) for number, chunk in enumerate(chunks)]


def secret_name(owner: Owner, number: int, part: int = 0) -> str:
    """`mop-staging-loki.v12`, its further parts `mop-staging-loki.v12.1` …"""
    return f"{owner.parent.name}.v{number}{f'.{part}' if part else ''}"


def _secret(owner: Owner, revision: Revision, part: int, parts: int, chunk: bytes) -> Manifest:
    labels = {
        HISTORY: owner.environment,
        COMPONENT: owner.component,
        NUMBER: str(revision.number),
        PART: str(part),
    }
    facts = {
        "time": revision.time,
        "outcome": revision.outcome,
        "objects": revision.objects,
        "parts": parts,
        "commit": revision.origin.commit,
        "author": revision.origin.author,
        "message": revision.origin.message,
        "digests": dict(sorted(revision.origin.digests.items())),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(owner, revision.number, part),
            "namespace": owner.namespace,
            "labels": labels,
            **({"annotations": {_FACTS: json.dumps(facts)}} if part == 0 else {}),
        },
        "type": TYPE,
        "data": {_KEY: base64.b64encode(chunk).decode()},
    }


def read(secret: Manifest) -> Revision:
    """The facts of a revision; the metadata of its first Secret are enough."""
    metadata = secret["metadata"]
    labels = metadata.get("labels") or {}
    facts: dict[str, Any] = json.loads((metadata.get("annotations") or {}).get(_FACTS, "{}"))
    return Revision(
        environment=labels.get(HISTORY, ""),
        component=labels.get(COMPONENT, ""),
        number=int(labels.get(NUMBER, 0)),
        time=str(facts.get("time", "")),
        outcome=cast(Outcome, facts.get("outcome", "pending")),
        objects=int(facts.get("objects", 0)),
        parts=int(facts.get("parts", 1)),
        origin=Origin(
            commit=str(facts.get("commit", "")),
            author=str(facts.get("author", "")),
            message=str(facts.get("message", "")),
            digests=dict(facts.get("digests") or {}),
        ),
    )


def decode(secrets: Sequence[Manifest | None]) -> list[Manifest]:
    """The manifests that the Secrets of one revision hold, in the order of their parts.

    Raises ClusterError if one is missing or damaged.
    """
    if any(secret is None for secret in secrets):
        raise ClusterError("the revision is not whole: one of its Secrets is gone")
    try:
        packed = b"".join(base64.b64decode(secret["data"][_KEY]) for secret in secrets if secret)
        manifests: list[Manifest] = json.loads(gzip.decompress(packed))
    except (KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise ClusterError(f"the revision cannot be read: {error}") from error
    return manifests
