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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.goyaml import YamlError, load_all_v2

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
    """What a chart says of its values; read as far as it is asked, for most keys are in its values.yaml."""

    folder: Path

    @functools.cached_property
    def meta(self) -> Mapping[str, Any]:
        """Chart.yaml."""
        return _mapping(self.folder / "Chart.yaml")

    @functools.cached_property
    def defaults(self) -> Mapping[str, Any]:
        """values.yaml."""
        return _mapping(self.folder / "values.yaml")

    @functools.cached_property
    def schema(self) -> Mapping[str, Any]:
        """values.schema.json."""
        path = self.folder / "values.schema.json"
        return json.loads(path.read_bytes()) if path.is_file() else {}

    @functools.cached_property
    def dependencies(self) -> Sequence[Mapping[str, Any]]:
        """The subcharts that Chart.yaml names."""
        return [entry for entry in self.meta.get("dependencies") or () if isinstance(entry, dict)]

    @functools.cached_property
    def subcharts(self) -> Mapping[str, _Chart]:
        """Those that are folders, by the key of their values: a name or an alias."""
        folders = sorted((self.folder / "charts").glob("*/"))
        found = {sub.name: _Chart(sub) for sub in folders if (sub / "Chart.yaml").is_file()}
        aliases = {
            str(entry["alias"]): found[entry["name"]]
            for entry in self.dependencies
            if entry.get("alias") and entry.get("name") in found
        }
        return {**found, **aliases}

    @functools.cached_property
    def archives(self) -> frozenset[str]:
        """The keys of subcharts that are no folders."""
        keys = {str(entry.get("alias") or entry.get("name")) for entry in self.dependencies}
        return frozenset(keys - self.subcharts.keys())

    @functools.cached_property
    def conditions(self) -> frozenset[Keys]:
        """The paths that decide whether a subchart is rendered."""
        texts = [str(entry.get("condition") or "") for entry in self.dependencies]
        return frozenset(tuple(part.strip().split(".")) for text in texts for part in text.split(",") if part)

    @functools.cached_property
    def named(self) -> frozenset[Keys]:
        """Paths in templates, and in those of libraries. Texts in values.yaml are templates too, by way of `tpl`."""
        libraries = [sub.named for sub in self.subcharts.values() if sub.meta.get("type") == "library"]
        own = (*_named(self.folder / "templates"), *_named(self.folder, "values.yaml"))
        return frozenset(own).union(*libraries)

    @functools.cached_property
    def prefixes(self) -> frozenset[Keys]:
        """Every path that leads to something that a template names."""
        return frozenset(path[:length] for path in self.named for length in range(1, len(path) + 1))

    def whole(self, path: Keys) -> bool:
        """Whether a template takes a section above `path` as a whole."""
        return any(path[:length] in self.named for length in range(1, len(path)))


def unknown_values(chart: Path, values: Mapping[str, Any]) -> tuple[UnknownValue, ...]:
    """Keys of `values` that the chart in the folder `chart` does nothing with, in the order of `values`.

    Of a chart, or a subchart, that is an archive nothing is said. Raises OSError where a file vanishes.
    """
    if not values or not chart.is_dir():
        return ()
    try:
        return tuple(_unknown(_Chart(chart), values, (), ()))
    except (YamlError, ValueError):
        return ()  # Helm reads some files that are no YAML, JSON or UTF-8 for us: then nothing is known of keys


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


def _mapping(path: Path) -> Mapping[str, Any]:
    """A file of YAML, as Helm reads it; empty where there is none."""
    documents = load_all_v2(path.read_bytes()) if path.is_file() else []
    return documents[0] if documents and isinstance(documents[0], dict) else {}


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
