"""StatefulSets of one rollout group roll one after another: three zones restarted together lose a quorum. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mop.manifest import Manifest
from mop.rollout.plan import Planned

#: The label by which Grafana's rollout-operator knows a group, and the names that its charts give to zones.
GROUP = "rollout-group"
_ZONE = re.compile(r"-zone-[a-z0-9]+$")

Entry = tuple[str, Planned]  # component, object


def rollout_group(manifest: Manifest) -> str:
    """What a StatefulSet shares with the zones that it must not roll with; "" for one that stands alone."""
    metadata = manifest["metadata"]
    label = (metadata.get("labels") or {}).get(GROUP)
    if label:
        return f"{metadata.get('namespace', '')}/{label}"
    stem, zones = _ZONE.subn("", metadata["name"])
    return f"{metadata.get('namespace', '')}/{stem}" if zones else ""


def rolls(item: Planned) -> bool:
    """Whether sending it restarts pods now: with OnDelete somebody else restarts them, in an order of his own."""
    if item.manifest["kind"] != "StatefulSet" or item.change.action != "update":
        return False
    strategy = (item.manifest["spec"].get("updateStrategy") or {}).get("type")
    template = any(field.path.startswith("spec.template") for field in item.change.fields)
    return template and strategy != "OnDelete"


def turns(entries: Sequence[Entry]) -> list[list[Entry]]:
    """`entries` of one wave, so that no turn rolls two StatefulSets of one group; each settles before the next."""
    found: list[list[Entry]] = [[]]
    seen: dict[str, int] = {}
    for entry in entries:
        group = rollout_group(entry[1].manifest) if rolls(entry[1]) else ""
        number = seen.get(group, 0) if group else 0
        if group:
            seen[group] = number + 1
        while len(found) <= number:
            found.append([])
        found[number].append(entry)
    return found
