"""Values that a chart does nothing with: Helm drops a misspelt key silently.

A key is known if the chart's values.yaml or values.schema.json has it, if a template, helper or NOTES names it
(`.Values.a.b`, `index .Values "a" "b"`), or if Chart.yaml's conditions do. Where a template takes a whole section
(`toYaml .Values.a`), any key below it may be meant: then only one that is spelt almost like a known one is told.
Subcharts are looked at under their names and aliases.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CHAIN = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)*)")
_INDEX = re.compile(
    r"(?:index|get|hasKey|dig|pluck)\s+\(?\$?\w*\.?Values((?:\.[A-Za-z_]\w*)*)\)?((?:\s+\"[^\"]+\")+)"
)
_WORD = re.compile(r'"([^"]+)"')
_ALMOST = 0.85

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """`path`: `ingester.replcas`; `hint`: the known key that is nearest, "" if none is near."""

    path: str
    hint: str = ""


@dataclass(frozen=True)
class _Chart:
    """What a chart says of its values. `named`: paths in templates; `subcharts` by the key of their values."""

    defaults: Mapping[str, Any]
    schema: Mapping[str, Any]
    named: frozenset[Keys]
    conditions: frozenset[Keys]
    subcharts: Mapping[str, _Chart] = field(default_factory=dict)
    archives: frozenset[str] = frozenset()  # subcharts that are no folders

    @functools.cached_property
    def prefixes(self) -> frozenset[Keys]:
        """Every path that leads to something that a template names."""
        return frozenset(path[:length] for path in self.named for length in range(1, len(path) + 1))

    def whole(self, path: Keys) -> bool:
        """Whether a template takes a section above `path` as a whole."""
        return any(path[:length] in self.named for length in range(1, len(path)))


def unknown_values(chart: Path, values: Mapping[str, Any]) -> tuple[UnknownValue, ...]:
    """Keys of `values` that the chart in the folder `chart` does nothing with, in the order of `values`.

    Of a chart, or a subchart, that is an archive nothing is said.
    """
    return tuple(_unknown(_read(chart), values, (), ())) if chart.is_dir() else ()


def _unknown(chart: _Chart, values: Mapping[str, Any], path: Keys, above: Keys) -> Iterator[UnknownValue]:
    """`path` inside the chart, `above` what leads to the chart."""
    default = _at(chart.defaults, path)
    schema = _schema(chart.schema, path)
    for key, value in values.items():
        here = (*path, str(key))
        if not path and key in chart.subcharts:
            if isinstance(value, dict):
                yield from _unknown(chart.subcharts[key], value, (), (*above, str(key)))
            continue
        if not path and (key in ("global", "tags", "enabled") or key in chart.archives):
            continue
        if not _known(chart, here, default, schema):
            yield from _told(chart, here, default, schema, above)
        elif isinstance(value, dict) and _structured(chart, here):
            yield from _unknown(chart, value, here, above)


def _known(chart: _Chart, path: Keys, default: Any, schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    return (
        (isinstance(default, Mapping) and path[-1] in default)
        or path[-1] in properties
        or bool(schema.get("patternProperties"))
        or path in chart.prefixes
        or any(path == condition[: len(path)] for condition in chart.conditions)
    )


def _structured(chart: _Chart, path: Keys) -> bool:
    """Whether the chart says which keys belong below `path`; an empty section is the user's own."""
    default = _at(chart.defaults, path)
    return (isinstance(default, Mapping) and bool(default)) or bool(
        _schema(chart.schema, path).get("properties")
    )


def _told(
    chart: _Chart, path: Keys, default: Any, schema: Mapping[str, Any], above: Keys
) -> Iterator[UnknownValue]:
    known = {*(default if isinstance(default, Mapping) else ()), *schema.get("properties", {})}
    known |= {
        named[len(path) - 1]
        for named in chart.prefixes
        if len(named) == len(path) and named[:-1] == path[:-1]
    }
    if not path[:-1]:
        known |= set(chart.subcharts)
    close = difflib.get_close_matches(path[-1], sorted(map(str, known)), n=1, cutoff=_ALMOST)
    if close or not chart.whole(path):
        shown = ".".join((*above, *path))
        near = close or difflib.get_close_matches(path[-1], sorted(map(str, known)), n=1, cutoff=0.7)
        yield UnknownValue(shown, ".".join((*above, *path[:-1], near[0])) if near else "")


def _at(tree: Any, path: Keys) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def _schema(schema: Mapping[str, Any], path: Keys) -> Mapping[str, Any]:
    node: Any = schema
    for key in path:
        node = node.get("properties", {}).get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


# ---------------------------------------------------------------- reading a chart


def _read(folder: Path) -> _Chart:
    import yaml

    def load(name: str) -> Any:
        path = folder / name
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return yaml.load(path.read_text(), Loader=loader) if path.is_file() else None  # noqa: S506 - a safe loader

    meta = load("Chart.yaml") or {}
    subcharts = {
        sub.name: _read(sub)
        for sub in sorted((folder / "charts").glob("*/"))
        if (sub / "Chart.yaml").is_file()
    }
    dependencies = [entry for entry in meta.get("dependencies") or () if isinstance(entry, dict)]
    aliased = dict(subcharts)
    for entry in dependencies:
        if entry.get("alias") and entry.get("name") in subcharts:
            aliased[entry["alias"]] = subcharts[entry["name"]]
    conditions = [
        part for entry in dependencies for part in str(entry.get("condition") or "").split(",") if part
    ]
    schema = folder / "values.schema.json"
    # Texts in values.yaml are templates too, where a chart passes them to `tpl`.
    named = {*_named(folder / "templates"), *_named(folder, "values.yaml")}
    for name, sub in subcharts.items():
        if _library(folder / "charts" / name):
            named |= sub.named
    return _Chart(
        defaults=load("values.yaml") or {},
        schema=json.loads(schema.read_text()) if schema.is_file() else {},
        named=frozenset(named),
        conditions=frozenset(tuple(part.strip().split(".")) for part in conditions),
        subcharts=aliased,
        archives=frozenset(str(entry.get("alias") or entry.get("name")) for entry in dependencies)
        - aliased.keys(),
    )


def _library(folder: Path) -> bool:
    return "type: library" in (folder / "Chart.yaml").read_text()


def _named(folder: Path, files: str = "**/*") -> Iterator[Keys]:
    """Paths of values that templates name; a path that is taken as a whole is one that nothing follows."""
    for path in sorted(folder.glob(files)):
        if path.suffix in (".yaml", ".yml", ".tpl", ".txt", ".json") and path.is_file():
            text = path.read_text(errors="replace")
            for match in _CHAIN.finditer(text):
                if match[1]:
                    yield tuple(match[1][1:].split("."))
            for match in _INDEX.finditer(text):
                start = tuple(match[1][1:].split(".")) if match[1] else ()
                yield (*start, *_WORD.findall(match[2]))
