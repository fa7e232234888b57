"""What components were rendered from: digests of charts, libraries and Jsonnet, for revisions and for `after:`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mop.files import Input, sha256
from mop.model import Component, Environment, Platform
from mop.outputs import Outputs
from mop.results import Origin

#: Hex digits of a digest that are kept: enough to tell versions apart, and hundreds of files fit an annotation.
_KEPT = 16


def origins(
    platform: Platform, environment: Environment, components: Iterable[str], outputs: Outputs, source: Origin
) -> dict[str, Origin]:
    """`source` (commit, author, message) with the digests of each component, as its evaluation recorded them.

    The environment's own folder is left out: two environments share all but that.
    """
    found = {}
    for name in components:
        record = outputs.record(outputs.evaluated(environment.name, name))
        inputs = record.inputs if record else ()
        found[name] = replace(source, digests=_digests(platform.components[name], environment, inputs))
    return found


def _digests(component: Component, environment: Environment, inputs: Iterable[Input]) -> dict[str, str]:
    groups: dict[str, list[str]] = {}
    for item in sorted(inputs):
        if item.kind in ("file", "tree") and not item.path.startswith(f"{environment.path}/"):
            for name in _named(component, item.path):
                groups.setdefault(name, []).append(f"{item.path} {item.digest}")
    return {name: sha256("\n".join(lines))[:_KEPT] for name, lines in groups.items()}


def _named(component: Component, path: str) -> Iterator[str]:
    """What a file counts as: its chart, where the component has it; its library; else itself."""
    folder, _, rest = path.partition("/")
    if folder == "charts" and rest:
        chart = rest.split("/")[0]
        if not component.charts or chart in component.charts:
            yield f"charts/{chart}"
    elif folder == "vendor" and rest:
        parts = rest.split("/")
        yield "/".join(["vendor", *parts[: 3 if "." in parts[0] and len(parts) > 3 else 1]])
    else:
        yield path
