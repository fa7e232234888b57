"""Names of a chart's objects, as Tanka's helmTemplate and kustomizeBuild key them.

Rule: Tanka's pkg/kubernetes/manifest (ListAsMap), `nameFormat` being a Go template with sprig's functions
over the object; `snakecase` is ToSnakeCase of github.com/huandu/xstrings v1.5.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from mop.engines.helm_scratch import scratch_chart
from mop.engines.protocols import Helm, HelmObject, HelmRequest
from mop.engines.snakecase import snake_case
from mop.errors import ChartError
from mop.manifest import Manifest

DEFAULT_FORMAT = '{{ print .kind "_" .metadata.name | snakecase }}'

#: Each object is given to the format as `.`; the names come back as one object, in order.
_ASK = """{{- $names := list -}}
{{- range .Values.objects }}{{ $names = append $names (tpl $.Values.format .) }}{{ end -}}
kind: Names
names: {{ toJson $names }}
"""


def by_name(helm: Helm, objects: Sequence[HelmObject], name_format: str | None) -> dict[str, Manifest]:
    """Manifest by name, in the order of `objects`.

    Raises ChartError for two objects with one name, naming the key and both templates, and for a `nameFormat`
    that is no Go template.
    """
    named: dict[str, HelmObject] = {}
    for name, found in zip(_names(helm, objects, name_format or DEFAULT_FORMAT), objects, strict=True):
        if name in named:
            raise ChartError(
                f"two objects are named {name!r}: one of {named[name].template}, one of {found.template}",
                hint=f"give a nameFormat that tells them apart; this one is {name_format or DEFAULT_FORMAT}",
            )
        named[name] = found
    return {name: found.manifest for name, found in named.items()}


def _names(helm: Helm, objects: Sequence[HelmObject], name_format: str) -> list[str]:
    if name_format == DEFAULT_FORMAT:
        plain = [_default(found.manifest) for found in objects]
        if all(name is not None for name in plain):
            return [name for name in plain if name is not None]
    return _evaluated(helm, [found.manifest for found in objects], name_format)


def _default(manifest: Manifest) -> str | None:
    """The default format's name, or None where Go would print something else than two strings."""
    kind, metadata = manifest.get("kind"), manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return snake_case(f"{kind}_{name}") if isinstance(kind, str) and isinstance(name, str) else None


def _evaluated(helm: Helm, manifests: list[Manifest], name_format: str) -> list[str]:
    """The names that Go's own template engine gives, asked through Helm.

    Values reach it as JSON: a whole number from a million on prints as `1e+06`, where Tanka's prints its digits.
    """
    with scratch_chart(_ASK, name="names") as chart:
        values = {"format": name_format, "objects": manifests}
        request = HelmRequest(chart, "names", "default", values, "v1.30.0")
        try:
            (answer,) = helm.template(request)
        except ChartError as error:
            raise ChartError(f"nameFormat {name_format!r}: {error.message}") from error
    names: list[str] = answer.manifest["names"]
    return names
