"""Manifests as text for standard output. Secret values are masked unless asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mop import goyaml
from mop.manifest import Manifest
from mop.masking import Fingerprint, mask_manifest


def manifests_yaml(manifests: Iterable[Manifest], *, show_secrets: bool = False) -> str:
    """A YAML stream, one document an object, in the order given."""
    return "".join(f"---\n{goyaml.dump(manifest)}" for manifest in _shown(manifests, show_secrets))


def manifests_json(manifests: Iterable[Manifest], *, show_secrets: bool = False) -> str:
    """One JSON list, in the order given."""
    return json.dumps(list(_shown(manifests, show_secrets)), indent=2, ensure_ascii=False)


def _shown(manifests: Iterable[Manifest], show_secrets: bool) -> Iterable[Manifest]:
    if show_secrets:
        return manifests
    fingerprint = Fingerprint()
    return (mask_manifest(manifest, fingerprint) for manifest in manifests)
