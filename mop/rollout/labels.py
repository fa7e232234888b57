"""What MOP writes on the objects that it applies, and how it reads that again (cluster.md, Labels)."""

from __future__ import annotations

import base64

from mop.manifest import Manifest
from mop.rollout.applyset import Owner
from mop.rollout.names import COMPONENT, ENVIRONMENT

HOOK = "helm.sh/hook"
#: Helm 2's way to install a CRD early; since Helm 3 such an object is an ordinary one.
_LEGACY_HOOK = "crd-install"


def sent(manifest: Manifest, owner: Owner) -> Manifest:
    """`manifest` as it is sent: with its labels on its own metadata; pod templates are not touched.

    A Secret's stringData becomes data: the server does that anyway, but a key that later goes from stringData
    would stay in data: server-side apply owns what was sent (kubernetes #108008; Flux does the same).
    """
    metadata = manifest["metadata"]
    labels = {**(metadata.get("labels") or {}), **owner.labels}
    labelled = {**manifest, "metadata": {**metadata, "labels": labels}}
    texts = labelled.get("stringData")
    if (
        manifest["kind"] == "Secret"
        and isinstance(texts, dict)
        and all(isinstance(text, str) for text in texts.values())
    ):
        del labelled["stringData"]
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        labelled["data"] = {**(labelled.get("data") or {}), **encoded}
    return labelled


def selector(environment: str, component: str = "") -> str:
    """The label selector of an environment's objects, or of one component's."""
    return f"{ENVIRONMENT}={environment}" + (f",{COMPONENT}={component}" if component else "")


def is_hook(manifest: Manifest) -> bool:
    """Whether the object is a Helm hook: it belongs to no diff, drift, readiness or prune."""
    annotations = manifest["metadata"].get("annotations") or {}
    return bool(str(annotations.get(HOOK, "")).replace(_LEGACY_HOOK, "").strip(" ,"))
