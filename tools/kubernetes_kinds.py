"""Writes mop/engines/data/kinds.json: every kind that can be created, its scope, the versions that have it.

    python tools/kubernetes_kinds.py "$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)"    # in mop/controlplane

Scopes come from the discovery documents in that module (`api/discovery`, all API groups), versions from the
schemas of kubernetes-validate. Kinds that this Kubernetes release does not have stand in GONE, from the API
reference of the releases that had them. Run it when kubernetes-validate brings a new Kubernetes version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "mop" / "engines" / "data" / "kinds.json"

#: (group, kind) → scope of what no release since v1.36 serves, or a later one brought.
GONE = {
    ("networking.k8s.io", "ClusterCIDR"): "Cluster",
    ("resource.k8s.io", "PodScheduling"): "Namespaced",
    ("resource.k8s.io", "PodSchedulingContext"): "Namespaced",
    ("resource.k8s.io", "ResourceClaimParameters"): "Namespaced",
    ("resource.k8s.io", "ResourceClass"): "Cluster",
    ("resource.k8s.io", "ResourceClassParameters"): "Namespaced",
    ("lifecycle.k8s.io", "EvictionRequest"): "Namespaced",
    ("scheduling.k8s.io", "CompositePodGroup"): "Namespaced",
}


def scopes(module: Path) -> dict[tuple[str, str], str]:
    """(group, kind) → `Namespaced` or `Cluster`, of all that can be created or at least read."""
    found = dict(GONE)
    core = json.loads((module / "api/discovery/api__v1.json").read_text())
    for resource in core["resources"]:
        if "/" not in resource["name"]:
            found["", resource["kind"]] = "Namespaced" if resource["namespaced"] else "Cluster"
    groups = json.loads((module / "api/discovery/aggregated_v2.json").read_text())
    for group in groups["items"]:
        for served in group["versions"]:
            for resource in served["resources"]:
                found[group["metadata"]["name"], resource["responseKind"]["kind"]] = resource["scope"]
    return found


def schemas() -> Iterator[tuple[int, str, str, str]]:
    """Minor version, group, version and kind of every definition that says what it defines."""
    import kubernetes_validate

    root = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    for folder in root.glob("v1.*-local-strict"):
        minor = int(folder.name.split(".")[1])
        definitions: dict[str, Any] = json.loads((folder / "_definitions.json").read_text())["$defs"]
        for definition in definitions.values():
            for it in definition.get("x-kubernetes-group-version-kind", ()):
                yield minor, it["group"], it["version"], it["kind"]


def main(module: Path) -> None:
    """Write the file."""
    scope = scopes(module)
    minors: dict[str, dict[str, set[int]]] = {}
    for minor, group, api_version, kind in schemas():
        if (group, kind) in scope:
            full = f"{group}/{api_version}" if group else api_version
            minors.setdefault(full, {}).setdefault(kind, set()).add(minor)
    newest = max(max(seen) for kinds in minors.values() for seen in kinds.values())
    lines = []
    for full, kinds in sorted(minors.items()):
        for kind, seen in sorted(kinds.items()):
            until = max(seen) if max(seen) < newest else None
            group = full.rpartition("/")[0]
            lines.append(f"    {json.dumps([full, kind, scope[group, kind], min(seen), until])}")
    release, packaged = module.name.partition("@")[2], version("kubernetes-validate")
    head = {
        "source": f"discovery of k8s.io/kubernetes {release}, kubernetes-validate {packaged}",
        "columns": ["apiVersion", "kind", "scope", "since 1.x (25: or earlier)", "until 1.x"],
        "newest": newest,
    }
    text = json.dumps(head, indent=2)[:-2] + ',\n  "kinds": [\n' + ",\n".join(lines) + "\n  ]\n}\n"
    DATA.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
